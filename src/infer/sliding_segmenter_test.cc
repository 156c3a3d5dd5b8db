#include "infer/sliding_segmenter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/test_dir.h"
#include "base/test_errors.h"
#include "data/normalise.h"
#include "infer/inference_model.h"
#include "infer/test_model.h"
#include "kernels/blend/reference.h"

namespace tagclip {
namespace {

Image noise(int width, int height) {
  std::mt19937 random(3);
  Image image{width, height, {}};
  for (size_t i = 0; i < image.size() * 3; ++i)
    image.pixels.push_back(static_cast<uint8_t>(random()));
  return image;
}

class SlidingSegmenterTest : public testing::Test {
 protected:
  InferenceModel load(const TrainedOn& trained_on = test_classes(),
                      const ModelConfig& config = test_config(), bool with_text_tower = true) {
    return load_for_inference(
        {save_test_model(folder_ / "model.safetensors", trained_on, config, with_text_tower)});
  }

  TestDir folder_;
};

using Vocabulary = SlidingSegmenterTest;

TEST_F(Vocabulary, WithoutWordsIsWhatTheModelWasTrainedOn) {
  const EmbeddedVocabulary vocabulary = embed_vocabulary(load());
  ASSERT_EQ(vocabulary.classes.size(), 3U);
  EXPECT_EQ(vocabulary.classes[1].name(), "Dog");
  EXPECT_EQ(vocabulary.seen, (std::vector{true, true, false}));
  EXPECT_EQ(vocabulary.templates, (std::vector<std::string>{"a {}", "the {}"}));
  EXPECT_EQ(vocabulary.embeddings.sizes(), (std::vector<int64_t>{3, 32}));
  EXPECT_LT((vocabulary.embeddings.norm(2, 1) - 1).abs().max().item<float>(), 1e-5);
}

TEST_F(Vocabulary, SeenIsAClassThatANameOrSynonymMatchesInAnyLetterCase) {
  const std::vector<ClassWords> classes = {{{"puppy", "DOG"}}, {{"Sky"}}, {{"cats"}}, {{"CAT"}}};
  EXPECT_EQ(seen_classes(classes, test_classes()), (std::vector{true, false, false, true}));
}

TEST_F(Vocabulary, TemplatesOfTheUserComeFirst) {
  const EmbeddedVocabulary own = embed_vocabulary(load(), {{{"tree"}}}, {"one {}"});
  EXPECT_EQ(own.templates, std::vector<std::string>{"one {}"});
  TrainedOn without = test_classes();
  without.templates.clear();
  EXPECT_EQ(embed_vocabulary(load(without)).templates, std::vector<std::string>{"a photo of a {}"});
}

TEST_F(Vocabulary, TellsWhichTextsWereCut) {
  const EmbeddedVocabulary vocabulary =
      embed_vocabulary(load(), {{{"a very long name of a class"}}, {{"x"}}});
  EXPECT_EQ(vocabulary.truncated, (std::vector<std::string>{"a a very long name of a class",
                                                            "the a very long name of a class"}));
}

TEST_F(Vocabulary, NeedsATextTowerAndWords) {
  const InferenceModel blind = load(test_classes(), test_config(), false);
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { embed_vocabulary(blind); }),
              testing::HasSubstr("no text tower"));
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { embed_vocabulary(load({})); }),
              testing::HasSubstr("do not say which classes"));
}

TEST_F(Vocabulary, TheBestOfSynonymsCounts) {
  const InferenceModel loaded = load();
  const ClassWords apart{{"sofa", "couch", "settee"}, Synonyms::kMax};
  const EmbeddedVocabulary vocabulary = embed_vocabulary(loaded, {{{"cat"}}, apart, {{"sky"}}});
  EXPECT_EQ(vocabulary.rows_of_class, (std::vector<int64_t>{1, 3, 1}));
  EXPECT_EQ(vocabulary.embeddings.size(0), 5);
  const at::Tensor rows = at::arange(2 * 5 * 4, at::kFloat).view({2, 5, 2, 2}).neg();
  const MaskLogits logits = logits_of_classes({.classes = rows}, vocabulary);
  EXPECT_TRUE(logits.classes.equal(rows.index_select(1, at::tensor({0, 1, 4}, at::kLong))));
  const SegmentedPhoto result = SlidingSegmenter(*loaded.dense, vocabulary)(noise(70, 64));
  for (const uint16_t label : result.labels.labels) ASSERT_LT(label, 3);
}

TEST_F(SlidingSegmenterTest, LabelsEveryPixelOfPhotosOfAnyShape) {
  const InferenceModel loaded = load();
  const SlidingSegmenter segmenter(*loaded.dense, embed_vocabulary(loaded));
  for (const auto& [width, height] : {std::pair{1, 1}, {64, 64}, {97, 41}, {5, 300}, {640, 2}}) {
    const SegmentedPhoto result = segmenter(noise(width, height));
    EXPECT_EQ(result.labels.width, width);
    EXPECT_EQ(result.labels.height, height);
    ASSERT_EQ(result.scores.size(), result.labels.size());
    double shares = 0;
    for (const FoundClass& found : result.found) shares += found.share;
    EXPECT_NEAR(shares, 1, 1e-9);
    EXPECT_EQ(result.unlabelled, 0);
    for (const uint16_t label : result.labels.labels) ASSERT_LT(label, 3);
  }
}

TEST_F(SlidingSegmenterTest, AgreesWithTheReferenceOnOneWindow) {
  for (const Protocol protocol : {Protocol::kReleased, Protocol::kPaper}) {
    ModelConfig config = test_config();
    config.protocol = protocol;
    const InferenceModel loaded = load(test_classes(), config);
    const EmbeddedVocabulary vocabulary = embed_vocabulary(loaded);
    const Image photo = noise(64, 64);
    const SegmentedPhoto found = SlidingSegmenter(*loaded.dense, vocabulary)(photo);

    at::Tensor pixels = at::empty({1, 3, 64, 64});
    normalise_into(photo, {}, {64, 64}, pixels.data_ptr<float>());
    at::NoGradGuard no_gradients;
    const MaskLogits logits =
        loaded.dense->decode(loaded.dense->encode(pixels), vocabulary.embeddings);
    const BestClass expected = best_class(reference_scores(
        {logits.classes, logits.trusty, logits.presence}, {{64, 64}, {64, 64}, {{0, 0}}},
        score_rule(vocabulary.seen, true, Weighting::kBoth, loaded.dense->scoring()), {64, 64}));
    EXPECT_EQ(found.labels.labels, expected.labels);
    for (size_t i = 0; i < expected.scores.size(); ++i) {
      ASSERT_NEAR(found.scores[i], expected.scores[i], 1e-5);
    }
  }
}

TEST_F(SlidingSegmenterTest, BelowTheThresholdPixelsAreUnlabelled) {
  const InferenceModel loaded = load();
  const EmbeddedVocabulary vocabulary = embed_vocabulary(loaded);
  const Image photo = noise(90, 70);
  const SegmentedPhoto all = SlidingSegmenter(*loaded.dense, vocabulary)(photo);
  std::vector<float> scores = all.scores;
  std::ranges::nth_element(scores, scores.begin() + 3000);
  const double threshold = scores[3000];
  const SegmentedPhoto some =
      SlidingSegmenter(*loaded.dense, vocabulary, {.threshold = threshold})(photo);
  EXPECT_EQ(some.scores, all.scores);
  EXPECT_NEAR(some.unlabelled, 3000.0 / (90 * 70), 1e-3);
  for (size_t i = 0; i < scores.size(); ++i) {
    ASSERT_EQ(some.labels.labels[i], all.scores[i] < threshold ? kIgnore : all.labels.labels[i]);
  }
}

TEST_F(SlidingSegmenterTest, RefusesOptionsThatCannotWork) {
  const InferenceModel loaded = load();
  const auto refusal = [&](const SlidingOptions& options) {
    return error_of(ErrorKind::kUsage,
                    [&] { SlidingSegmenter(*loaded.dense, embed_vocabulary(loaded), options); });
  };
  EXPECT_THAT(refusal({.window = 7}),
              testing::HasSubstr("window is 7 pixels; the model's patches are 8"));
  EXPECT_THAT(refusal({.short_side = 1}), testing::HasSubstr("short side is 1"));
  EXPECT_THAT(refusal({.window = 64, .stride = 65}), testing::HasSubstr("gaps"));
}

TEST_F(SlidingSegmenterTest, RefusesAPhotoThatWouldFillTheMemory) {
  const InferenceModel loaded = load();
  const std::vector<ClassWords> words = {{{"a"}}};
  EmbeddedVocabulary vocabulary = embed_vocabulary(loaded, words);
  vocabulary.embeddings = vocabulary.embeddings.expand({60000, 32});
  vocabulary.classes.assign(60000, words[0]);
  vocabulary.seen.assign(60000, false);
  const SlidingSegmenter segmenter(*loaded.dense, std::move(vocabulary));
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { segmenter(noise(1, 1000)); }),
              testing::HasSubstr("too many for 60000 classes"));
}

TEST_F(SlidingSegmenterTest, DamagedWeightsAreReported) {
  const InferenceModel loaded = load();
  const EmbeddedVocabulary vocabulary = embed_vocabulary(loaded);
  const auto& model = dynamic_cast<const SegmentationModel&>(*loaded.dense);
  at::Tensor(*model.parameters.find("decode_head.disc_token")).fill_(NAN);
  EXPECT_THAT(error_of(ErrorKind::kBadInput,
                       [&] { SlidingSegmenter(*loaded.dense, vocabulary)(noise(64, 64)); }),
              testing::HasSubstr("not a number"));
}

TEST(ChooseDevice, KnowsItsWords) {
  EXPECT_EQ(choose_device("cpu"), at::Device(at::kCPU));
  EXPECT_THAT(error_of(ErrorKind::kUsage, [] { choose_device("tpu"); }),
              testing::HasSubstr("auto, cpu, cuda"));
  if (!at::hasCUDA()) {
    EXPECT_EQ(choose_device("auto"), at::Device(at::kCPU));
    EXPECT_THAT(error_of(ErrorKind::kUsage, [] { choose_device("cuda"); }),
                testing::HasSubstr("no CUDA"));
  }
}

}  // namespace
}  // namespace tagclip

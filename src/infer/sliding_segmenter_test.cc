#include "infer/sliding_segmenter.h"

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "data/image_ops.h"
#include "infer/inference_model.h"
#include "infer/presence.h"
#include "infer/test_model.h"
#include "kernels/blend/reference.h"
#include "metrics/reliability.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

Image noise(int width, int height) {
  std::mt19937 random(3);
  Image image{width, height, {}};
  for (size_t i = 0; i < image.size() * 3; ++i)
    image.pixels.push_back(static_cast<uint8_t>(random()));
  return image;
}

class SlidingSegmenterTest : public ModelTest {};

TEST_F(SlidingSegmenterTest, LabelsEveryPixelOfPhotosOfAnyShape) {
  const InferenceModel loaded = load();
  const SlidingSegmenter segmenter(loaded.model, embed_vocabulary(loaded));
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
    const SegmentedPhoto found = SlidingSegmenter(loaded.model, vocabulary)(photo);

    at::Tensor pixels = at::empty({1, 3, 64, 64});
    normalize_into(photo, {}, {64, 64}, pixels.data_ptr<float>());
    at::NoGradGuard no_gradients;
    const MaskLogits logits =
        (*loaded.model.decoder)((*loaded.model.encoder)(pixels), vocabulary.embeddings, {});
    const BestClass expected = best_class(reference_scores(
        {logits.classes, logits.trusty, logits.presence}, {{64, 64}, {64, 64}, {{0, 0}}},
        score_rule(vocabulary.seen, true, {}, loaded.model.scoring), {64, 64}));
    EXPECT_EQ(found.labels.labels, expected.labels);
    for (size_t i = 0; i < expected.scores.size(); ++i) {
      ASSERT_NEAR(found.scores[i], expected.scores[i], 1e-5);
    }
  }
}

using enum TrustyWeight;
const std::vector<bool> kSeenOfThree = {true, false, true};

TEST(ScoreRule, WeightsTheClassesOfTheSetting) {
  const auto weights = [](Weighting weighting) {
    return score_rule(kSeenOfThree, true, {.weighting = weighting}, ScoreSemantics{}).weight;
  };
  EXPECT_EQ(weights(Weighting::kNone), (std::vector{kNone, kNone, kNone}));
  EXPECT_EQ(weights(Weighting::kSeen), (std::vector{kSeen, kNone, kSeen}));
  EXPECT_EQ(weights(Weighting::kUnseen), (std::vector{kNone, kNovel, kNone}));
  EXPECT_EQ(weights(Weighting::kBoth), (std::vector{kSeen, kNovel, kSeen}));
}

TEST(ScoreRule, SeenBiasIsTheReleasedOneOfInductiveModelsUnlessSet) {
  const auto bias = [](bool inductive, std::optional<double> set) {
    return score_rule(kSeenOfThree, inductive, {.seen_bias = set}, ScoreSemantics{}).seen_bias;
  };
  EXPECT_EQ(bias(true, {}), (std::vector{0.1f, 0.0f, 0.1f}));
  EXPECT_EQ(bias(false, {}), (std::vector{0.0f, 0.0f, 0.0f}));
  for (const bool inductive : {true, false}) {
    EXPECT_EQ(bias(inductive, 0.25), (std::vector{0.25f, 0.0f, 0.25f}));
    EXPECT_EQ(bias(inductive, 0), (std::vector{0.0f, 0.0f, 0.0f}));
  }
}

TEST(ScoreRule, ASeenBiasIsRefusedWhereNoClassWasTrained) {
  const ScoreSemantics clip{.activation = ScoreActivation::kSoftmax, .calibrated_stacking = false};
  EXPECT_THAT(error_of(ErrorKind::kUsage,
                       [&] { score_rule(kSeenOfThree, true, {.seen_bias = 0.1}, clip); }),
              testing::HasSubstr("`seen_bias`"));
  EXPECT_EQ(score_rule(kSeenOfThree, true, {.seen_bias = 0}, clip).seen_bias,
            (std::vector{0.0f, 0.0f, 0.0f}));
}

TEST(ScoreRule, ProtocolsReadTheTrustyMapTheOtherWayRound) {
  EXPECT_TRUE(score_rule(kSeenOfThree, true, {}, ScoreSemantics{.trusty_means_seen = true})
                  .trusty_means_seen);
  EXPECT_FALSE(score_rule(kSeenOfThree, true, {}, ScoreSemantics{}).trusty_means_seen);
}

// The expected scores of one pixel and two classes by hand: sigmoid(0) = 0.5, P = sigmoid(trusty).
TEST(ScoreRule, ScoresOfAPixel) {
  const auto scores = [](const ScoreSemantics& scoring) {
    WindowLogits logits{at::zeros({1, 2, 1, 1}), at::full({1, 1, 1, 1}, std::log(3.0)), {}};
    logits.presence = at::full({1, 2}, std::log(4.0));
    const ScoreRule rule = score_rule({true, false}, true, {}, scoring);
    return reference_scores(logits, {{1, 1}, {1, 1}, {{0, 0}}}, rule, {1, 1}).flatten();
  };
  const at::Tensor released = scores(ScoreSemantics{});
  EXPECT_NEAR(released[0].item<float>(), (0.5 * 0.8 - 0.1) * 0.25, 1e-6);
  EXPECT_NEAR(released[1].item<float>(), 0.5 * 0.8 * 0.75, 1e-6);
  const at::Tensor paper = scores(ScoreSemantics{.trusty_means_seen = true});
  EXPECT_NEAR(paper[0].item<float>(), (0.5 * 0.8 - 0.1) * 0.75, 1e-6);
  EXPECT_NEAR(paper[1].item<float>(), 0.5 * 0.8 * 0.25, 1e-6);
}

// Table 3 as released: no seen bias, no token among the queries, no weighting.
TEST_F(SlidingSegmenterTest, EverySettingOfTheScoresReachesThem) {
  const InferenceModel loaded = load();
  const EmbeddedVocabulary vocabulary = embed_vocabulary(loaded);
  const Image photo = noise(64, 64);
  const auto scores = [&](const InferenceOptions& options) {
    return SlidingSegmenter(loaded.model, vocabulary, options)(photo).scores;
  };
  const std::vector<float> usual = scores({});
  EXPECT_NE(scores({.weighting = Weighting::kNone}), usual);
  EXPECT_NE(scores({.seen_bias = 0}), usual);
  EXPECT_EQ(scores({.seen_bias = 0.1}), usual);
  const std::vector<float> plain = scores({.weighting = Weighting::kNone, .seen_bias = 0});
  EXPECT_NE(scores({.weighting = Weighting::kNone, .seen_bias = 0, .trusty_token = false}), plain);
  // Without the token there is no trusty map to weight by.
  EXPECT_EQ(scores({.weighting = Weighting::kBoth, .seen_bias = 0, .trusty_token = false}),
            scores({.weighting = Weighting::kNone, .seen_bias = 0, .trusty_token = false}));
}

// The decoder of a model without a token, with the same weights, has C rows of queries.
TEST_F(SlidingSegmenterTest, LeavingTheTokenOutIsADecoderThatHasNone) {
  SegmentationModel with(test_config(), /*with_text_tower=*/false);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  with.parameters.initialise(generator);
  ModelConfig config = test_config();
  config.trusty_token = false;
  SegmentationModel without(config, /*with_text_tower=*/false);
  without.parameters.allocate();
  for (const Parameter& parameter : without.parameters.all()) {
    at::Tensor(parameter.tensor).copy_(*with.parameters.find(parameter.name));
  }
  at::NoGradGuard no_gradients;
  const Encoding encoding = with.encoder(at::randn({2, 3, 64, 64}, generator));
  const at::Tensor text = l2_normalize(at::randn({3, 32}, generator));
  const MaskLogits left_out = with.head(encoding, text, {}, {.trusty_token = false});
  EXPECT_FALSE(left_out.trusty.defined());
  EXPECT_TRUE(left_out.classes.equal(without.head(encoding, text).classes));
  EXPECT_FALSE(left_out.classes.allclose(with.head(encoding, text).classes));
}

TEST_F(SlidingSegmenterTest, BelowTheThresholdPixelsAreUnlabelled) {
  const InferenceModel loaded = load();
  const EmbeddedVocabulary vocabulary = embed_vocabulary(loaded);
  const Image photo = noise(90, 70);
  const SegmentedPhoto all = SlidingSegmenter(loaded.model, vocabulary)(photo);
  std::vector<float> scores = all.scores;
  std::ranges::nth_element(scores, scores.begin() + 3000);
  const double threshold = scores[3000];
  const SegmentedPhoto some =
      SlidingSegmenter(loaded.model, vocabulary, {.threshold = threshold})(photo);
  EXPECT_EQ(some.scores, all.scores);
  const auto below = std::ranges::count_if(scores, [&](float s) { return s < threshold; });
  EXPECT_GT(below, 2900);  // all but ties
  EXPECT_NEAR(some.unlabelled, static_cast<double>(below) / (90 * 70), 1e-12);
  for (size_t i = 0; i < scores.size(); ++i) {
    ASSERT_EQ(some.labels.labels[i],
              all.scores[i] < threshold ? kIgnoreIndex : all.labels.labels[i]);
  }
}

TEST_F(SlidingSegmenterTest, RefusesOptionsThatCannotWork) {
  const InferenceModel loaded = load();
  const auto refusal = [&](const InferenceOptions& options) {
    return error_of(ErrorKind::kUsage,
                    [&] { SlidingSegmenter(loaded.model, embed_vocabulary(loaded), options); });
  };
  EXPECT_THAT(refusal({.window = 7}),
              testing::HasSubstr("`window` is 7 pixels; the model's patches are 8"));
  EXPECT_THAT(refusal({.short_side = 1}), testing::HasSubstr("`short_side` is 1"));
  EXPECT_THAT(refusal({.window = 64, .stride = 65}), testing::HasSubstr("gaps"));
  EXPECT_THAT(refusal({.scales = {}}),
              testing::HasSubstr("`scales` holds 0 numbers: expected 1 to 8"));
  EXPECT_THAT(refusal({.scales = {1, 0.1}}),
              testing::HasSubstr("the scale 0.1 makes the `short_side` 6 pixels"));
  EXPECT_THAT(refusal({.scales = {1, 1.03}}), testing::HasSubstr("the same short side of 64"));
}

// Views of a photo, each segmented alone, and the mean of what they score.
class ViewsTest : public SlidingSegmenterTest {
 protected:
  void load_mode(Mode mode) {
    const InferenceModel loaded = load_for_inference(save_test_model(folder_ / "model.safetensors"),
                                                     {.device = Device::kCpu, .mode = mode});
    model_ = loaded.model;
    vocabulary_ = embed_vocabulary(loaded, {{{"cat"}}, {{"dog"}}, {{"sky"}}});
    vocabulary_.seen = {true, false, false};
  }

  // [3, height, width]
  at::Tensor scores(const Image& photo, const InferenceOptions& options) {
    StageTimes times;
    const EncodedPhoto encoded = PhotoEncoder(model_, options)(photo, times);
    std::vector<at::Tensor> maps;
    for (const auto& map :
         class_scores(encoded, model_, vocabulary_, options, std::vector{0, 1, 2})) {
      maps.push_back(at::tensor(map).view({photo.height, photo.width}));
    }
    return at::stack(maps);
  }

  SegmentedPhoto segmented(const Image& photo, const InferenceOptions& options) {
    return SlidingSegmenter(model_, vocabulary_, options)(photo);
  }

  DenseModel model_;
  EmbeddedVocabulary vocabulary_;
};

// Sizes are such that resizing and mirroring commute.
TEST_F(ViewsTest, ScalesAndFlipAverageTheScoresOfEachView) {
  const Image photo = noise(160, 128);
  for (const Mode mode : {Mode::kTrained, Mode::kNaclip}) {
    load_mode(mode);
    const bool softmax = model_.scoring.activation == ScoreActivation::kSoftmax;
    at::Tensor mean = at::zeros({3, photo.height, photo.width});
    for (const int short_side : {32, 64, 96}) {
      const InferenceOptions options{.window = 64, .stride = 40, .short_side = short_side};
      for (const at::Tensor& view :
           {scores(photo, options), scores(flip_horizontal(photo), options).flip(2)}) {
        mean +=
            (softmax ? view.log() : view) / 6;  // of the logits, but for what all have in common
      }
    }
    if (softmax) mean = mean.softmax(0);

    const InferenceOptions options{
        .window = 64, .stride = 40, .short_side = 64, .scales = {0.5, 1, 1.5}, .flip = true};
    EXPECT_LT((scores(photo, options) - mean).abs().max().item<double>(), 1e-5);
    const SegmentedPhoto found = segmented(photo, options);
    const at::Tensor best = std::get<0>(mean.max(0)).flatten();
    for (size_t i = 0; i < found.scores.size(); ++i) {
      const auto pixel = static_cast<int64_t>(i);
      ASSERT_NEAR(found.scores[i], best[pixel].item<double>(), 1e-5);
      ASSERT_NEAR(mean.flatten(1)[found.labels.labels[i]][pixel].item<double>(), found.scores[i],
                  1e-5);
    }
  }
}

TEST_F(ViewsTest, WithFlipTheMirrorImageHasTheMirroredLabels) {
  load_mode(Mode::kTrained);
  const Image photo = noise(110, 64);
  const InferenceOptions options{.window = 64, .stride = 40, .flip = true};
  const std::vector<uint16_t> straight = segmented(photo, options).labels.labels;
  const std::vector<uint16_t> mirrored =
      flip_horizontal(segmented(flip_horizontal(photo), options).labels).labels;
  int64_t different = 0;
  for (size_t i = 0; i < straight.size(); ++i) different += straight[i] != mirrored[i];
  EXPECT_LE(different, 2) << "but where rounding decides";
}

TEST_F(ViewsTest, TheScaleOneAloneChangesNothing) {
  load_mode(Mode::kTrained);
  const Image photo = noise(90, 70);
  EXPECT_EQ(segmented(photo, {.scales = {1}}).scores, segmented(photo, {}).scores);
  EXPECT_EQ(segmented(photo, {.scales = {2}}).scores, segmented(photo, {.short_side = 128}).scores);
}

TEST_F(ViewsTest, RefinementComesAfterTheAverage) {
  const Image photo = noise(90, 70);
  for (const Mode mode : {Mode::kTrained, Mode::kNaclip}) {
    load_mode(mode);
    const InferenceOptions options{
        .scales = {1, 1.5}, .flip = true, .seen_bias = 0, .refine = Refine::kGuided};
    const SegmentedPhoto found = segmented(photo, options);
    const at::Tensor maps = scores(photo, options).flatten(1);
    for (size_t i = 0; i < found.scores.size(); ++i) {
      ASSERT_NEAR(maps[found.labels.labels[i]][static_cast<int64_t>(i)].item<double>(),
                  found.scores[i], 1e-5);
    }
    EXPECT_NE(found.scores,
              segmented(photo, {.scales = {1, 1.5}, .flip = true, .seen_bias = 0}).scores);
  }
}

TEST_F(ViewsTest, TrustAndPresenceAreThoseOfAllViews) {
  const InferenceModel loaded = load();
  model_ = loaded.model;
  vocabulary_ = embed_vocabulary(loaded);
  vocabulary_.everyday = embed_everyday_words(loaded, vocabulary_);
  const Image photo = noise(90, 64);
  const auto trust = [&](const Image& image, const InferenceOptions& options) {
    StageTimes times;
    const EncodedPhoto encoded = PhotoEncoder(model_, options)(image, times);
    return at::tensor(trusty_map(encoded, model_, vocabulary_, options))
        .view({image.height, image.width});
  };
  const at::Tensor mean = (trust(photo, {}) + trust(flip_horizontal(photo), {}).flip(1)) / 2;
  EXPECT_LT((trust(photo, {.flip = true}) - mean).abs().max().item<double>(), 1e-5);

  const auto presence = [&](const Image& image, bool flip) {
    return segmented(image, {.flip = flip, .presence = 1e-9}).presence;
  };
  const std::vector<double> both = presence(photo, true);
  const std::vector<double> one = presence(photo, false),
                            same = presence(flip_horizontal(photo), true);
  for (size_t c = 0; c < both.size(); ++c) {
    EXPECT_NEAR(both[c], same[c], 1e-5);
    EXPECT_GE(both[c], one[c] - 1e-6);
  }
}

TEST_F(SlidingSegmenterTest, RefusesAPhotoThatWouldFillTheMemory) {
  const InferenceModel loaded = load();
  const std::vector<ClassWords> words = {{{"a"}}};
  EmbeddedVocabulary vocabulary = embed_vocabulary(loaded, words);
  vocabulary.embeddings = vocabulary.embeddings.expand({60000, 32});
  vocabulary.classes.assign(60000, words[0]);
  vocabulary.seen.assign(60000, false);
  const SlidingSegmenter segmenter(loaded.model, std::move(vocabulary));
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { segmenter(noise(1, 1000)); }),
              testing::HasSubstr("too many for 60000 classes"));
}

TEST_F(SlidingSegmenterTest, DamagedWeightsAreReported) {
  const EmbeddedVocabulary vocabulary = embed_vocabulary(load());
  const SegmentationModel model(test_config(), /*with_text_tower=*/false);
  at::Tensor(*model.parameters.find("decode_head.disc_token")).set_data(at::full({1, 32}, NAN));
  EXPECT_THAT(error_of(ErrorKind::kBadInput,
                       [&] { SlidingSegmenter(dense_model(model), vocabulary)(noise(64, 64)); }),
              testing::HasSubstr("not a number"));
}

TEST_F(SlidingSegmenterTest, AbsentClassesAreLeftOut) {
  const InferenceModel loaded = load();
  EmbeddedVocabulary vocabulary = embed_vocabulary(loaded);
  vocabulary.everyday = embed_everyday_words(loaded, vocabulary);
  const Image photo = noise(64, 48);
  const auto segmented = [&](double least) {
    return SlidingSegmenter(loaded.model, vocabulary, {.presence = least})(photo);
  };
  const SegmentedPhoto all = segmented(1e-9);
  ASSERT_EQ(all.presence.size(), 3U);
  EXPECT_TRUE(all.absent.empty());
  EXPECT_EQ(all.labels.labels, SlidingSegmenter(loaded.model, vocabulary)(photo).labels.labels);

  std::vector<double> order = all.presence;
  std::ranges::sort(order);
  ASSERT_LT(order[0], order[1]);
  const SegmentedPhoto two = segmented((order[0] + order[1]) / 2);
  const auto least = std::ranges::min_element(all.presence) - all.presence.begin();
  EXPECT_EQ(two.absent, (std::vector<size_t>{static_cast<size_t>(least)}));
  EXPECT_EQ(std::ranges::count(two.labels.labels, least), 0);
  EXPECT_EQ(two.unlabelled, 0);

  // The scores of classes are those among which the labels were chosen.
  const InferenceOptions options{.presence = (order[0] + order[1]) / 2};
  StageTimes times;
  const EncodedPhoto encoded = PhotoEncoder(loaded.model, options)(photo, times);
  const auto maps = class_scores(encoded, loaded.model, vocabulary, options, std::vector{0, 1, 2});
  EXPECT_EQ(maps[least], std::vector<float>(two.scores.size()));
  for (size_t i = 0; i < two.scores.size(); ++i) {
    ASSERT_NEAR(maps[two.labels.labels[i]][i], two.scores[i], 1e-5);
  }

  const SegmentedPhoto none = segmented(1);
  EXPECT_EQ(none.absent.size(), 3U);
  EXPECT_EQ(none.unlabelled, 1);
  vocabulary.classes[2].title = kBackground;  // which is never absent
  const SegmentedPhoto background = segmented(1);
  EXPECT_EQ(background.found.size(), 1U);
  EXPECT_EQ(background.found[0].index, 2U);
}

TEST_F(SlidingSegmenterTest, RefinedScoresAreThoseOfTheLabels) {
  const InferenceModel loaded = load_for_inference(save_test_model(folder_ / "model.safetensors"),
                                                   {.device = Device::kCpu, .mode = Mode::kNaclip});
  const EmbeddedVocabulary vocabulary = embed_vocabulary(loaded, {{{"cat"}}, {{"dog"}}, {{"sky"}}});
  const Image photo = noise(1100, 80);  // of two tiles
  for (const ScoreActivation activation : {ScoreActivation::kSigmoid, ScoreActivation::kSoftmax}) {
    DenseModel model = loaded.model;
    model.scoring.activation = activation;
    const InferenceOptions options{.refine = Refine::kPamr};
    StageTimes times;
    EncodedPhoto encoded = PhotoEncoder(model, options)(photo, times);
    // Every class wins somewhere.
    at::Tensor& patches = encoded.views[0].encoding.patches;
    patches = l2_normalize(at::randn_like(patches));
    const SegmentedPhoto found = segment(encoded, model, vocabulary, options);
    ASSERT_EQ(found.found.size(), 3U);
    const auto maps = class_scores(encoded, model, vocabulary, options, std::vector{2, 0, 1});
    for (size_t i = 0; i < found.scores.size(); ++i) {
      const std::array scores = {maps[1][i], maps[2][i], maps[0][i]};
      ASSERT_NEAR(scores[found.labels.labels[i]], found.scores[i], 1e-5);
      ASSERT_NEAR(std::ranges::max(scores), found.scores[i], 1e-5);
      if (activation != ScoreActivation::kSoftmax) continue;
      ASSERT_NEAR(scores[0] + scores[1] + scores[2], 1, 1e-5);
    }
  }
}

TEST_F(SlidingSegmenterTest, ScoresAreAsSureAsTheyProvedRight) {
  const InferenceModel loaded = load();
  const EmbeddedVocabulary vocabulary = embed_vocabulary(loaded);
  DenseModel calibrated = loaded.model;
  calibrated.scoring.seen_temperature = 2;
  calibrated.scoring.novel_temperature = 0.5;
  const Image photo = noise(64, 48);
  const SegmentedPhoto raw = SlidingSegmenter(loaded.model, vocabulary)(photo);
  const SegmentedPhoto found = SlidingSegmenter(calibrated, vocabulary)(photo);
  EXPECT_EQ(found.labels.labels, raw.labels.labels);
  for (size_t i = 0; i < raw.scores.size(); ++i) {
    const double temperature = vocabulary.seen[raw.labels.labels[i]] ? 2 : 0.5;
    ASSERT_NEAR(found.scores[i], tempered(raw.scores[i], temperature), 1e-6);
  }
}

}  // namespace
}  // namespace tagclip

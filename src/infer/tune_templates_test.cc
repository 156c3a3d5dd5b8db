#include "infer/tune_templates.h"

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>

#include "clip/clip.h"
#include "infer/test_model.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

class TemplateTunerTest : public ModelTest {
 protected:
  InferenceModel clip() {
    save_test_model(folder_ / "model.safetensors");
    return load_for_inference(folder_ / "model.safetensors",
                              {.device = Device::kCpu, .mode = Mode::kNaclip});
  }
  static EmbeddedVocabulary embedded(const InferenceModel& model,
                                     const std::vector<std::string>& templates) {
    return embed_vocabulary(model,
                            {{{"cat"}, Synonyms::kMean},
                             {{"dog", "puppy"}, Synonyms::kMean},
                             {{"sky"}, Synonyms::kMean}},
                            templates);
  }
};

const std::vector<std::string> kTemplates = {"a {}", "the {}", "{} b", "c {}", "d {} e", "{} f"};

// Against a second way to compute it: entropies of each template's labels, patch by patch.
TEST_F(TemplateTunerTest, ExpertsAreThoseOfLowestEntropy) {
  const at::NoGradGuard no_gradients;
  const InferenceModel model = clip();
  const EmbeddedVocabulary vocabulary = embedded(model, kTemplates);
  TemplateTuner tuner(model, vocabulary, 40);
  EncodedPhoto photo;
  at::Generator random = seeded(5);
  for (const int64_t windows : {2, 3}) {
    photo.views.push_back(
        {.encoding = {l2_normalize(at::randn({windows, 12, 32}, random, at::TensorOptions())),
                      at::zeros({windows, 32}), 3, 4}});
  }
  tuner.add(photo);
  const EmbeddedVocabulary tuned = tuner.tuned();

  std::vector<std::vector<std::pair<double, size_t>>> of_class(3);
  std::vector<at::Tensor> rows;
  for (size_t t = 0; t < kTemplates.size(); ++t) {
    rows.push_back(embedded(model, {kTemplates[t]}).embeddings);
    std::vector<double> sum(3), count(3);
    const at::Tensor patches = at::cat({photo.views[0].encoding.patches.flatten(0, 1),
                                        photo.views[1].encoding.patches.flatten(0, 1)});
    for (const at::Tensor& patch : patches.unbind()) {
      const at::Tensor p = (40 * rows[t].mv(patch)).softmax(0);
      const auto label = p.argmax().item<int64_t>();
      sum[label] -= (p * p.log()).sum().item<double>();
      ++count[label];
    }
    for (size_t c = 0; c < 3; ++c) {
      if (count[c] > 0) of_class[c].emplace_back(sum[c] / count[c], t);
    }
  }
  for (size_t c = 0; c < 3; ++c) {
    std::ranges::sort(of_class[c]);
    std::vector<std::string> expected;
    at::Tensor mean = at::zeros({32});
    for (const auto& [entropy, t] : of_class[c]) {
      if (expected.size() == TemplateTuner::kExperts) break;
      expected.push_back(kTemplates[t]);
      mean += rows[t][static_cast<int64_t>(c)];
    }
    if (expected.empty()) {
      expected = kTemplates;
      for (const at::Tensor& row : rows) mean += row[static_cast<int64_t>(c)];
    }
    EXPECT_EQ(tuned.class_templates[c], expected);
    EXPECT_TRUE(
        at::allclose(tuned.embeddings[static_cast<int64_t>(c)], l2_normalize(mean), 1e-4, 1e-5));
  }
}

TEST_F(TemplateTunerTest, WithoutPhotosAllTemplatesStay) {
  const InferenceModel model = clip();
  const EmbeddedVocabulary vocabulary = embedded(model, kTemplates);
  const EmbeddedVocabulary tuned = TemplateTuner(model, vocabulary, 0).tuned();
  EXPECT_EQ(tuned.class_templates[1], kTemplates);
  EXPECT_TRUE(at::allclose(tuned.embeddings[0], vocabulary.embeddings[0], 1e-4, 1e-5));
}

TEST_F(TemplateTunerTest, Refusals) {
  const InferenceModel model = clip();
  EXPECT_THAT(
      error_of(ErrorKind::kUsage, [&] { TemplateTuner(model, embedded(model, {"a {}"}), 0); }),
      testing::HasSubstr("one template"));
  const InferenceModel trained = load();
  EXPECT_THAT(error_of(ErrorKind::kUsage,
                       [&] { TemplateTuner(trained, embedded(trained, kTemplates), 0); }),
              testing::HasSubstr("as it is"));
}

}  // namespace
}  // namespace tagclip

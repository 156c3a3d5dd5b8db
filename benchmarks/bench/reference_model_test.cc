#include "bench/reference_model.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "bench/test_workload.h"
#include "infer/sliding_segmenter.h"
#include "train/train_step.h"

namespace tagclip::bench {
namespace {

double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST(ReferenceModel, ComputesTheSameLogits) {
  const Workload workload = tiny_workload();
  const SegmentationModel model = random_model(workload.model);
  const ReferenceModel reference(workload.model, parameters_by_name(model));
  const at::Tensor text = random_vocabulary(workload).embeddings;
  const at::Tensor pixels = random_batch(workload, 3).pixels;
  const MaskLogits ours = model(pixels, text), expected = reference(pixels, text);
  ASSERT_EQ(ours.classes.sizes(), expected.classes.sizes());
  EXPECT_GT(expected.classes.abs().max().item<double>(), 1e-4);
  EXPECT_LT(distance(ours.classes, expected.classes), 1e-6);
  EXPECT_LT(distance(ours.trusty, expected.trusty), 1e-6);
}

TEST(ReferenceModel, RefusesModelsTheReleasedCodeDoesNotHave) {
  ModelConfig config = tiny_workload().model;
  config.trusty_token = false;
  EXPECT_THROW(ReferenceModel(config, {}), InternalError);
}

TEST(ReferenceSegmenter, FindsTheSameLabels) {
  const Workload workload = tiny_workload();
  const SegmentationModel model = random_model(workload.model);
  const EmbeddedVocabulary vocabulary = random_vocabulary(workload);
  const Image photo = random_photo(workload.model.clip.resolution);
  const LabelMap ours = SlidingSegmenter(dense_model(model), vocabulary)(photo).labels;
  const at::Tensor reference = ReferenceSegmenter(model, vocabulary)(photo).flatten();
  ASSERT_EQ(static_cast<int64_t>(ours.size()), reference.numel());
  for (size_t i = 0; i < ours.size(); ++i) {
    ASSERT_EQ(ours.labels[i], reference[static_cast<int64_t>(i)].item<int64_t>()) << "pixel " << i;
  }
}

// Dropout and all: the same losses over several updates take the same gradients and the same AdamW.
TEST(ReferenceStep, TrainsAlike) {
  const Workload workload = tiny_workload();
  SegmentationModel model = random_model(workload.model);
  const StepInput batch = random_batch(workload, 2);
  TrainConfig config;
  config.schedule.warmup = 0;
  config.optimizer.lr = 5e-3;
  const World alone;
  ReferenceStep reference(model, config);
  TrainStep step(model, config, alone);

  const double first = reference(batch, 0);
  EXPECT_NEAR(step.compute(batch, 0).total, first, 1e-5 * first);
  const auto gradients = reference.gradients();
  EXPECT_EQ(gradients.size(), model.parameters.trained().size());
  for (const Parameter& parameter : model.parameters.trained()) {
    const at::Tensor& expected = gradients.at(parameter.name);
    EXPECT_LT(distance(parameter.tensor.grad(), expected),
              1e-5 + 1e-4 * expected.abs().max().item<double>())
        << parameter.name;
  }
  double loss = first;
  for (int64_t iteration = 1; iteration < 6; ++iteration) {
    loss = reference(batch, iteration);
    step.update(iteration - 1);
    EXPECT_NEAR(step.compute(batch, iteration).total, loss, 1e-4 * loss)
        << "iteration " << iteration;
  }
  EXPECT_GT(std::abs(loss - first), 1e-2 * first);  // else the updates went unnoticed
}

TEST(ReferenceStep, LeavesTheParametersOfTheModelAlone) {
  const Workload workload = tiny_workload();
  const SegmentationModel model = random_model(workload.model),
                          untouched = random_model(workload.model);
  ReferenceStep reference(model, TrainConfig());
  reference(random_batch(workload, 2), 0);
  for (const auto& [name, value] : parameters_by_name(model)) {
    EXPECT_TRUE(value.equal(*untouched.parameters.find(name))) << name;
  }
}

}  // namespace
}  // namespace tagclip::bench

#include "train/train_step.h"

#include <gtest/gtest.h>

#include <vector>

#include "gpu/test_gpu.h"
#include "model/test_model.h"
#include "train/step_text.h"

namespace tagclip {
namespace {

constexpr int64_t kSteps = 6;

TrainConfig config_of(ComputePrecision precision) {
  TrainConfig config;
  config.precision = precision;
  config.schedule.warmup = 0;
  config.optimizer.lr = 1e-3;
  return config;
}

// Other photos and labels in every iteration.
StepInput batch(int64_t iteration, at::Device device) {
  const at::Tensor labels =
      at::randint(-2, 5, {2, 16, 16}, seeded(100 + iteration), at::kLong).to(device);
  return {.pixels = at::randn({2, 3, 16, 16}, seeded(200 + iteration)).to(device),
          .text = small_text(5).to(device),
          .targets = {.labels = labels, .seen_mask = labels.ge(0).to(at::kChar)},
          .pseudo = {}};
}

struct Course {
  std::vector<TrainReport> reports;
  std::vector<at::Tensor> parameters;  // trained ones, at the end, on the CPU
};

Course train(at::Device device, Launch launch, ComputePrecision precision) {
  SegmentationModel model = small_model();
  model.parameters.to(device);
  const TrainConfig config = config_of(precision);
  const World alone;
  TrainStep step(model, config, alone, launch);
  Course course;
  for (int64_t i = 0; i < kSteps; ++i) {
    course.reports.push_back(step.compute(batch(i, device), i));
    step.update(i);
  }
  for (const Parameter& parameter : model.parameters.trained()) {
    course.parameters.push_back(parameter.tensor.detach().cpu());
  }
  return course;
}

void expect_close(const Course& found, const Course& expected, double limit) {
  for (int64_t i = 0; i < kSteps; ++i) {
    EXPECT_NEAR(found.reports[i].total, expected.reports[i].total,
                limit * expected.reports[i].total);
    EXPECT_NEAR(found.reports[i].gradient_norm, expected.reports[i].gradient_norm,
                limit * expected.reports[i].gradient_norm);
  }
  for (size_t i = 0; i < expected.parameters.size(); ++i) {
    const at::Tensor& value = expected.parameters[i];
    EXPECT_LE((found.parameters[i] - value).norm().item<double>(),
              limit * value.norm().item<double>());
  }
}

TEST(TrainStep, ReportsWhatItDid) {
  const Course course = train(at::kCPU, Launch::kCudaGraph, ComputePrecision::kFloat32);
  for (const TrainReport& report : course.reports) {
    EXPECT_TRUE(report.finite());
    EXPECT_NEAR(report.total, report.mask + report.dice + report.trusty.value(), 1e-5);
    EXPECT_GT(report.gradient_norm, 0);
    EXPECT_FALSE(report.presence) << "the model has no presence head";
  }
  EXPECT_LT(course.reports.back().lr, course.reports.front().lr);
}

// Of five classes the second data set has classes 3 and 1.
TEST(TrainStep, AClassOfAnotherSetGetsNoGradient) {
  SegmentationModel model = small_model();
  const TrainConfig config = config_of(ComputePrecision::kFloat32);
  const World alone;
  TrainStep step(model, config, alone);
  const JoinedClasses classes = {.words = std::vector<ClassWords>(5, {{"word"}}),
                                 .seen = std::vector<bool>(5, true),
                                 .of_set = {{0, 1, 2}, {3, 1}}};
  const at::Tensor rows = small_text(5).clone().set_requires_grad(true);
  const StepText text(config, classes, rows, {});
  const at::Tensor labels = at::randint(0, 2, {2, 16, 16}, seeded(1), at::kInt);
  step.compute(step_input(at::randn({2, 3, 16, 16}, seeded(2)), labels, text(1, 0),
                          step_labels(config, classes.seen_in(1), 0)),
               0);
  for (const int64_t c : {0, 2, 4}) EXPECT_EQ(rows.grad()[c].abs().sum().item<double>(), 0) << c;
  for (const int64_t c : {1, 3}) EXPECT_GT(rows.grad()[c].abs().sum().item<double>(), 0) << c;
}

TEST(TrainStep, ChangesNothingBeforeItsUpdate) {
  SegmentationModel model = small_model();
  const TrainConfig config = config_of(ComputePrecision::kFloat32);
  const World alone;
  TrainStep step(model, config, alone);
  const at::Tensor& token = *model.parameters.find("decode_head.disc_token");
  const at::Tensor before = token.detach().clone();
  step.compute(batch(0, at::kCPU), 0);
  EXPECT_TRUE(token.equal(before));
  step.update(0);
  EXPECT_FALSE(token.equal(before));
}

class GpuTrainStep : public GpuTest {};

// The dropout is the same, so only the order of sums differs.
TEST_F(GpuTrainStep, ACudaGraphAgreesWithEagerSteps) {
  for (const auto precision : {ComputePrecision::kFloat32, ComputePrecision::kBFloat16}) {
    expect_close(train(at::kCUDA, Launch::kCudaGraph, precision),
                 train(at::kCUDA, Launch::kEager, precision), 1e-3);
  }
}

}  // namespace
}  // namespace tagclip

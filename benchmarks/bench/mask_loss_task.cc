#include <cmath>

#include "bench/machine.h"
#include "bench/tasks.h"

namespace tagclip::bench {
namespace {

constexpr double kLossLimit = 1e-5;  // relative, as are gradients
constexpr double kGradientLimit = 1e-4;

// A batch and one way to compute its losses.
class LossRun {
 public:
  using Way = decltype(segmentation_losses);

  LossRun(const Workload& workload, int64_t photos, Way* way)
      : way_(way), targets_(random_batch(workload, photos).targets) {
    const int64_t classes = workload.classes - workload.unseen;
    logits_ = random_logits(workload, photos, classes);
    logits_.classes.requires_grad_();
    logits_.trusty.requires_grad_();
    masks_ = count_masks(targets_.labels, classes);
  }

  // The total loss, gradients ready.
  double operator()() {
    for (const at::Tensor* logits : {&logits_.classes, &logits_.trusty}) {
      logits->mutable_grad().reset();
    }
    const at::Tensor total = way_(logits_, targets_, masks_, Protocol::kReleased, {}).total();
    total.backward();
    return total.item<double>();
  }

  at::Tensor gradients() const {
    return at::cat({logits_.classes.grad(), logits_.trusty.grad()}, 1);
  }

 private:
  Way* way_;
  Targets targets_;
  MaskLogits logits_;
  at::Tensor masks_;
};

}  // namespace

Measurement measure_mask_loss(const Workload& workload, int64_t photos, int64_t pairs,
                              const PairProgress& progress) {
  LossRun ours(workload, photos, segmentation_losses);
  LossRun plain(workload, photos, reference_segmentation_losses);
  Measurement result{.workload = workload.name, .task = "mask-loss", .photos = photos};
  double loss = 0, plain_loss = 0;
  result.our_peak = memory_growth([&] { loss = ours(); });
  result.plain_peak = memory_growth([&] { plain_loss = plain(); });
  const at::Tensor expected = plain.gradients();
  const double difference = ((ours.gradients() - expected).norm() / expected.norm()).item<double>();
  result.differences = {{"loss", std::abs(loss - plain_loss) / plain_loss, kLossLimit},
                        {"gradients", difference, kGradientLimit}};
  result.runs = run_by_turns([&] { ours(); }, [&] { plain(); }, pairs, progress);
  return result;
}

}  // namespace tagclip::bench

#include <c10/core/InferenceMode.h>

#include "bench/machine.h"
#include "bench/tasks.h"
#include "infer/sliding_segmenter.h"
#include "kernels/blend/reference.h"

namespace tagclip::bench {
namespace {

constexpr double kLabelLimit = 1e-4;  // share of the pixels: where the best two are equal to 1e-5
constexpr double kScoreLimit = 1e-5;

}  // namespace

Measurement measure_blend(const Workload& workload, int64_t pairs, const PairProgress& progress) {
  const c10::InferenceMode no_gradients;
  const EmbeddedVocabulary vocabulary = random_vocabulary(workload);
  const ScoreRule rule = score_rule(vocabulary.seen, vocabulary.inductive, {}, {});
  const MaskLogits maps = random_logits(workload, /*photos=*/1, workload.classes);
  const WindowLogits logits{maps.classes, maps.trusty, {}};
  const auto side = static_cast<int>(workload.model.clip.resolution);
  const Extent photo{side, side};
  const WindowLayout layout = layout_of(sliding_windows({side, side}, side, side), {side, side});
  const auto ours = [&] { return blend(logits, layout, rule, photo); };
  const auto plain = [&] { return best_class(reference_scores(logits, layout, rule, photo)); };

  Measurement result{.workload = workload.name, .task = "blend", .photos = 1};
  BestClass found, expected;
  result.our_peak = memory_growth([&] { found = ours(); });
  result.plain_peak = memory_growth([&] { expected = plain(); });
  double labels = 0, scores = 0;
  for (size_t i = 0; i < expected.labels.size(); ++i) {
    labels += found.labels[i] != expected.labels[i];
    scores = std::max(scores, std::abs(double{found.scores[i]} - expected.scores[i]));
  }
  labels /= static_cast<double>(expected.labels.size());
  result.differences = {{"labels", labels, kLabelLimit}, {"scores", scores, kScoreLimit}};
  result.runs = run_by_turns([&] { ours(); }, [&] { plain(); }, pairs, progress);
  return result;
}

}  // namespace tagclip::bench

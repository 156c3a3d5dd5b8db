#include "verify/golden_scores.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "infer/sliding_segmenter.h"
#include "kernels/blend/blend.h"
#include "kernels/blend/reference.h"

namespace tagclip {
namespace {

// The whole image is one window.
at::Tensor scores_of(const MaskLogits& logits, Extent image, const ScoreRule& rule) {
  std::vector<at::Tensor> maps;
  for (int64_t b = 0; b < logits.classes.size(0); ++b) {
    const auto own = [b](const at::Tensor& x) { return x.defined() ? x.narrow(0, b, 1) : x; };
    maps.push_back(reference_scores({own(logits.classes), own(logits.trusty), own(logits.presence)},
                                    {.resized = image, .window = image, .corners = {{0, 0}}}, rule,
                                    image));
  }
  return at::stack(maps);  // [B, C, H, W]
}

struct WeightingCase {
  const char* name;
  Weighting weighting;
};
constexpr WeightingCase kModes[] = {{"plain", Weighting::kNone},
                           {"seen", Weighting::kSeen},
                           {"unseen", Weighting::kUnseen},
                           {"both", Weighting::kBoth},
                           {"logits", Weighting::kNone}};

}  // namespace

NamedTensors trace_scores(const SegmentationModel& model, const GoldenInputs& inputs,
                          const StateDict& expected, int64_t stride) {
  at::NoGradGuard no_grad;
  const MaskLogits logits = model(inputs.image, inputs.text);
  const Extent image{inputs.image.size(2), inputs.image.size(3)};
  std::vector<bool> seen(inputs.text.size(0));
  for (const int64_t c : inputs.seen) seen[c] = true;

  NamedTensors values;
  for (const bool inductive : {true, false}) {
    for (const WeightingCase& mode : kModes) {
      const std::string name =
          std::string("infer.") + (inductive ? "inductive." : "transductive.") + mode.name;
      if (!expected.contains(name)) continue;
      const at::Tensor scores =
          scores_of(logits, image, score_rule(seen, inductive, {.weighting = mode.weighting}, model.scoring()));
      const int64_t step = mode.name == std::string_view("logits") ? stride : 1;
      values[name] = scores.slice(2, 0, {}, step).slice(3, 0, {}, step);
    }
  }
  return values;
}

}  // namespace tagclip

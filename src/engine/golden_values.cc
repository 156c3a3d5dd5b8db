#include "engine/golden_values.h"

#include <algorithm>

#include "base/error.h"
#include "clip/clip_sizes.h"
#include "engine/golden_history.h"
#include "engine/golden_scores.h"
#include "model/checkpoint.h"
#include "model/golden_trace.h"

namespace tagclip {
namespace {

const std::string kGradient = "grad.";

// The decoder of ZegCLIP's own code shares its weights' names with a model that attends: only the
// expected values can tell that they come from it.
bool expects_released_zegclip(const SafetensorsFile& expected) {
  return expected.metadata().contains("logit_stride") ||
         std::ranges::any_of(expected.tensors(), [](const TensorView& tensor) {
           return tensor.name.find(".decoder_1.") != std::string::npos;
         });
}

NamedTensors segmentation_values(const std::filesystem::path& weights,
                                 const SafetensorsFile& expected, const StateDict& in,
                                 std::string architecture) {
  if (architecture.empty() && expects_released_zegclip(expected)) architecture = "zegclip-released";
  SegmentationModel model = load_model(weights, architecture, expected.metadata()).model;
  const StateDict wanted = StateDict::from(expected);
  const GoldenInputs inputs = read_golden_inputs(in, model.config);
  NamedTensors values = trace_forward(model, inputs);
  values.merge(
      trace_scores(model, inputs, wanted, positive_number(expected.metadata(), "logit_stride", 1)));
  if (wanted.contains_prefix("train.") || wanted.contains_prefix(kGradient)) {
    values.merge(trace_training(model, inputs));
    values.merge(trace_histories(model, inputs, wanted));
  }
  return values;
}

NamedTensors clip_values(const StateDict& weights, const Metadata& metadata,
                         const StateDict& inputs) {
  Clip clip(infer_clip_config(weights, metadata));
  load(clip.parameters, weights);
  NamedTensors values = trace_clip(clip, inputs);
  values.merge(trace_image_encoder(weights, clip.config, inputs));
  return values;
}

// The weights' own metadata counts first.
Metadata joined(const SafetensorsFile& weights, const SafetensorsFile& expected) {
  Metadata metadata = weights.metadata();
  metadata.insert(expected.metadata().begin(), expected.metadata().end());
  return metadata;
}

}  // namespace

std::string golden_name(const std::string& expected_name) {
  if (!expected_name.starts_with(kGradient)) return expected_name;
  return kGradient + canonical_name(expected_name.substr(kGradient.size()));
}

NamedTensors golden_values(const std::filesystem::path& weights, const SafetensorsFile& expected,
                           const SafetensorsFile& inputs, const std::string& architecture) {
  const SafetensorsFile file = SafetensorsFile::open(weights);
  const StateDict state = StateDict::from(file), in = StateDict::from(inputs);
  if (!in.contains_prefix("in.")) {
    throw bad_input(in.source + ": holds no inputs (in.*)",
                    "--inputs names the file that holds them");
  }
  const Metadata metadata = joined(file, expected);
  if (state.contains("visual.conv1.weight")) return clip_values(state, metadata, in);
  if (state.contains_prefix("w.")) return trace_text_tower(state, metadata, in);
  return segmentation_values(weights, expected, in, architecture);
}

}  // namespace tagclip

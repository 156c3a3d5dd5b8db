#include "verify/golden_values.h"

#include <algorithm>

#include "base/error.h"
#include "clip/clip_file.h"
#include "model/checkpoint.h"
#include "verify/golden_training.h"

namespace tagclip {
namespace {

const std::string kGradient = "grad.";

// Looks up the architecture that the expected values state in their metadata. ZegCLIP's own code is
// known by the names of its decoder, too: under TagCLIP's names its weights would fit a model that
// attends. Returns the architecture, or "" where the weights tell it.
std::string expected_architecture(const SafetensorsFile& expected) {
  const auto stated = expected.metadata().find("architecture");
  if (stated != expected.metadata().end()) return stated->second;
  const bool is_zegclip = std::ranges::any_of(expected.tensors(), [](const TensorView& tensor) {
    return tensor.name.find(".decoder_1.") != std::string::npos;
  });
  return is_zegclip ? "zegclip-released" : "";
}

NamedTensors segmentation_values(const StoredWeights& weights, const SafetensorsFile& expected,
                                 const StateDict& in, std::string architecture) {
  if (architecture.empty()) architecture = expected_architecture(expected);
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

NamedTensors clip_values(const StoredWeights& stored, const Metadata& head_counts,
                         const StateDict& inputs) {
  const ClipWeights weights = read_clip_weights(stored, head_counts);
  const Clip clip = make_clip(weights);
  NamedTensors values = trace_clip(clip, inputs);
  values.merge(trace_image_encoder(weights.state, clip.config, inputs));
  return values;
}

// The weights' own metadata takes precedence.
Metadata joined(Metadata metadata, const Metadata& expected) {
  metadata.insert(expected.begin(), expected.end());
  return metadata;
}

}  // namespace

std::string golden_name(const std::string& expected_name) {
  if (!expected_name.starts_with(kGradient)) return expected_name;
  return kGradient + canonical_name(expected_name.substr(kGradient.size()));
}

NamedTensors golden_values(const std::filesystem::path& weights, const SafetensorsFile& expected,
                           const SafetensorsFile& inputs, const std::string& architecture) {
  const StoredWeights stored = read_stored_weights(weights);
  const StateDict in = StateDict::from(inputs);
  if (!in.contains_prefix("in.")) {
    throw bad_input(in.source + ": holds no inputs (in.*)",
                    "`inputs` names the file that holds them");
  }
  if (is_segmentation_model(stored)) {
    return segmentation_values(stored, expected, in, architecture);
  }
  if (stored.contains_prefix("w.")) {
    return trace_text_tower(StateDict::from(stored), joined(stored.metadata, expected.metadata()),
                            in);
  }
  return clip_values(stored, expected.metadata(), in);
}

}  // namespace tagclip

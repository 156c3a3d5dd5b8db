#include "verify/golden_model.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "infer/sliding_segmenter.h"
#include "kernels/blend/reference.h"

namespace tagclip {
namespace {

void require(bool holds, const StateDict& file, const std::string& name,
             const std::string& expected) {
  if (holds) return;
  throw bad_input(fmt::format("{}: {}: expected {}, found {} {}", file.source, name, expected,
                              c10::toString(file.at(name).scalar_type()),
                              shape_text(file.at(name).sizes())));
}

at::Tensor read_text(const StateDict& file, const ClipConfig& clip) {
  const at::Tensor text = file.at("in.text", 2).to(at::kFloat);
  require(text.size(0) > 0 && text.size(1) == clip.embedding, file, "in.text",
          fmt::format("[classes, {}]", clip.embedding));
  return text;
}

std::vector<int64_t> read_seen(const StateDict& file, int64_t classes) {
  const at::Tensor index = file.at("in.seen_idx", 1).to(at::kLong);
  const std::vector<int64_t> seen(index.const_data_ptr<int64_t>(),
                                  index.const_data_ptr<int64_t>() + index.numel());
  const bool fits = !seen.empty() && index.ge(0).logical_and(index.lt(classes)).all().item<bool>();
  require(fits, file, "in.seen_idx", fmt::format("indices of the {} rows of in.text", classes));
  return seen;
}

// Undefined where there is none. Values are below `classes`, or ignored.
at::Tensor read_label(const StateDict& file, const std::string& name, int64_t batch,
                      int64_t classes) {
  if (!file.contains(name)) return {};
  at::Tensor label = file.at(name).to(at::kLong);
  if (label.dim() == 4 && label.size(1) == 1) label = label.squeeze(1);
  require(label.dim() == 3 && label.size(0) == batch && label.numel() > 0, file, name,
          fmt::format("[{}, 1, h, w]", batch));
  const at::Tensor is_class = label.ge(0).logical_and(label.lt(classes));
  require(is_class.logical_or(label.eq(kGoldenIgnoreIndex)).all().item<bool>(), file, name,
          fmt::format("labels from 0 to {} or {}", classes - 1, kGoldenIgnoreIndex));
  return label;
}

constexpr std::string_view kVision = "visual.", kImage = "in.image_";

// An encoding's patches as golden files hold them, [B, d, H', W'].
at::Tensor patch_map(const Encoding& encoding) {
  return encoding.patches.transpose(1, 2).unflatten(2, {encoding.height, encoding.width});
}

void trace_image(const PromptedEncoder& encoder, const at::Tensor& pixels,
                 const std::string& prefix, NamedTensors& values) {
  at::Tensor x = encoder.embed(pixels);
  const std::vector<ResidualBlock>& blocks = encoder.transformer().resblocks;
  for (size_t i = 0; i < blocks.size(); ++i) {
    x = blocks[i](x, /*causal=*/false);
    values[prefix + "hidden." + std::to_string(i)] = x;
  }
  const Encoding encoding = encoder(pixels);
  values[prefix + "patch_embedding"] = patch_map(encoding);
  values[prefix + "global_embedding"] = encoding.image;
}

void trace_decoder(const DecodeHead& head, const GoldenInputs& inputs, const Encoding& encoding,
                   NamedTensors& values) {
  at::Tensor queries = head.queries(inputs.seen_text(), encoding.image);
  values["decoder.descriptor"] = queries;
  const std::vector<DecoderLayer>& layers = head.decoder().layers;
  for (size_t i = 0; i < layers.size(); ++i) {
    const std::string name = "decoder.layer" + std::to_string(i);
    const at::Tensor related = layers[i].relate(queries, {});
    values[name + ".attn_logits"] = layers[i].multihead_attn.mask_logits(related, encoding.patches);
    queries = layers[i].update(related, encoding.patches, {});
    values[name + ".query"] = queries;
  }
}

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

at::Tensor GoldenInputs::seen_text() const {
  return text.index_select(0, at::tensor(seen, at::kLong));
}

GoldenInputs read_golden_inputs(const StateDict& expected, const ModelConfig& config) {
  GoldenInputs inputs;
  inputs.image = read_golden_image(expected, "in.image", config.clip.patch);
  inputs.text = read_text(expected, config.clip);
  const int64_t batch = inputs.image.size(0), classes = inputs.text.size(0);
  inputs.seen = read_seen(expected, classes);
  const auto seen = static_cast<int64_t>(inputs.seen.size());
  inputs.label = read_label(expected, "in.label", batch, classes);
  inputs.label_seen = read_label(expected, "in.label_seen", batch, seen);
  if (inputs.label.defined() && inputs.label_seen.defined()) {
    require(inputs.label.sizes() == inputs.label_seen.sizes(), expected, "in.label_seen",
            "the shape of in.label");
  }
  return inputs;
}

NamedTensors trace_image_encoder(const StateDict& clip, const ClipConfig& config,
                                 const StateDict& expected) {
  at::NoGradGuard no_grad;
  ParameterList parameters;
  const PromptedEncoder encoder(ParameterScope(parameters, "backbone"),
                                {.clip = config, .prompts = 0});
  load(parameters, clip.renamed(std::string(kVision), "backbone."));
  const at::Tensor& positions = *parameters.find("backbone.positional_embedding");

  NamedTensors values;
  for (const auto& [name, tensor] : expected.tensors) {
    if (!name.starts_with(kImage)) continue;
    const std::string image = name.substr(kImage.size());
    const at::Tensor pixels = read_golden_image(expected, name, config.patch);
    trace_image(encoder, pixels, "tagclip_" + image + ".", values);
    values["tagclip.positional_embedding_resized_to_" + image] =
        resize_positions(positions, pixels.size(2) / config.patch, pixels.size(3) / config.patch);
  }
  return values;
}

NamedTensors trace_forward(const SegmentationModel& model, const GoldenInputs& inputs) {
  at::NoGradGuard no_grad;
  NamedTensors values;
  const Encoding encoding = model.encoder(inputs.image);
  values["vision.patch_embedding"] = patch_map(encoding);
  values["vision.global_embedding"] = encoding.image;
  trace_decoder(model.head, inputs, encoding, values);
  const MaskLogits all = model.head(encoding, inputs.text);
  values["infer.attn_logits_all"] =
      (all.trusty.defined() ? at::cat({all.classes, all.trusty}, 1) : all.classes).flatten(2);
  return values;
}

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
      const at::Tensor scores = scores_of(logits, image,
                                          score_rule(seen, inductive, {.weighting = mode.weighting},
                                                     score_semantics(model.config)));
      const int64_t step = mode.name == std::string_view("logits") ? stride : 1;
      values[name] = scores.slice(2, 0, {}, step).slice(3, 0, {}, step);
    }
  }
  return values;
}

}  // namespace tagclip

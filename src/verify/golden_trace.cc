#include "verify/golden_trace.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "base/error.h"

namespace tagclip {
namespace {

constexpr int64_t kIgnored = 255;

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

Targets targets_of(const GoldenInputs& inputs) {
  const at::Tensor seen = at::isin(inputs.label, at::tensor(inputs.seen, at::kLong));
  const at::Tensor seen_mask = seen.to(at::kChar).masked_fill(inputs.label.eq(kIgnored), -1);
  return {inputs.label_seen, seen_mask};
}

// ZegCLIP's release weighs the focal term by 100.
LossConfig released_losses(const ModelConfig& config) {
  LossConfig losses;
  if (config.architecture == Architecture::kZegClip) losses.mask_weight = 100;
  return losses;
}

// 100 where nothing is labelled, as in the released code.
at::Tensor pixel_accuracy(const at::Tensor& logits, const at::Tensor& labels) {
  const at::Tensor maps = at::upsample_bilinear2d(logits, {labels.size(1), labels.size(2)}, false);
  const at::Tensor labelled = labels.ne(kIgnored);
  const at::Tensor right = maps.argmax(1).eq(labels).logical_and(labelled);
  constexpr double kEpsilon = 1.1920929e-07;
  return 100 * (right.sum().to(at::kFloat) + kEpsilon) / (labelled.sum().to(at::kFloat) + kEpsilon);
}

}  // namespace

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

GoldenStep golden_step(const SegmentationModel& model, const GoldenInputs& inputs) {
  if (!inputs.label.defined() || !inputs.label_seen.defined()) {
    throw bad_input("train.* and grad.* need the labels in.label and in.label_seen");
  }
  const MaskLogits logits = model(inputs.image, inputs.seen_text());
  const at::Tensor masks = count_masks(inputs.label_seen, logits.classes.size(1));
  return {logits, segmentation_losses(logits, targets_of(inputs), masks, model.config.protocol,
                                      released_losses(model.config))};
}

NamedTensors trace_training(SegmentationModel& model, const GoldenInputs& inputs) {
  model.set_trained();
  const auto [logits, losses] = golden_step(model, inputs);
  const at::Tensor total = losses.total();
  total.backward();

  NamedTensors values;
  const auto add = [&](const std::string& name, const at::Tensor& value) {
    if (value.defined()) values[name] = value.detach().view({1});
  };
  add("train.loss", total);
  add("train.loss_mask", losses.mask);
  add("train.loss_dice", losses.dice);
  add("train.loss_disc", losses.trusty);
  add("train.acc_seg", pixel_accuracy(logits.classes.detach(), inputs.label_seen));
  for (const Parameter& parameter : model.parameters.trained()) {
    values["grad." + parameter.name] = parameter.tensor.grad();
    parameter.tensor.mutable_grad().reset();
  }
  return values;
}

}  // namespace tagclip

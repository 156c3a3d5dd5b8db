#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>

#include "image/image.h"
#include "infer/vocabulary.h"
#include "model/segmentation_model.h"
#include "train/train_step.h"

// The reference that our speed is compared with: the straightforward way, in plain LibTorch calls.
// It is not to be made faster.

namespace tagclip::bench {

// TagCLIP as the released Python computes it: prompts are tokens of every block and are projected
// in every call, attention matrices stand in memory, every decoder layer runs to its end.
class ReferenceModel {
 public:
  // Returns whether it can compute such a model: prompts in every layer, a trusty token, the
  // relationship descriptor, the released protocol.
  static bool computes(const ModelConfig& config);

  // `parameters` have their published names.
  ReferenceModel(const ModelConfig& config, std::map<std::string, at::Tensor> parameters);

  // Computes logits from pixels [B, 3, H, W], normalised, and text [C, d], unit rows. Draws the
  // same dropout as SegmentationModel.
  MaskLogits operator()(const at::Tensor& pixels, const at::Tensor& text,
                        const Dropout& prompt_dropout = {},
                        const Dropout& decoder_dropout = {}) const;

  const std::map<std::string, at::Tensor>& parameters() const { return parameters_; }

 private:
  Encoding encode(const at::Tensor& pixels, const Dropout& dropout) const;
  at::Tensor embed(const at::Tensor& pixels) const;                                // [B, 1 + N, D]
  at::Tensor prompts(int64_t layer, int64_t batch, const Dropout& dropout) const;  // [B, P, D]
  at::Tensor block(int64_t layer, at::Tensor x) const;
  at::Tensor queries(const at::Tensor& text, const at::Tensor& image) const;  // [B, C + 1, d]

  struct DecoderOutput {
    at::Tensor queries;  // [B, C + 1, d]
    at::Tensor masks;    // [B, C + 1, N]
  };
  DecoderOutput decoder_layer(int64_t layer, at::Tensor x, const at::Tensor& patches,
                              const Dropout& dropout) const;
  DecoderOutput mask_attention(const std::string& name, const at::Tensor& x,
                               const at::Tensor& patches, const Dropout& dropout) const;

  const at::Tensor& parameter(const std::string& name) const { return parameters_.at(name); }
  at::Tensor linear(const std::string& name, const at::Tensor& x) const;
  at::Tensor layer_norm(const std::string& name, const at::Tensor& x, double epsilon = 1e-5) const;
  at::Tensor self_attention(const std::string& name, const at::Tensor& x, int64_t heads,
                            const Dropout& dropout = {}) const;

  ModelConfig config_;
  std::map<std::string, at::Tensor> parameters_;
};

// Returns the parameters of a model by name, sharing its memory.
std::map<std::string, at::Tensor> parameters_by_name(const SegmentationModel& model);

// Segments a photo of one window (spec section 7).
class ReferenceSegmenter {
 public:
  ReferenceSegmenter(const SegmentationModel& model, const EmbeddedVocabulary& vocabulary);

  // Labels a photo of the size the model was built for: [H, W] int64.
  at::Tensor operator()(const Image& photo) const;
  // These lie on the way: normalised pixels [1, 3, H, W], logits at patch resolution.
  at::Tensor pixels(const Image& photo) const;
  MaskLogits logits(const Image& photo) const;

 private:
  ReferenceModel model_;
  at::Tensor text_;       // [C, d]
  at::Tensor seen_;       // [C, 1, 1] bool
  at::Tensor seen_bias_;  // [C, 1, 1]
};

// Does what TrainStep does, AdamW parameter by parameter.
class ReferenceStep {
 public:
  // Shares the frozen parameters of `model`; the trained ones start as copies of its.
  ReferenceStep(const SegmentationModel& model, const TrainConfig& config);

  // Returns the total loss. Draws the same dropout as TrainStep does in that iteration.
  double operator()(const StepInput& batch, int64_t iteration);

  // Returns the gradients of the last step, by parameter.
  std::map<std::string, at::Tensor> gradients() const;

 private:
  struct Slot {
    at::Tensor value, first_moment, second_moment;
  };

  MaskLogits logits(const StepInput& batch, const at::Generator& generator) const;
  at::Tensor loss(const StepInput& batch, int64_t iteration) const;
  void update(double lr);

  TrainConfig config_;
  ReferenceModel model_;
  std::map<std::string, Slot> slots_;  // of the trained parameters
  double steps_ = 0;
};

}  // namespace tagclip::bench

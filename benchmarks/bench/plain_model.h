#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>

#include "model/segmentation_model.h"

namespace tagclip::bench {

// TagCLIP in plain LibTorch calls, as the released Python has it: prompts are tokens of every
// block, are projected in every call, attention matrices stand in memory, every decoder layer runs
// to its end. What our speed is measured against.
class PlainModel {
 public:
  // Whether this is a model it can compute: prompts in every layer, a trusty token, the
  // relationship descriptor, the released protocol.
  static bool computes(const ModelConfig& config);

  // `parameters` by their published names.
  PlainModel(const ModelConfig& config, std::map<std::string, at::Tensor> parameters);

  // pixels [B, 3, H, W], normalised; text [C, d], unit rows. Draws the same dropout as
  // SegmentationModel.
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

// The parameters of a model by name, sharing its memory.
std::map<std::string, at::Tensor> parameters_by_name(const SegmentationModel& model);

}  // namespace tagclip::bench

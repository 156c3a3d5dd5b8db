#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "clip/clip.h"
#include "train/pretrain_batches.h"

namespace tagclip {

// The losses of a step; nothing where the batch had nothing for one.
struct PretrainLosses {
  double total = 0;  // weighted
  std::optional<double> contrastive, names, labels;
};

// One step of pretraining: losses and gradients of a CLIP. Photos and captions share the CLIP's
// temperature; names and labels, whose similarities need other contrasts, have one of their own
// each, which is learnt beside the towers and not part of the CLIP.
class PretrainStep {
 public:
  // Both must outlive it. All parameters of the CLIP become trained ones.
  PretrainStep(const PretrainConfig& config, Clip& clip);

  // The CLIP's parameters, then the temperatures.
  std::vector<Parameter> parameters() const;

  // Adds the gradients of step `step` to those of the parameters. `batch` is on their device. With
  // config.gradient_chunk embeddings are computed without activations first, then again in chunks
  // with the gradients that the losses have for them (GradCache, Gao et al., 2021): the same
  // gradients out of less memory. They are undefined when the total is not finite.
  PretrainLosses compute_gradients(const PretrainBatch& batch, int64_t step) const;

  // Keeps the temperatures within CLIP's limits, after an update.
  void limit_temperatures();

 private:
  // What the losses compare. Undefined where the batch has none.
  struct Embeddings {
    at::Tensor images;    // [B, d]
    at::Tensor patches;   // [L, n, d] of the labelled photos, those that are kept
    at::Tensor captions;  // [K, d]
    at::Tensor words;     // [W, d]
  };
  // Embeddings of a part of the batch's photos or texts, `begin` to `end`.
  using Encode = std::function<std::vector<at::Tensor>(int64_t begin, int64_t end)>;
  // One kind of input: the photos, the captions or the words.
  struct Input {
    int64_t size;
    Encode encode;
    std::vector<at::Tensor Embeddings::*> outputs;
  };

  std::vector<Input> inputs(const PretrainBatch& batch, const at::Tensor& kept) const;
  std::vector<at::Tensor> encode_photos(const PretrainBatch& batch, const at::Tensor& kept,
                                        int64_t begin, int64_t end) const;
  at::Tensor encode_texts(const at::Tensor& tokens) const;
  Embeddings encode_all(const std::vector<Input>& inputs) const;
  void backward_in_chunks(const std::vector<Input>& inputs, const Embeddings& all) const;

  struct Terms {
    at::Tensor contrastive, names, labels;  // []; undefined where there is none
  };
  Terms terms(const Embeddings& all, const PretrainBatch& batch, const at::Tensor& kept) const;
  at::Tensor label_term(const Embeddings& all, const PretrainBatch& batch,
                        const at::Tensor& kept) const;

  const PretrainConfig& config_;
  Clip& clip_;
  ParameterList temperatures_;
  at::Tensor names_scale_, labels_scale_;  // [], logs of inverse temperatures; undefined: unused
};

}  // namespace tagclip

#pragma once

#include <memory>

#include "gpu/cuda_graph.h"
#include "model/dense_model.h"

namespace tagclip {

// An encoder or decoder on a GPU whose work is captured in CUDA graphs, for batches of 1, 2, 4, ...
// rows; other batches are padded. The weights must be final. On a CPU nothing is captured.

class GraphedEncoder : public PatchEncoder {
 public:
  explicit GraphedEncoder(std::shared_ptr<const PatchEncoder> encoder);

  Encoding operator()(const at::Tensor& pixels, const EncodeOptions& options) const override;

 private:
  std::shared_ptr<const PatchEncoder> encoder_;
  mutable CudaGraphCache graphs_;
};

class GraphedDecoder : public MaskDecoder {
 public:
  GraphedDecoder(std::shared_ptr<const MaskDecoder> decoder, at::Device device);

  MaskLogits operator()(const Encoding& encoding, const at::Tensor& text,
                        const DecodeOptions& options) const override;

 private:
  std::shared_ptr<const MaskDecoder> decoder_;
  mutable CudaGraphCache graphs_;
};

// Returns the model with both halves graphed.
DenseModel graphed(const DenseModel& model);

}  // namespace tagclip

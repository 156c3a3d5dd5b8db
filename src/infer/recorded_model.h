#pragma once

#include <memory>

#include "gpu/cuda_graph.h"
#include "model/dense_model.h"

namespace tagclip {

// A model on a GPU whose two halves are recorded, and then launched as one each: for batches of 1,
// 2, 4, ... rows, which others are filled up to.
class RecordedModel : public DenseModel {
 public:
  // The weights must be final.
  explicit RecordedModel(std::shared_ptr<const DenseModel> model);

  Encoding encode(const at::Tensor& pixels) const override;
  MaskLogits decode(const Encoding& encoding, const at::Tensor& text,
                    const DecodeOptions& options) const override;

  std::shared_ptr<DenseModel> clone() const override {
    return std::make_shared<RecordedModel>(model_);
  }
  void pack(GemmPrecision precision) override;
  at::Device device() const override { return model_->device(); }
  const ClipConfig& clip_config() const override { return model_->clip_config(); }
  const TextTower* text_tower() const override { return model_->text_tower(); }
  Colours colours() const override { return model_->colours(); }
  ScoreSemantics scoring() const override { return model_->scoring(); }
  WindowSizes window_sizes() const override { return model_->window_sizes(); }
  std::string encoder_fingerprint() const override { return model_->encoder_fingerprint(); }

 private:
  std::shared_ptr<const DenseModel> model_;
  mutable CudaGraphCache encode_, decode_;
};

}  // namespace tagclip

#include "infer/recorded_model.h"

#include <bit>

namespace tagclip {
namespace {

using Tensors = CudaGraphCache::Tensors;

// x [B, ...] with rows of zeros up to a power of two.
at::Tensor filled_up(const at::Tensor& x) {
  const auto rows = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(x.size(0))));
  if (rows == x.size(0)) return x;
  at::DimVector shape(x.sizes());
  shape[0] = rows - x.size(0);
  return at::cat({x, at::zeros(shape, x.options())});
}

at::Tensor first_rows(const at::Tensor& x, int64_t rows) {
  return x.defined() ? x.narrow(0, 0, rows) : x;
}

}  // namespace

RecordedModel::RecordedModel(std::shared_ptr<const DenseModel> model)
    : model_(std::move(model)), encode_(model_->device()), decode_(model_->device()) {}

Encoding RecordedModel::encode(const at::Tensor& pixels) const {
  const auto encode = [this](const Tensors& inputs) {
    const Encoding encoding = model_->encode(inputs[0]);
    return Tensors{encoding.patches, encoding.image};
  };
  const Tensors outputs = encode_({filled_up(pixels)}, {}, encode);
  const int64_t rows = pixels.size(0), patch = clip_config().patch;
  return {first_rows(outputs[0], rows), first_rows(outputs[1], rows), pixels.size(2) / patch,
          pixels.size(3) / patch};
}

MaskLogits RecordedModel::decode(const Encoding& encoding, const at::Tensor& text,
                                 const DecodeOptions& options) const {
  const int64_t height = encoding.height, width = encoding.width;
  const auto decode = [&](const Tensors& inputs) {
    const MaskLogits logits = model_->decode({inputs[0], inputs[1], height, width}, inputs[2], options);
    return Tensors{logits.classes, logits.trusty, logits.presence};
  };
  const Tensors outputs = decode_({filled_up(encoding.patches), filled_up(encoding.image), text},
                                  {height, width, options.trusty_token}, decode);
  const int64_t rows = encoding.image.size(0);
  return {first_rows(outputs[0], rows), first_rows(outputs[1], rows), first_rows(outputs[2], rows)};
}

// On a GPU this throws; on a CPU, where tests have one, nothing is recorded.
void RecordedModel::pack(GemmPrecision precision) {
  const std::shared_ptr<DenseModel> model = model_->clone();
  model->pack(precision);
  model_ = model;
}

}  // namespace tagclip

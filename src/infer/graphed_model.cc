#include "infer/graphed_model.h"

#include <bit>

namespace tagclip {
namespace {

using Tensors = CudaGraphCache::Tensors;

// Pads x [B, ...] with rows of zeros up to a power of two.
at::Tensor pad_to_bucket(const at::Tensor& x) {
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

GraphedEncoder::GraphedEncoder(std::shared_ptr<const PatchEncoder> encoder)
    : PatchEncoder(encoder->info), encoder_(std::move(encoder)), graphs_(info.device) {}

Encoding GraphedEncoder::operator()(const at::Tensor& pixels, const EncodeOptions& options) const {
  if (!options.joined.empty()) return (*encoder_)(pixels, options);  // padding would join in
  const auto encode = [this](const Tensors& inputs) {
    const Encoding encoding = (*encoder_)(inputs[0]);
    return Tensors{encoding.patches, encoding.image};
  };
  const Tensors outputs = graphs_({pad_to_bucket(pixels)}, {}, encode);
  const int64_t rows = pixels.size(0), patch = info.clip.patch;
  return {first_rows(outputs[0], rows), first_rows(outputs[1], rows), pixels.size(2) / patch,
          pixels.size(3) / patch};
}

GraphedDecoder::GraphedDecoder(std::shared_ptr<const MaskDecoder> decoder, at::Device device)
    : decoder_(std::move(decoder)), graphs_(device) {}

MaskLogits GraphedDecoder::operator()(const Encoding& encoding, const at::Tensor& text,
                                      const DecodeOptions& options) const {
  const int64_t height = encoding.height, width = encoding.width;
  const auto decode = [&](const Tensors& inputs) {
    const MaskLogits logits =
        (*decoder_)({inputs[0], inputs[1], height, width}, inputs[2], options);
    return Tensors{logits.classes, logits.trusty, logits.presence};
  };
  const Tensors outputs = graphs_(
      {pad_to_bucket(encoding.patches), pad_to_bucket(encoding.image), text},
      {height, width, options.trusty_token, std::bit_cast<int64_t>(options.logit_scale)}, decode);
  const int64_t rows = encoding.image.size(0);
  return {first_rows(outputs[0], rows), first_rows(outputs[1], rows), first_rows(outputs[2], rows)};
}

DenseModel graphed(const DenseModel& model) {
  return {.encoder = std::make_shared<GraphedEncoder>(model.encoder),
          .decoder = std::make_shared<GraphedDecoder>(model.decoder, model.encoder->info.device),
          .scoring = model.scoring};
}

}  // namespace tagclip

#include "model/dense_model.h"

#include <ATen/core/grad_mode.h>

#include "base/error.h"

namespace tagclip {

Encoding encoding_of(const at::Tensor& tokens, const at::Tensor& pixels, int64_t patch) {
  const at::Tensor embeddings = l2_normalize(tokens);
  return {embeddings.narrow(1, 1, embeddings.size(1) - 1), embeddings.select(1, 0),
          pixels.size(2) / patch, pixels.size(3) / patch};
}

DenseModel packed(DenseModel model, GemmPrecision precision) {
  const at::NoGradGuard no_grad;
  check_runs_here(precision, model.encoder->info.device);
  PatchEncoder::Packer pack = model.encoder->packer();
  if (!pack) {
    if (precision == GemmPrecision::kFloat32) return model;
    throw usage_error(
        "the weights of this encoder cannot be packed for " + std::string(name_of(precision)),
        "use float32");
  }
  // Fingerprints must not hold on to weights that are to be freed.
  if (const auto& fingerprint = model.encoder->info.fingerprint) fingerprint->digits();
  model.encoder.reset();
  model.encoder = pack(precision);
  return model;
}

}  // namespace tagclip

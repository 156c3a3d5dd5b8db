#include "clip/fingerprint.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <array>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "weights/tensor_view.h"

namespace tagclip {
namespace {

class Hash {
 public:
  Hash() : state_(XXH3_createState(), XXH3_freeState) { XXH3_128bits_reset(state_.get()); }

  void add(const void* bytes, size_t count) { XXH3_128bits_update(state_.get(), bytes, count); }
  void add(const at::Tensor& tensor) {
    const at::Tensor flat = tensor.detach().to(at::kCPU).contiguous();
    const std::string shape =
        fmt::format("{}{}", c10::toString(flat.scalar_type()), shape_text(flat.sizes()));
    add(shape.data(), shape.size());
    add(flat.const_data_ptr(), flat.nbytes());
  }
  std::string digits() const {
    const XXH128_hash_t hash = XXH3_128bits_digest(state_.get());
    std::array<char, 33> text;
    std::snprintf(text.data(), text.size(), "%016llx%016llx",
                  static_cast<unsigned long long>(hash.high64),
                  static_cast<unsigned long long>(hash.low64));
    return text.data();
  }

 private:
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state_;
};

}  // namespace

std::string fingerprint(const std::vector<at::Tensor>& tensors) {
  Hash hash;
  for (const at::Tensor& tensor : tensors) hash.add(tensor);
  return hash.digits();
}

const std::string& Fingerprint::digits() const {
  std::call_once(once_, [this] {
    digits_ = fingerprint(tensors_);
    tensors_.clear();
  });
  return digits_;
}

std::string fingerprint(const TextTower& tower, const ClipConfig& config) {
  std::vector<at::Tensor> tensors = {
      tower.token_embedding,
      tower.positional_embedding,
      tower.ln_final.weight,
      tower.ln_final.bias,
      tower.text_projection,
      at::tensor({config.text_heads, static_cast<int64_t>(config.activation)}, at::kLong)};
  for (const ResidualBlock& block : tower.transformer.resblocks) {
    for (const at::Tensor& tensor :
         {block.attn.in_proj_weight, block.attn.in_proj_bias, block.attn.out_proj.weight,
          block.attn.out_proj.bias, block.ln_1.weight, block.ln_1.bias, block.ln_2.weight,
          block.ln_2.bias, block.c_fc.weight, block.c_fc.bias, block.c_proj.weight,
          block.c_proj.bias}) {
      tensors.push_back(tensor);
    }
  }
  return fingerprint(tensors);
}

}  // namespace tagclip

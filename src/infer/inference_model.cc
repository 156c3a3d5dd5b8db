#include "infer/inference_model.h"

#include <ATen/Context.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/StringUtil.h>

#include "base/error.h"

namespace tagclip {
namespace {

bool has_gpu() { return at::hasCUDA() && at::getNumGPUs() > 0; }

}  // namespace

at::Device choose_device(std::string_view word) {
  if (word == "cpu") return at::kCPU;
  if (word == "auto") return has_gpu() ? at::kCUDA : at::kCPU;
  if (word != "cuda") {
    throw usage_error(c10::str("there is no device called '", word, "'"), "one of auto, cpu, cuda");
  }
  if (!has_gpu()) {
    throw usage_error(
        at::hasCUDA() ? "there is no CUDA device on this machine" : "this build has no CUDA",
        "use the device cpu or auto");
  }
  return at::kCUDA;
}

LoadedModel load_for_inference(const std::filesystem::path& weights, at::Device device) {
  LoadedModel loaded = load_model(weights);
  const c10::InferenceMode no_gradients;
  loaded.model.parameters.to(device);
  loaded.model.encoder.freeze();
  return loaded;
}

}  // namespace tagclip

#pragma once

#include <filesystem>
#include <string_view>

#include "model/checkpoint.h"

namespace tagclip {

// "cpu", "cuda", or "auto": a GPU where there is one. Throws Error(kUsage) for another word, and
// when CUDA is asked for but LibTorch has none or the machine no GPU.
at::Device choose_device(std::string_view word);

// A model whose weights are final: on `device`, everything computed that depends on no photo.
// Throws as load_model.
LoadedModel load_for_inference(const std::filesystem::path& weights, at::Device device);

}  // namespace tagclip

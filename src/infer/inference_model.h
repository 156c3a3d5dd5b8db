#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "infer/options.h"
#include "model/checkpoint.h"

namespace tagclip {

// Throws Error(kUsage) when CUDA is asked for but LibTorch has none or the machine no GPU.
at::Device choose_device(Device device);

// The encoder's precision that the word stands for; nothing for Precision::kAuto.
std::optional<GemmPrecision> gemm_precision(Precision precision);

// A model whose weights are final, with what depends on no photo computed already.
struct InferenceModel {
  std::shared_ptr<const DenseModel> dense;
  TrainedOn trained_on;                   // empty where nothing is known
  std::shared_ptr<const Clip> text_clip;  // of InferenceOptions::text_weights, or nullptr
  std::string source;                     // the weights, for messages
  std::string assumption;                 // what the weights do not say and was assumed

  // The tower that embeds the words, and its sizes; nullptr where there is none.
  const TextTower* text_tower() const { return text_clip ? &text_clip->text : dense->text_tower(); }
  const ClipConfig& text_config() const {
    return text_clip ? text_clip->config : dense->clip_config();
  }
};

// Loads weights in any dialect; for Mode::kClip and kSclip the CLIP in them is taken. `device`: the
// one to compute on; without it choose_device(options.device). Throws as load_model and
// load_starting_clip; Error(kBadInput) where text_weights makes embeddings of another size than the
// model compares with.
InferenceModel load_for_inference(const std::filesystem::path& weights,
                                  const InferenceOptions& options = {},
                                  std::optional<at::Device> device = {});

// The model as it encodes in this precision: on a CPU from weights packed for it, on a GPU as it
// is. To be given the only pointer to the model: the weights are held twice otherwise. Throws
// Error(kUsage) where the precision does not run on the model's device.
std::shared_ptr<const DenseModel> in_precision(std::shared_ptr<const DenseModel> model,
                                               GemmPrecision precision);

}  // namespace tagclip

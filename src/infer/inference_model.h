#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "model/checkpoint.h"

namespace tagclip {

// "cpu", "cuda", or "auto": a GPU where there is one. Throws Error(kUsage) for another word, and
// when CUDA is asked for but LibTorch has none or the machine no GPU.
at::Device choose_device(std::string_view word);

// Who tells the classes apart.
enum class Mode {
  kTrained,  // a decoder that was trained for it
  kClip,     // a CLIP as it is, by its last values: MaskCLIP
  kSclip,    // a CLIP as it is, by correlative self-attention: SCLIP
};
// "trained", "clip", "sclip". Throws Error(kUsage) for another word.
Mode parse_mode(std::string_view word);

// Which model, and where.
struct ModelChoice {
  std::filesystem::path weights;  // any dialect; its CLIP is taken for kClip and kSclip
  // A CLIP whose text tower reads the words, where the weights have none. Empty: none.
  std::filesystem::path text_weights = {};
  Mode mode = Mode::kTrained;
  at::Device device = at::kCPU;
};

// A model whose weights are final, with what depends on no photo computed already.
struct InferenceModel {
  std::shared_ptr<const DenseModel> dense;
  TrainedOn trained_on;                   // empty where nothing is known
  std::shared_ptr<const Clip> text_clip;  // of ModelChoice::text_weights, or nullptr
  std::string source;                     // the weights, for messages
  std::string assumption;                 // see ClipWeights

  // The tower that reads the words, and its sizes; nullptr where there is none.
  const TextTower* text_tower() const { return text_clip ? &text_clip->text : dense->text_tower(); }
  const ClipConfig& text_config() const {
    return text_clip ? text_clip->config : dense->clip_config();
  }
};

// Throws as load_model and load_starting_clip; Error(kBadInput) where text_weights makes embeddings
// of another size than the model compares with.
InferenceModel load_for_inference(const ModelChoice& choice);

// The model as it encodes in this precision: on a CPU from weights packed for it, on a GPU as it
// is. To be given the only pointer to the model: the weights are held twice otherwise. Throws
// Error(kUsage) where the precision does not run on the model's device.
std::shared_ptr<const DenseModel> in_precision(std::shared_ptr<const DenseModel> model,
                                               GemmPrecision precision);

}  // namespace tagclip

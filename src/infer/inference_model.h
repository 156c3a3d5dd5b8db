#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "infer/options.h"
#include "model/checkpoint.h"
#include "model/dense_clip.h"

namespace tagclip {

// Throws Error(kUsage) when CUDA is asked for but LibTorch has none or the machine no GPU.
at::Device choose_device(Device device);

// The encoder's precision that the word stands for; nothing for Precision::kAuto.
std::optional<GemmPrecision> gemm_precision(Precision precision);

// The method of a mode that takes a CLIP as it is.
DenseMethod dense_method(Mode mode);

// The mode that Mode::kAuto stands for with these weights; any other is itself.
Mode mode_for(const StoredWeights& stored, Mode wanted);

// A model for inference, and the tower that embeds the words for it.
struct InferenceModel {
  DenseModel model;
  // The text tower of InferenceOptions::text_weights, or of the weights; nullptr if neither has.
  std::shared_ptr<const TextTower> text_tower;
  ClipConfig text_config;               // its sizes
  Mode mode = Mode::kTrained;           // never Mode::kAuto
  TrainedOn trained_on;                 // empty where nothing is known
  std::vector<std::string> templates;   // the prompts that suit it; empty: "a photo of a {}"
  Synonyms synonyms = Synonyms::kMean;  // what Synonyms::kAuto is for it
  // Identifies what masks depend on besides the encodings; see Fingerprint. Empty for a CLIP.
  std::string decoder_fingerprint;
  std::string source;              // the weights, for messages
  std::string text_source;         // those of the text tower
  std::string assumption;          // what the weights do not say and was assumed
  std::vector<std::string> notes;  // how the files were read, a line each
};

// Loads weights in any dialect; for the modes of a CLIP as it is the CLIP in them is taken.
// `device`: the one to compute on; without it choose_device(options.device). Throws as load_model
// and load_starting_clip; Error(kBadInput) where text_weights makes embeddings of another size than
// the model compares with.
InferenceModel load_for_inference(const std::filesystem::path& weights,
                                  const InferenceOptions& options = {},
                                  std::optional<at::Device> device = {});

// Does the same with a trained model that is in memory already. `source` stands for it in messages.
InferenceModel load_for_inference(LoadedModel loaded, const std::string& source,
                                  const InferenceOptions& options = {},
                                  std::optional<at::Device> device = {});

// Returns the model as it encodes in this precision: on a CPU from weights packed for it, on a GPU
// as it is. The model handed in should be the only one that holds the weights: they are held twice
// otherwise. Throws Error(kUsage) where the precision does not run on the model's device.
DenseModel in_precision(DenseModel model, GemmPrecision precision);

}  // namespace tagclip

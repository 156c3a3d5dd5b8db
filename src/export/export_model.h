#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "export/labels.h"
#include "infer/options.h"
#include "model/checkpoint.h"
#include "model/init_from_clip.h"
#include "onnx/model_file.h"

namespace tagclip {

// A model as it is exported. Copies share the weights.
struct ExportableModel {
  std::string source;  // the weights, for messages
  std::shared_ptr<const ParameterList> parameters;
  ClipConfig clip;
  PixelNormalization normalization;
  LabelRule rule;
  // Normalised pixels [B, 3, H, W] -> encoding; that and text embeddings [C, d] -> mask logits.
  std::function<EncodingValues(const GraphBuilder&, const onnx::Value& pixels)> encode;
  std::function<MaskValues(const GraphBuilder&, const EncodingValues&, const onnx::Value& text)>
      decode;
  std::map<std::string, std::string> metadata;
};

// Scores are those that `options` ask for: `weighting`, `seen_bias`, `trusty_token`, `logit_scale`.
// Throw Error(kUsage) as score_rule.
ExportableModel exportable(std::shared_ptr<const LoadedModel> loaded, const std::string& source,
                           const InferenceOptions& options);
// A CLIP as it is; `mode` is one that takes it.
ExportableModel exportable(std::shared_ptr<const StartingClip> clip, Mode mode,
                           const std::string& source, const InferenceOptions& options);

// What a file computes.
enum class ExportPart {
  kWhole,    // photos and words -> labels
  kEncoder,  // photos -> encodings
  kDecoder,  // encodings and words -> labels
};

// A graph and the file that it goes to.
struct ExportedPart {
  std::unique_ptr<onnx::Graph> graph;
  std::unique_ptr<onnx::ModelFile> file;
};
// A file of more than `max_bytes` has its weights beside it: see onnx::ModelFile. Throws
// Error(kBadInput) for weights that `precision` cannot hold.
ExportedPart exported(const ExportableModel& model, ExportPart part, ExportPrecision precision,
                      const std::filesystem::path& path, uint64_t max_bytes);

}  // namespace tagclip

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "weights/stored_weights.h"

namespace tagclip {

// The sizes of CLIP's towers and of a segmentation model, read off the shapes of their tensors.
// Head counts leave no trace in them.

// The shapes of named tensors, whoever holds them.
struct TensorShapes {
  // Returns nothing if there is no tensor of that name.
  std::function<std::optional<std::vector<int64_t>>(const std::string& name)> shape;
  std::function<bool(const std::string& prefix)> contains_prefix;  // of a tensor's name
};
// `weights` must outlive the result.
TensorShapes shapes_of(const StoredWeights& weights);
// The same by OpenAI's names, for a CLIP in Hugging Face's layout.
TensorShapes openai_shapes_of(const StoredWeights& hugging_face);

// Counts prefix0., prefix1., ... that begin the name of a tensor, up to the first that does not.
int64_t count_numbered(const TensorShapes& shapes, const std::string& prefix);

// A size is 0 where its tensor is missing or has another number of dimensions.
struct VisionSizes {
  int64_t width = 0, layers = 0, mlp = 0, patch = 0;
  int64_t grid = 0;  // patches per side that the position embedding is made for
  int64_t embedding = 0;
};
struct TextSizes {
  int64_t width = 0, layers = 0, mlp = 0, context = 0, vocabulary = 0, embedding = 0;
};

// A tensor that tells a size, and the number of its dimensions.
struct SizedTensor {
  std::string name;
  size_t dimensions;
};

// `prefix` is what the names of a tower start with: "visual.", "backbone.", "text_encoder.", or
// nothing.
VisionSizes vision_sizes(const TensorShapes& shapes, const std::string& prefix);
TextSizes text_sizes(const TensorShapes& shapes, const std::string& prefix);
std::vector<SizedTensor> tensors_of_vision_sizes(const std::string& prefix);
std::vector<SizedTensor> tensors_of_text_sizes(const std::string& prefix);

struct PromptSizes {
  int64_t tokens = 0;  // per layer
  int64_t layers = 0;  // with prompts of their own, from the first
};
// Returns nothing if the model has no visual prompts.
std::optional<PromptSizes> prompt_sizes(const TensorShapes& shapes);

struct DecoderSizes {
  int64_t layers = 0, width = 0;
  std::string self_attention;  // a letter per layer, joined by "_": a = its weights are there
  bool trusty_token = false, own_learner = false, presence_head = false;
  bool zegclip_names = false;  // under the names of ZegCLIP's own code
};
// Returns nothing if there is no decoder.
std::optional<DecoderSizes> decoder_sizes(const TensorShapes& shapes);

}  // namespace tagclip

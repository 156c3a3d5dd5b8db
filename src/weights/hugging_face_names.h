#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagclip {

// The names of CLIP's tensors at OpenAI and in Hugging Face's CLIPModel.

struct TensorName {
  std::string name;
  bool transposed = false;  // whether the two store this matrix transposed
};

// Returns the other side's name of a tensor that both have. Nothing for any other, and for the
// packed projections of an attention, whose counterparts are three (below).
std::optional<TensorName> hugging_face_name(std::string_view openai);
std::optional<TensorName> openai_name(std::string_view hugging_face);

// Names a weight or bias of an attention's input projections, "PREFIXin_proj_weight" at OpenAI.
struct ProjectionName {
  std::string packed;                // OpenAI's name
  std::array<std::string, 3> parts;  // Hugging Face's names: queries, keys, values
  int part = 0;                      // which of the parts was asked for; 0 for a packed name
};
std::optional<ProjectionName> projection_of_openai(std::string_view name);
std::optional<ProjectionName> projection_of_hugging_face(std::string_view name);

// Returns the sorted names of all tensors of a CLIP with so many blocks, either side's.
std::vector<std::string> clip_tensor_names(int64_t vision_layers, int64_t text_layers,
                                           bool hugging_face);

}  // namespace tagclip

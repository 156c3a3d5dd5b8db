#include "weights/clip_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/files.h"
#include "base/text.h"
#include "weights/clip_config_json.h"
#include "weights/hugging_face_names.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxConfigBytes = 4 << 20;

struct TowerSizes {
  VisionSizes vision;
  TextSizes text;
};

TowerSizes sizes_of(const StoredWeights& stored, Dialect dialect) {
  const TensorShapes shapes =
      dialect == Dialect::kHuggingFace ? openai_shapes_of(stored) : shapes_of(stored);
  return {vision_sizes(shapes, "visual."), text_sizes(shapes, "")};
}

// Tensors that CLIPs are stored with and that are no parameters.
bool is_buffer(const std::string& name) {
  return name == "attn_mask" || name.ends_with(".embeddings.position_ids") ||
         std::ranges::find(kOpenAiScalars, name) != std::end(kOpenAiScalars);
}

using Shape = std::vector<int64_t>;

// The shape of a part of a block, "ln_1.weight", in a tower of that width.
Shape shape_in_block(std::string_view part, int64_t width, int64_t mlp) {
  const bool is_bias = part.ends_with("bias");
  if (part.starts_with("ln_")) return {width};
  if (part.starts_with("attn.in_proj")) return is_bias ? Shape{3 * width} : Shape{3 * width, width};
  if (part.starts_with("attn.out_proj")) return is_bias ? Shape{width} : Shape{width, width};
  if (part.starts_with("mlp.c_fc")) return is_bias ? Shape{mlp} : Shape{mlp, width};
  return is_bias ? Shape{width} : Shape{width, mlp};
}

// The shape that a CLIP's tensor of that name at OpenAI has.
Shape shape_at_openai(std::string_view name, const TowerSizes& sizes) {
  const auto& [vision, text] = sizes;
  constexpr std::string_view kVision = "visual.", kBlocks = "transformer.resblocks.";
  if (name == "logit_scale") return {};
  if (name == "token_embedding.weight") return {text.vocabulary, text.width};
  if (name == "text_projection") return {text.width, vision.embedding};
  const bool is_vision = name.starts_with(kVision);
  if (is_vision) name.remove_prefix(kVision.size());
  const int64_t width = is_vision ? vision.width : text.width;
  if (name.starts_with(kBlocks)) {
    const size_t number_end = name.find('.', kBlocks.size());
    return shape_in_block(name.substr(number_end + 1), width, is_vision ? vision.mlp : text.mlp);
  }
  if (name == "positional_embedding") {
    return {is_vision ? vision.grid * vision.grid + 1 : text.context, width};
  }
  if (name == "conv1.weight") return {width, 3, vision.patch, vision.patch};
  if (name == "proj") return {width, vision.embedding};
  return {width};  // layer norms and the class embedding
}

Shape expected_shape(const std::string& name, Dialect dialect, const TowerSizes& sizes) {
  if (dialect != Dialect::kHuggingFace || name == "logit_scale") {
    return shape_at_openai(name, sizes);
  }
  if (const auto part = projection_of_hugging_face(name)) {
    Shape packed = shape_at_openai(part->packed, sizes);
    packed[0] /= 3;
    return packed;
  }
  const auto openai = openai_name(name);
  Shape shape = shape_at_openai(openai->name, sizes);
  if (openai->transposed) std::ranges::reverse(shape);
  return shape;
}

// Checks names, shapes and types of all tensors. A parameter of one element may have any shape.
void check_tensors(const StoredWeights& stored, Dialect dialect, const TowerSizes& sizes) {
  const std::vector<std::string> expected =
      clip_tensor_names(sizes.vision.layers, sizes.text.layers, dialect == Dialect::kHuggingFace);
  std::vector<std::string> found, missing, unexpected;
  for (const TensorView& tensor : stored.tensors) {
    if (!is_buffer(tensor.name)) found.push_back(tensor.name);
  }
  std::ranges::set_difference(expected, found, std::back_inserter(missing));
  std::ranges::set_difference(found, expected, std::back_inserter(unexpected));
  for (std::string& name : unexpected) name = in_quotes(name);
  if (const auto error = misfit(stored.source, missing, {}, unexpected)) throw *error;
  std::vector<std::string> misshapen;
  for (const TensorView& tensor : stored.tensors) {
    if (is_buffer(tensor.name)) continue;
    const Shape shape = expected_shape(tensor.name, dialect, sizes);
    if (tensor.shape == shape || (shape.empty() && tensor.numel() == 1)) continue;
    misshapen.push_back(describe_misshapen(tensor.name, tensor.shape, shape));
  }
  if (const auto error = misfit(stored.source, {}, misshapen, {})) throw *error;
  for (const TensorView& tensor : stored.tensors) {
    if (!is_buffer(tensor.name)) check_weight_type(stored.source, tensor.name, tensor.dtype);
  }
}

void check_agreement(const TowerSizes& sizes, const ClipConfigJson& stated, const fs::path& config,
                     const std::string& weights) {
  struct Size {
    const char* name;
    int64_t in_config, in_tensors;
  };
  const auto& [vision, text] = sizes;
  const auto all = std::to_array<Size>({
      {"embedding", stated.embedding, vision.embedding},
      {"resolution", stated.resolution, vision.grid * vision.patch},
      {"patch", stated.patch, vision.patch},
      {"context", stated.context, text.context},
      {"vocabulary", stated.vocabulary, text.vocabulary},
      {"width of the vision tower", stated.vision_width, vision.width},
      {"layers of the vision tower", stated.vision_layers, vision.layers},
      {"width of the vision tower's MLPs", stated.vision_mlp, vision.mlp},
      {"width of the text tower", stated.text_width, text.width},
      {"layers of the text tower", stated.text_layers, text.layers},
      {"width of the text tower's MLPs", stated.text_mlp, text.mlp},
  });
  const auto check_heads = [&](const char* tower, int64_t width, int64_t heads) {
    if (width % heads == 0) return;
    throw bad_input(fmt::format("{}: {} heads in the {} tower, whose width of {} is no multiple of "
                                "that",
                                config.string(), heads, tower, width),
                    "put the weights into a folder with the config they came with");
  };
  check_heads("vision", vision.width, stated.vision_heads);
  check_heads("text", text.width, stated.text_heads);
  for (const Size& size : all) {
    if (size.in_config == 0 || size.in_config == size.in_tensors) continue;
    throw bad_input(fmt::format("{}: {} {}, but the tensors of {} have {}", config.string(),
                                size.name, size.in_config, weights, size.in_tensors),
                    "put the weights into a folder with the config they came with");
  }
}

// The config beside the weights; nothing where there is none.
std::optional<ClipConfigJson> read_config(const StoredWeights& stored, Dialect dialect,
                                          const TowerSizes& sizes) {
  const bool hugging_face = dialect == Dialect::kHuggingFace;
  const auto file = stored.file_beside(hugging_face ? "config.json" : "open_clip_config.json");
  if (!file) return {};
  const std::string text = read_text(*file, kMaxConfigBytes);
  ClipConfigJson stated = hugging_face ? parse_hugging_face_config(text, file->string())
                                       : parse_open_clip_config(text, file->string());
  check_agreement(sizes, stated, *file, stored.source);
  if (!hugging_face) return stated;
  if (const auto preprocessor = stored.file_beside("preprocessor_config.json")) {
    stated.imagenet_statistics = parse_preprocessor_config(
        read_text(*preprocessor, kMaxConfigBytes), preprocessor->string());
  }
  return stated;
}

// OpenAI published no wider model, and only theirs have QuickGELU for certain.
constexpr int64_t kWidestOfOpenAi = 1024;

std::string assumption_of(const ClipSettings& settings, const TowerSizes& sizes,
                          const char* config) {
  std::string heads, activation;
  if (settings.heads_are_assumed) {
    heads = fmt::format(
        "heads of {} (vision tower) and {} (text tower), as published CLIPs of "
        "their widths have",
        sizes.vision.width / settings.vision_heads, sizes.text.width / settings.text_heads);
  }
  if (settings.activation_is_assumed) {
    activation = settings.quick_gelu ? "QuickGELU, as in OpenAI's models"
                                     : "GELU, as in most models of this width";
  }
  return fmt::format("there is no {} beside the weights: assumed are {}{}{}", config, heads,
                     heads.empty() || activation.empty() ? "" : ", and ", activation);
}

// Fills in what no config states.
void answer_or_assume(const StoredWeights& stored, const TowerSizes& sizes,
                      const ClipAnswers& known, ClipSettings& settings) {
  const bool hugging_face = settings.dialect == Dialect::kHuggingFace;
  const char* config = hugging_face ? "config.json" : "open_clip_config.json";
  const std::string remedy = fmt::format(
      "put the {} it came with beside it, or let tagclip convert write them down: set `heads` and "
      "`activation` there",
      config);
  const auto vision = published_vision_heads(sizes.vision.width);
  const auto text = published_text_heads(sizes.text.width);
  settings.heads_are_assumed = known.vision_heads == 0;
  settings.activation_is_assumed = !known.quick_gelu.has_value();
  if (hugging_face && (settings.heads_are_assumed || settings.activation_is_assumed)) {
    throw bad_input(fmt::format("{}: Hugging Face weights, but there is no {} beside them; the "
                                "weights alone tell neither heads nor activation",
                                stored.source, config),
                    remedy);
  }
  if (settings.heads_are_assumed && (!vision || !text)) {
    throw bad_input(
        fmt::format("{}: the number of attention heads is not known: there is no {} beside it, and "
                    "no published CLIP has towers of width {} and {}",
                    stored.source, config, sizes.vision.width, sizes.text.width),
        remedy);
  }
  settings.vision_heads = settings.heads_are_assumed ? *vision : known.vision_heads;
  settings.text_heads = settings.heads_are_assumed ? *text : known.text_heads;
  settings.quick_gelu = known.quick_gelu.value_or(sizes.vision.width <= kWidestOfOpenAi);
  if (settings.heads_are_assumed || settings.activation_is_assumed) {
    settings.assumption = assumption_of(settings, sizes, config);
  }
}

}  // namespace

std::optional<int64_t> published_vision_heads(int64_t width) {
  constexpr auto kHeadWidths = std::to_array<std::pair<int64_t, int64_t>>(
      {{1280, 80}, {1408, 88}, {1664, 104}, {1792, 112}});  // ViT-H, g, bigG, e
  for (const auto& [tower, head] : kHeadWidths) {
    if (tower == width) return width / head;
  }
  return published_text_heads(width);
}

std::optional<int64_t> published_text_heads(int64_t width) {
  if (width <= 0 || width % 64 != 0) return {};
  return width / 64;
}

ClipSettings read_clip_settings(const StoredWeights& stored, const ClipAnswers& known) {
  if (!is_clip(stored)) throw not_a_clip(stored);
  ClipSettings settings{.dialect = dialect_of(stored)};
  const TowerSizes sizes = sizes_of(stored, settings.dialect);
  check_tensors(stored, settings.dialect, sizes);
  if (settings.dialect == Dialect::kTagclip) return settings;
  if (settings.dialect == Dialect::kOpenAi) {
    // OpenAI's code makes them so.
    const auto heads = [](int64_t answer, int64_t width) {
      return answer > 0 ? answer : std::max<int64_t>(1, width / 64);
    };
    settings.vision_heads = heads(known.vision_heads, sizes.vision.width);
    settings.text_heads = heads(known.text_heads, sizes.text.width);
  } else if (const auto stated = read_config(stored, settings.dialect, sizes)) {
    settings.vision_heads = stated->vision_heads;
    settings.text_heads = stated->text_heads;
    settings.quick_gelu = stated->quick_gelu;
    settings.imagenet_statistics = stated->imagenet_statistics;
  } else {
    answer_or_assume(stored, sizes, known, settings);
  }
  return settings;
}

std::optional<Error> misfit(const std::string& source, const std::vector<std::string>& missing,
                            const std::vector<std::string>& misshapen,
                            const std::vector<std::string>& unexpected) {
  std::string lists;
  const auto add = [&](const std::vector<std::string>& lines, const char* what) {
    if (lines.empty()) return;
    lists += fmt::format("\n  {} {}:", lines.size(), what);
    for (const std::string& line : lines) lists += "\n    " + line;
  };
  add(missing, "missing");
  add(misshapen, "of another shape");
  add(unexpected, "unexpected");
  if (lists.empty()) return {};
  return bad_input(source + ": the tensors do not fit the model" + lists);
}

std::string describe_misshapen(const std::string& tensor, std::span<const int64_t> found,
                               std::span<const int64_t> expected) {
  return fmt::format("{}: {} in the file, {} expected", tensor, shape_text(found),
                     shape_text(expected));
}

Error not_finite(const std::string& source, const std::string& tensor, std::string_view what,
                 std::span<const int64_t> place, std::string hint) {
  if (hint.empty()) {
    hint =
        "such weights compute nothing: they come from a training that diverged, or from numbers "
        "too large for float16; take an earlier checkpoint, or the float32 or bfloat16 weights";
  }
  return bad_input(
      fmt::format("{}: {} holds {} at {}", source, in_quotes(tensor), what, shape_text(place)),
      std::move(hint));
}

void check_numbers(const StoredWeights& stored) {
  for (const TensorView& tensor : stored.tensors) {
    if (!is_weight_type(tensor.dtype)) continue;
    int64_t at = first_non_finite(tensor.dtype, tensor.data.data(), tensor.numel());
    if (at < 0) continue;
    const auto what = non_finite_name(tensor.dtype, &tensor.data[at * size_of(tensor.dtype)]);
    std::vector<int64_t> place(tensor.shape.size());
    for (size_t d = place.size(); d-- > 0; at /= tensor.shape[d]) place[d] = at % tensor.shape[d];
    throw not_finite(stored.source, tensor.name, what, place);
  }
}

void check_weight_type(const std::string& source, const std::string& tensor, DType dtype) {
  if (is_weight_type(dtype)) return;
  throw bad_input(
      fmt::format("{}: {} holds numbers of type {}, which weights cannot be computed with here",
                  source, in_quotes(tensor), to_string(dtype)),
      "use the model's float32, float16 or bfloat16 weights; quantised ones must be turned back by "
      "the program that made them");
}

bool has_trained_patches(const Metadata& metadata) {
  const auto found = metadata.find(kTrainedPatches);
  return found != metadata.end() && found->second == "trained";
}

}  // namespace tagclip

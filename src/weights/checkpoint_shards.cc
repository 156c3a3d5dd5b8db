#include "weights/checkpoint_shards.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

// The names that publishers give them; the first that is there counts.
constexpr std::array kWeights = {"model.safetensors", "open_clip_model.safetensors",
                                 "pytorch_model.bin", "open_clip_pytorch_model.bin"};
constexpr std::array kIndices = {"model.safetensors.index.json", "pytorch_model.bin.index.json"};
constexpr const char* kAdapterConfig = "adapter_config.json";

[[noreturn]] void reject_index(const fs::path& index, const std::string& why) {
  throw bad_input(fmt::format("{}: {}", index.string(), why),
                  "an index of shards reads {\"weight_map\": {\"tensor\": \"file\", ...}}");
}

WeightFiles read_index(const fs::path& index) {
  const auto json = parse_bounded_json(read_text(index, 4 << 20));
  if (!json || !json->is_object()) reject_index(index, "not a JSON object");
  const auto map = json->find("weight_map");
  if (map == json->end() || !map->is_object()) reject_index(index, "holds no weight_map");
  std::set<std::string> names;
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string()) reject_index(index, "the weight_map names something that is no file");
    names.insert(file.get<std::string>());
  }
  if (names.empty()) reject_index(index, "the weight_map is empty");
  WeightFiles shards;
  for (const std::string& name : names) {
    if (fs::path(name).filename() != name || name == "." || name == "..") {
      reject_index(index, "the weight_map names a file that is not in this folder");
    }
    shards.push_back(index.parent_path() / name);
  }
  return shards;
}

// PEFT's folders of changes to a model, such as LoRA's.
[[noreturn]] void reject_adapter(const fs::path& config) {
  const auto json = parse_bounded_json(read_text(config, 4 << 20));
  const auto text = [&](const char* key) -> std::string {
    const bool there =
        json && json->is_object() && json->contains(key) && json->at(key).is_string();
    return there ? one_line(json->at(key).get<std::string>(), 100) : "";
  };
  const std::string base = text("base_model_name_or_path");
  throw bad_input(
      fmt::format("{}: an adapter ({}), which changes a model and is none by itself",
                  config.parent_path().string(),
                  text("peft_type").empty() ? "adapter_config.json" : text("peft_type")),
      fmt::format("merge it into {} in Python with peft: model.merge_and_unload() and "
                  "save_pretrained, then give that folder",
                  base.empty() ? "the CLIP it was trained on" : base));
}

std::vector<WeightFiles> find_in_folder(const fs::path& folder) {
  std::vector<WeightFiles> found;
  for (const char* name : kWeights) {
    if (is_file(folder / name)) found.push_back({folder / name});
  }
  for (const char* name : kIndices) {
    if (is_file(folder / name)) found.push_back(read_index(folder / name));
  }
  if (!found.empty()) return found;
  if (is_file(folder / kAdapterConfig)) reject_adapter(folder / kAdapterConfig);
  throw bad_input(folder.string() + ": this folder holds no weights",
                  fmt::format("looked for {} and {}; or name the file itself",
                              fmt::join(kWeights, ", "), fmt::join(kIndices, ", ")));
}

}  // namespace

std::string way_to_weights(const std::string& path) {
  constexpr std::array kEndings = {".pt", ".pth", ".bin", ".safetensors", ".ckpt", ".json"};
  const bool is_file = path.starts_with('.') || path.starts_with('/') ||
                       std::ranges::any_of(kEndings, [&](std::string_view ending) {
                         return path.ends_with(ending);
                       });
  if (is_file) {
    return "check the path; tagclip fetch --list shows the CLIPs that can be downloaded, and fetch "
           "prints the path";
  }
  std::string name = path;
  std::ranges::replace(name, '/', '-');
  return fmt::format(
      "the name of a checkpoint? tagclip fetch {} downloads it, if it is one that tagclip fetch "
      "--list shows, and prints the path to give here",
      name);
}

std::vector<WeightFiles> find_weight_files(const fs::path& path) {
  const PathKind kind = path_kind(path);
  if (kind == PathKind::kNothing) {
    throw cannot_read(path, std::strerror(ENOENT), way_to_weights(path.string()));
  }
  if (kind == PathKind::kFolder) return find_in_folder(path);
  if (path.filename().string().ends_with(".index.json")) return {read_index(path)};
  return {{path}};
}

}  // namespace tagclip

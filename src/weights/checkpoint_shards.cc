#include "weights/checkpoint_shards.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <set>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

// The names that publishers give them; the first that is there counts.
constexpr std::array kWeights = {"model.safetensors", "open_clip_model.safetensors",
                                 "pytorch_model.bin", "open_clip_pytorch_model.bin"};
constexpr std::array kIndices = {"model.safetensors.index.json", "pytorch_model.bin.index.json"};

[[noreturn]] void reject_index(const fs::path& index, const std::string& why) {
  throw bad_input(fmt::format("{}: {}", index.string(), why),
                  "an index of shards reads {\"weight_map\": {\"tensor\": \"file\", ...}}");
}

std::vector<fs::path> read_index(const fs::path& index) {
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
  std::vector<fs::path> shards;
  for (const std::string& name : names) {
    if (fs::path(name).filename() != name || name == "." || name == "..") {
      reject_index(index, "the weight_map names a file that is not in this folder");
    }
    shards.push_back(index.parent_path() / name);
  }
  return shards;
}

std::vector<fs::path> find_in_folder(const fs::path& folder) {
  for (const char* name : kWeights) {
    if (is_file(folder / name)) return {folder / name};
  }
  for (const char* name : kIndices) {
    if (is_file(folder / name)) return read_index(folder / name);
  }
  throw bad_input(folder.string() + ": this folder holds no weights",
                  fmt::format("looked for {} and {}; or name the file itself",
                              fmt::join(kWeights, ", "), fmt::join(kIndices, ", ")));
}

}  // namespace

std::vector<fs::path> find_weight_files(const fs::path& path) {
  if (is_folder(path)) return find_in_folder(path);
  if (path.filename().string().ends_with(".index.json")) return read_index(path);
  return {path};
}

}  // namespace tagclip

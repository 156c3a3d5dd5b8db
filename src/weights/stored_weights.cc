#include "weights/stored_weights.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "weights/checkpoint_shards.h"
#include "weights/clip_settings.h"
#include "weights/weights_dialect.h"

namespace tagclip {
namespace {

bool less(const TensorView& a, const TensorView& b) { return a.name < b.name; }

void add_file(WeightsFile file, StoredWeights& weights) {
  weights.files.push_back(std::move(file));
  const std::vector<TensorView>& tensors = weights.files.back().tensors();
  weights.tensors.insert(weights.tensors.end(), tensors.begin(), tensors.end());
}

void finish(StoredWeights& weights) {
  std::ranges::sort(weights.tensors, less);
  const auto twice = std::ranges::adjacent_find(weights.tensors, {}, &TensorView::name);
  if (twice != weights.tensors.end()) {
    throw bad_input(weights.source + ": two shards hold " + in_quotes(twice->name));
  }
  if (weights.files.size() == 1) weights.metadata = weights.files.front().metadata();
  weights.wrapping = unwrap_names(weights.tensors);
}

}  // namespace

const TensorView* StoredWeights::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(tensors, name, {}, &TensorView::name);
  return found != tensors.end() && found->name == name ? &*found : nullptr;
}

bool StoredWeights::contains_prefix(std::string_view prefix) const {
  const auto found = std::ranges::lower_bound(tensors, prefix, {}, &TensorView::name);
  return found != tensors.end() && found->name.starts_with(prefix);
}

std::vector<std::string> StoredWeights::names() const {
  std::vector<std::string> names;
  for (const TensorView& tensor : tensors) names.push_back(tensor.name);
  return names;
}

std::optional<std::filesystem::path> StoredWeights::file_beside(std::string_view name) const {
  for (const std::filesystem::path& folder : folders) {
    if (path_status(folder / name).kind == PathKind::kFile) return folder / name;
  }
  return {};
}

namespace {

// The folders of a file and of what it leads to if it is a link.
std::vector<std::filesystem::path> folders_of(const std::filesystem::path& file) {
  std::vector<std::filesystem::path> folders{file.parent_path()};
  const auto target = resolved_path(file);
  const auto near = resolved_path(folders.front().empty() ? "." : folders.front());
  if (target && near && target->parent_path() != *near) folders.push_back(target->parent_path());
  return folders;
}

bool is_model(const StoredWeights& weights) {
  return is_segmentation_model(weights) || is_clip(weights);
}

bool is_loadable(const StoredWeights& weights) try {
  if (is_clip(weights)) read_clip_settings(weights);
  return is_model(weights);
} catch (const Error&) {
  return false;
}

StoredWeights read_files(const std::vector<std::filesystem::path>& paths, std::string source) {
  StoredWeights weights{.source = std::move(source), .folders = folders_of(paths.front())};
  for (const std::filesystem::path& part : paths) add_file(WeightsFile::open(part), weights);
  finish(weights);
  return weights;
}

}  // namespace

StoredWeights read_stored_weights(const std::filesystem::path& path) {
  const std::vector<WeightFiles> alternatives = find_weight_files(path);
  if (alternatives.size() == 1) return read_files(alternatives.front(), path.string());
  for (const auto& usable : {is_loadable, is_model}) {
    for (const WeightFiles& files : alternatives) {
      const std::filesystem::path& name = files.size() == 1 ? files.front() : path;
      StoredWeights weights = read_files(files, name.string());
      if (usable(weights)) return weights;
    }
  }
  return read_files(alternatives.front(), path.string());
}

StoredWeights parse_stored_weights(std::span<const std::byte> bytes, const std::string& name) {
  StoredWeights weights{.source = name};
  add_file(WeightsFile::parse(bytes, name), weights);
  finish(weights);
  return weights;
}

}  // namespace tagclip

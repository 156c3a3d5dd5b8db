#include "weights/stored_weights.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "weights/checkpoint_shards.h"

namespace tagclip {
namespace {

// The names that trainers give to the model's part of a checkpoint.
constexpr std::array<std::string_view, 3> kModelParts = {"state_dict.", "model_state_dict.",
                                                         "model."};
// DistributedDataParallel puts this before every name.
constexpr std::string_view kModule = "module.";

bool less(const TensorView& a, const TensorView& b) { return a.name < b.name; }

void keep_part(std::string_view prefix, StoredWeights& weights) {
  std::vector<TensorView> kept;
  std::set<std::string> others;
  for (TensorView& tensor : weights.tensors) {
    if (tensor.name.starts_with(prefix)) {
      tensor.name.erase(0, prefix.size());
      kept.push_back(std::move(tensor));
      continue;
    }
    others.insert(tensor.name.substr(0, tensor.name.find('.')));
  }
  weights.left_out.assign(others.begin(), others.end());
  weights.tensors = std::move(kept);
}

void unwrap(StoredWeights& weights) {
  for (const std::string_view part : kModelParts) {
    if (!weights.contains_prefix(part)) continue;
    keep_part(part, weights);
    break;
  }
  const bool wrapped = std::ranges::all_of(
      weights.tensors, [](const TensorView& tensor) { return tensor.name.starts_with(kModule); });
  if (!wrapped) return;
  for (TensorView& tensor : weights.tensors) tensor.name.erase(0, kModule.size());
}

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
  unwrap(weights);
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

StoredWeights read_stored_weights(const std::filesystem::path& path) {
  const std::vector<std::filesystem::path> paths = find_weight_files(path);
  StoredWeights weights{.source = path.string(), .folder = paths.front().parent_path()};
  for (const std::filesystem::path& part : paths) add_file(WeightsFile::open(part), weights);
  finish(weights);
  return weights;
}

StoredWeights parse_stored_weights(std::span<const std::byte> bytes, const std::string& name) {
  StoredWeights weights{.source = name};
  add_file(WeightsFile::parse(bytes, name), weights);
  finish(weights);
  return weights;
}

}  // namespace tagclip

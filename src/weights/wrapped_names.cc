#include "weights/wrapped_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>

#include "base/text.h"

namespace tagclip {
namespace {

// A model is there where both names are, behind the same prefix.
struct Sign {
  std::string_view name;
  std::string_view beside;  // begins the name of another tensor
};

constexpr auto kSigns = std::to_array<Sign>({
    {"visual.conv1.weight", "token_embedding.weight"},
    {"visual.conv1.weight", "text.token_embedding.weight"},
    {"visual.layer1.0.conv1.weight", "token_embedding.weight"},
    {"vision_model.embeddings.patch_embedding.weight", "text_model."},
    {"backbone.conv1.weight", "decode_head."},
});

// PyTorch puts these into names, at any depth: compiled, sharded, checkpointed and distributed
// modules. No model here has such a part.
constexpr auto kWrappers = std::to_array<std::string_view>(
    {"_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "module."});

// Trainers call the model that they train so.
constexpr auto kTrained = std::to_array<std::string_view>(
    {"state_dict", "model_state_dict", "model_state", "model", "net", "network", "params",
     "weights", "module", "_orig_mod", "clip_model", "clip"});

// The names of a checkpoint's part with the model, where no sign tells it.
constexpr auto kParts =
    std::to_array<std::string_view>({"state_dict.", "model_state_dict.", "model."});

using Tensors = std::vector<TensorView>;

bool contains_prefix(const Tensors& tensors, std::string_view prefix) {
  const auto found = std::ranges::lower_bound(tensors, prefix, {}, &TensorView::name);
  return found != tensors.end() && found->name.starts_with(prefix);
}

const TensorView* find(const Tensors& tensors, std::string_view name) {
  const auto found = std::ranges::lower_bound(tensors, name, {}, &TensorView::name);
  return found != tensors.end() && found->name == name ? &*found : nullptr;
}

void sort(Tensors& tensors) { std::ranges::sort(tensors, {}, &TensorView::name); }

std::vector<std::string_view> parts_of(std::string_view name) {
  std::vector<std::string_view> parts;
  while (!name.empty()) {
    const size_t dot = std::min(name.find('.'), name.size());
    parts.push_back(name.substr(0, dot));
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return parts;
}

// Describes a model among the tensors: its prefix, and the memory of the tensor that gave it away.
struct Candidate {
  std::string prefix;
  const std::byte* data = nullptr;
};

std::vector<Candidate> find_models(const Tensors& tensors) {
  std::vector<Candidate> models;
  std::set<std::string> known;
  for (const TensorView& tensor : tensors) {
    for (const Sign& sign : kSigns) {
      if (!tensor.name.ends_with(sign.name)) continue;
      const std::string prefix = tensor.name.substr(0, tensor.name.size() - sign.name.size());
      if (!prefix.empty() && prefix.back() != '.') continue;
      if (!contains_prefix(tensors, prefix + std::string(sign.beside))) continue;
      if (known.insert(prefix).second) models.push_back({prefix, tensor.data.data()});
    }
  }
  return models;
}

// A model that a checkpoint holds under two names counts once, under the shorter one.
void drop_repeated(std::vector<Candidate>& models) {
  std::ranges::stable_sort(models, {}, [](const Candidate& m) { return m.prefix.size(); });
  std::set<const std::byte*> seen;
  std::erase_if(models, [&](const Candidate& model) {
    return model.data != nullptr && !seen.insert(model.data).second;
  });
}

bool is_averaged(const Candidate& model) {
  return std::ranges::any_of(parts_of(model.prefix), [](std::string_view part) {
    return part == "ema" || part.starts_with("ema_") || part.ends_with("_ema") ||
           part.find("_ema_") != part.npos || part.starts_with("averaged") || part == "swa_model";
  });
}

bool is_trained(const Candidate& model) {
  return std::ranges::all_of(parts_of(model.prefix), [](std::string_view part) {
    return std::ranges::find(kTrained, part) != kTrained.end();
  });
}

// The only one of which `holds` is true.
template <class Holds>
const Candidate* only(const std::vector<Candidate>& models, const Holds& holds) {
  const Candidate* found = nullptr;
  for (const Candidate& model : models) {
    if (!holds(model)) continue;
    if (found != nullptr) return nullptr;
    found = &model;
  }
  return found;
}

std::string shown(const std::string& prefix) {
  return prefix.empty() ? "without a prefix" : "under " + in_quotes(prefix);
}

constexpr size_t kMostModels = 16;  // to choose from

// Chooses one of several models; nothing where nothing speaks for one of them.
std::optional<Candidate> choose(const std::vector<Candidate>& models, WrappedNames& names) {
  if (models.size() == 1) return models.front();
  if (models.size() > kMostModels) return {};
  // MMEngine's EMA hook exchanges the two: it saves the plain weights as ema_state_dict.
  const auto is_exchanged = [](const Candidate& m) {
    return m.prefix.starts_with("ema_state_dict.");
  };
  const auto is_plain_part = [](const Candidate& m) { return m.prefix.starts_with("state_dict."); };
  const bool exchanged = models.size() == 2 && only(models, is_exchanged) != nullptr;
  const Candidate* chosen = exchanged ? only(models, is_plain_part) : only(models, is_averaged);
  const char* why = "the averaged weights (EMA)";
  if (chosen == nullptr && std::ranges::none_of(models, is_averaged)) {
    chosen = only(models, is_trained);
    why = "the model that was trained";
  }
  if (chosen == nullptr) return {};
  std::vector<std::string> others;
  for (const Candidate& model : models) {
    if (model.prefix != chosen->prefix) others.push_back(shown(model.prefix));
  }
  names.choice =
      fmt::format("it holds {} models: {}, {}, is read, not the one{} {}", models.size(), why,
                  shown(chosen->prefix), others.size() == 1 ? "" : "s", fmt::join(others, " and "));
  return *chosen;
}

// The part of `name` that tells where it lies, seen from what lies under `prefix`.
std::string part_beside(std::string_view name, std::string_view prefix) {
  const std::vector<std::string_view> own = parts_of(prefix), theirs = parts_of(name);
  size_t common = 0;
  while (common < own.size() && common + 1 < theirs.size() && own[common] == theirs[common]) {
    ++common;
  }
  return fmt::format("{}", fmt::join(theirs.begin(), theirs.begin() + common + 1, "."));
}

// Keeps the tensors under `prefix`, without it; those of other models go, too.
void keep_part(const std::string& prefix, const std::vector<Candidate>& others, Tensors& tensors,
               WrappedNames& names) {
  const auto is_of_another = [&](const std::string& name) {
    return std::ranges::any_of(others, [&](const Candidate& other) {
      return other.prefix.size() > prefix.size() && name.starts_with(other.prefix);
    });
  };
  Tensors kept;
  std::set<std::string> left_out;
  for (TensorView& tensor : tensors) {
    if (tensor.name.starts_with(prefix) && !is_of_another(tensor.name)) {
      tensor.name.erase(0, prefix.size());
      kept.push_back(std::move(tensor));
    } else {
      left_out.insert(part_beside(tensor.name, prefix));
    }
  }
  names.prefix = prefix;
  names.left_out.assign(left_out.begin(), left_out.end());
  tensors = std::move(kept);
}

// Takes PyTorch's wrappers out of the names, unless two tensors would then have one name.
void drop_wrappers(Tensors& tensors, WrappedNames& names) {
  for (const std::string_view wrapper : kWrappers) {
    const bool stands = std::ranges::any_of(
        tensors, [&](const TensorView& t) { return t.name.find(wrapper) != t.name.npos; });
    if (!stands) continue;
    Tensors changed = tensors;
    bool any = false;
    for (TensorView& tensor : changed) {
      for (size_t at = 0; (at = tensor.name.find(wrapper, at)) != std::string::npos;) {
        if (at > 0 && tensor.name[at - 1] != '.') {
          ++at;
          continue;
        }
        tensor.name.erase(at, wrapper.size());
        any = true;
      }
    }
    if (!any) continue;
    sort(changed);
    if (std::ranges::adjacent_find(changed, {}, &TensorView::name) != changed.end()) continue;
    tensors = std::move(changed);
    names.inner.emplace_back(wrapper);
  }
}

// open_clip's models with a text tower of its own class have its names one level deeper.
void lift_text_tower(Tensors& tensors, WrappedNames& names) {
  constexpr std::string_view kText = "text.";
  const bool deeper = find(tensors, "text.token_embedding.weight") != nullptr &&
                      find(tensors, "text.text_projection") != nullptr &&
                      find(tensors, "visual.conv1.weight") != nullptr &&
                      find(tensors, "token_embedding.weight") == nullptr;
  if (!deeper) return;
  for (TensorView& tensor : tensors) {
    if (tensor.name.starts_with(kText)) tensor.name.erase(0, kText.size());
  }
  sort(tensors);
  names.inner.emplace_back(kText);
}

// Unwraps a model that is not known here, to say what it is.
void unwrap_unknown(Tensors& tensors, WrappedNames& names) {
  for (const std::string_view part : kParts) {
    if (!contains_prefix(tensors, part)) continue;
    keep_part(std::string(part), {}, tensors, names);
    return;
  }
}

// mmcv keeps averaged copies of the parameters as buffers beside them, dots replaced.
void drop_mmcv_averages(Tensors& tensors, WrappedNames& names) {
  if (!contains_prefix(tensors, "ema_")) return;
  std::set<std::string> copies;
  for (const TensorView& tensor : tensors) {
    std::string copy = "ema_" + tensor.name;
    std::ranges::replace(copy, '.', '_');
    copies.insert(std::move(copy));
  }
  const auto removed = std::erase_if(
      tensors, [&](const TensorView& tensor) { return copies.contains(tensor.name); });
  if (removed > 0) names.left_out.emplace_back("ema_*");
}

}  // namespace

WrappedNames unwrap_names(std::vector<TensorView>& tensors) {
  WrappedNames names;
  std::vector<Candidate> models = find_models(tensors);
  if (models.empty()) {
    drop_wrappers(tensors, names);
    models = find_models(tensors);
  }
  if (models.empty()) {
    unwrap_unknown(tensors, names);
    return names;
  }
  drop_repeated(models);
  const std::optional<Candidate> model = choose(models, names);
  if (!model) {
    for (const Candidate& each : models) names.several.push_back(each.prefix);
    return names;
  }
  // Tensors beside a model without a prefix may be part of it: the loader is strict.
  const std::vector<Candidate> others = models.size() > 1 ? models : std::vector<Candidate>();
  keep_part(model->prefix, others, tensors, names);
  drop_wrappers(tensors, names);
  drop_mmcv_averages(tensors, names);
  lift_text_tower(tensors, names);
  return names;
}

std::string describe_prefix(const WrappedNames& names) {
  std::vector<std::string> taken;
  if (!names.prefix.empty()) taken.push_back(in_quotes(names.prefix));
  for (const std::string& inner : names.inner) taken.push_back(in_quotes(inner));
  if (taken.empty()) return {};
  return fmt::format("{} {} taken off the tensors' names", fmt::join(taken, " and "),
                     taken.size() == 1 ? "is" : "are");
}

}  // namespace tagclip

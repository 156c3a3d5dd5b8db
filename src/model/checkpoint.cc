#include "model/checkpoint.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/fields_json.h"
#include "clip/clip_file.h"
#include "text/class_words.h"
#include "weights/mmseg_meta.h"

namespace tagclip {
namespace {

using nlohmann::json;

constexpr const char* kZegClipDecoder = "decode_head.decoder_1.";

// Buffers that the released code stores with its losses.
constexpr const char* kLossBuffers = "decode_head.loss_decode.";

StateDict canonical(const StateDict& state) {
  StateDict result{state.source, {}};
  for (const auto& [name, tensor] : state.tensors) {
    if (name.starts_with(kLossBuffers)) continue;
    if (!result.tensors.emplace(canonical_name(name), tensor).second) {
      throw bad_input(state.source + ": holds " + canonical_name(name) +
                      " and the same under ZegCLIP's name");
    }
  }
  return result;
}

// Settings of earlier versions have `unused_self_attention` in place of `architecture`.
std::string with_architecture(const std::string& settings) {
  constexpr const char* kFormerly = "unused_self_attention";
  std::optional<json> object = parse_bounded_json(settings);
  if (!object || !object->is_object() || !object->contains(kFormerly)) return settings;
  if (object->at(kFormerly) == true) (*object)["architecture"] = "zegclip-released";
  object->erase(kFormerly);
  return object->dump();
}

// Reads the config; `raw` has the tensors under the file's names, `state` under ours.
ModelConfig read_config(Metadata metadata, const Metadata& head_counts, const StateDict& raw,
                        const StateDict& state) {
  ModelConfig config;
  const auto stored = metadata.find("tagclip.model");
  if (stored == metadata.end()) {
    metadata.insert(head_counts.begin(), head_counts.end());
    config = infer_config(state, metadata);
    if (raw.contains_prefix(kZegClipDecoder)) apply_architecture("zegclip-released", config);
  } else {
    FieldList fields = config.fields();
    read_json(with_architecture(with_present_names(stored->second)), fields, state.source);
  }
  return config;
}

}  // namespace

std::string canonical_name(std::string name) {
  const auto replace = [&](const std::string& from, const std::string& to) {
    if (name.starts_with(from)) name = to + name.substr(from.size());
  };
  replace(kZegClipDecoder, "decode_head.decoder.");
  replace("decode_head.q_proj.", "decode_head.relationship_discriptor.q_proj.");
  return name;
}

namespace {

json to_json(const TrainedSet& set) {
  json entry = {{"names", set.names}, {"classes", set.classes}, {"dataset", set.dataset}};
  if (set.reduce_zero_label) entry["reduce_zero_label"] = *set.reduce_zero_label;
  return entry;
}

// Throws json::exception for what no model of ours holds.
TrainedSet read_set(const json& entry, size_t classes) {
  TrainedSet set{.names = entry.at("names"),
                 .classes = entry.at("classes"),
                 .dataset = entry.value("dataset", ""),
                 .reduce_zero_label = {}};
  if (entry.contains("reduce_zero_label")) {
    set.reduce_zero_label = entry["reduce_zero_label"].get<bool>();
  }
  const auto is_class = [&](int64_t c) { return c >= 0 && c < static_cast<int64_t>(classes); };
  if (set.names.size() != set.classes.size() || !std::ranges::all_of(set.classes, is_class)) {
    throw json::other_error::create(501, "the classes of a data set do not fit", &entry);
  }
  return set;
}

}  // namespace

TrainedOn read_trained_on(const Metadata& metadata, const std::string& source) {
  TrainedOn trained_on;
  const auto stored = metadata.find("tagclip.trained_on");
  if (stored == metadata.end()) return trained_on;
  try {
    const json object = parse_bounded_json(stored->second).value_or(json());
    for (const json& entry : object.at("classes")) {
      trained_on.classes.push_back(entry.at("name"));
      trained_on.seen.push_back(entry.at("seen"));
      trained_on.synonyms.push_back(entry.value("synonyms", std::vector<std::string>()));
      if (entry.contains("judged_seen")) trained_on.judged_seen.push_back(entry["judged_seen"]);
    }
    trained_on.templates = object.at("templates");
    trained_on.inductive = object.at("inductive");
    trained_on.dataset = object.value("dataset", "");
    if (object.contains("reduce_zero_label")) {
      trained_on.reduce_zero_label = object["reduce_zero_label"].get<bool>();
    }
    for (const json& entry : object.value("sets", json::array())) {
      trained_on.sets.push_back(read_set(entry, trained_on.classes.size()));
    }
    const auto none = [](const auto& words) { return words.empty(); };
    if (std::ranges::all_of(trained_on.synonyms, none)) trained_on.synonyms.clear();
    // The flags are kept for all classes or for none.
    if (trained_on.judged_seen.size() != trained_on.classes.size()) trained_on.judged_seen.clear();
  } catch (const json::exception& error) {
    throw bad_input(source + ": the metadata tagclip.trained_on is damaged: " + error.what());
  }
  return trained_on;
}

std::vector<std::string> TrainedOn::words(size_t index) const {
  std::vector<std::string> result{classes[index]};
  if (index < synonyms.size()) {
    result.insert(result.end(), synonyms[index].begin(), synonyms[index].end());
  }
  return result;
}

std::vector<TrainedSet> TrainedOn::all_sets() const {
  if (!sets.empty() || classes.empty()) return sets;
  TrainedSet only{classes, std::vector<int64_t>(classes.size()), dataset, reduce_zero_label};
  std::iota(only.classes.begin(), only.classes.end(), 0);
  return {only};
}

std::optional<TrainedSet> TrainedOn::set_of(const std::vector<std::string>& names) const {
  for (TrainedSet& set : all_sets()) {
    if (set.names == names) return std::move(set);
  }
  return {};
}

Metadata describe(const ModelConfig& config, const TrainedOn& trained_on) {
  json classes = json::array();
  for (size_t c = 0; c < trained_on.classes.size(); ++c) {
    json entry = {{"name", trained_on.classes[c]}, {"seen", bool(trained_on.seen[c])}};
    if (c < trained_on.synonyms.size() && !trained_on.synonyms[c].empty()) {
      entry["synonyms"] = trained_on.synonyms[c];
    }
    if (!trained_on.judged_seen.empty()) entry["judged_seen"] = bool(trained_on.judged_seen[c]);
    classes.push_back(std::move(entry));
  }
  json object = {{"classes", classes},
                 {"templates", trained_on.templates},
                 {"inductive", trained_on.inductive}};
  for (const TrainedSet& set : trained_on.sets) object["sets"].push_back(to_json(set));
  if (!trained_on.dataset.empty()) object["dataset"] = trained_on.dataset;
  if (trained_on.reduce_zero_label) object["reduce_zero_label"] = *trained_on.reduce_zero_label;
  return {{"format", "pt"},
          {"tagclip.model", to_json(config.fields())},
          {"tagclip.trained_on", object.dump()}};
}

void save_model(const std::filesystem::path& path, const SegmentationModel& model,
                const TrainedOn& trained_on, StorageType precision, Metadata extra) {
  extra.merge(describe(model.config, trained_on));
  save(path, model.parameters, precision, extra);
}

LoadedModel load_model(const std::filesystem::path& path, const std::string& architecture,
                       const Metadata& head_counts) {
  return load_model(read_stored_weights(path), architecture, head_counts);
}

LoadedModel load_model(const StoredWeights& stored, const std::string& architecture,
                       const Metadata& head_counts) {
  const auto [config, trained_on, state] = read_model_weights(stored, architecture, head_counts);
  LoadedModel loaded{SegmentationModel(config, state.contains_prefix("text_encoder.")), trained_on,
                     stored.metadata};
  load(loaded.model.parameters, state);
  return loaded;
}

ModelWeights read_model_weights(const StoredWeights& stored, const std::string& architecture,
                                const Metadata& head_counts) {
  if (!is_segmentation_model(stored)) {
    std::string advice = advice_for(stored);
    if (is_clip(stored)) {
      advice = "train a decoder for it: tagclip train --set clip=" + stored.source;
    }
    throw bad_input(
        stored.source + ": not a segmentation model; it looks like " + describe_weights(stored),
        advice.empty() ? "give the weights of a trained model" : advice);
  }
  const StateDict raw = StateDict::from(stored);
  StateDict state = canonical(raw);
  ModelConfig config = read_config(stored.metadata, head_counts, raw, state);
  if (!architecture.empty()) apply_architecture(architecture, config);
  check_stored(config, raw.source);
  const PickleValue* root = stored.files.front().root();
  TrainedOn trained_on;
  if (root == nullptr) {
    trained_on = read_trained_on(stored.metadata, raw.source);
  } else {
    StoredClasses classes = read_mmseg_meta(*root, raw.source);
    trained_on.classes = std::move(classes.names);
    trained_on.seen = std::move(classes.seen);
    trained_on.inductive = classes.inductive;
    if (!classes.prompt.empty()) trained_on.templates = parse_templates(classes.prompt);
  }
  return {config, std::move(trained_on), std::move(state)};
}

}  // namespace tagclip

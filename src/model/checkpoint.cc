#include "model/checkpoint.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "clip/clip_file.h"
#include "io/bounded_json.h"
#include "io/weights_kind.h"

namespace tagclip {
namespace {

using nlohmann::json;

constexpr const char* kZegClipDecoder = "decode_head.decoder_1.";

StateDict canonical(const StateDict& state) {
  StateDict result{state.source, {}};
  for (const auto& [name, tensor] : state.tensors) {
    if (!result.tensors.emplace(canonical_name(name), tensor).second) {
      throw bad_input(state.source + ": holds " + canonical_name(name) +
                      " and the same under ZegCLIP's name");
    }
  }
  return result;
}

std::vector<std::string> names_of(const StateDict& state) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state.tensors) names.push_back(name);
  return names;
}

TrainedOn read_trained_on(const Metadata& metadata, const std::string& source) {
  TrainedOn trained_on;
  const auto stored = metadata.find("tagclip.trained_on");
  if (stored == metadata.end()) return trained_on;
  try {
    const json object = parse_bounded_json(stored->second).value_or(json());
    for (const json& entry : object.at("classes")) {
      trained_on.classes.push_back(entry.at("name"));
      trained_on.seen.push_back(entry.at("seen"));
    }
    trained_on.templates = object.at("templates");
    trained_on.inductive = object.at("inductive");
  } catch (const json::exception& error) {
    throw bad_input(source + ": the metadata tagclip.trained_on is damaged: " + error.what());
  }
  return trained_on;
}

// `raw`: under the file's names, `state`: under ours.
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
    read_json(stored->second, fields, state.source);
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

Metadata describe(const ModelConfig& config, const TrainedOn& trained_on) {
  json classes = json::array();
  for (size_t c = 0; c < trained_on.classes.size(); ++c) {
    classes.push_back({{"name", trained_on.classes[c]}, {"seen", bool(trained_on.seen[c])}});
  }
  const json object = {{"classes", classes},
                       {"templates", trained_on.templates},
                       {"inductive", trained_on.inductive}};
  ModelConfig copy = config;
  return {{"format", "pt"},
          {"tagclip.model", to_json(copy.fields())},
          {"tagclip.trained_on", object.dump()}};
}

void save_model(const std::filesystem::path& path, const SegmentationModel& model,
                const TrainedOn& trained_on, Precision precision, Metadata extra) {
  extra.merge(describe(model.config, trained_on));
  save(path, model.parameters, precision, extra);
}

LoadedModel load_model(const std::filesystem::path& path, const std::string& architecture,
                       const Metadata& head_counts) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  const StateDict raw = StateDict::from(file);
  const StateDict state = canonical(raw);
  if (!state.contains_prefix("backbone.") || !state.contains_prefix("decode_head.")) {
    throw bad_input(
        path.string() + ": not a segmentation model; it looks like " +
            describe_weights(names_of(raw)),
        "train a decoder for it with 'tagclip train', or give the weights of a trained model");
  }
  ModelConfig config = read_config(file.metadata(), head_counts, raw, state);
  if (!architecture.empty()) apply_architecture(architecture, config);
  check_stored(config, path.string());
  LoadedModel loaded{SegmentationModel(config, state.contains_prefix("text_encoder.")),
                     read_trained_on(file.metadata(), path.string()), file.metadata()};
  load(loaded.model.parameters, state);
  return loaded;
}

}  // namespace tagclip

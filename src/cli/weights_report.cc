#include "cli/weights_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <ranges>

#include "base/bounded_json.h"
#include "base/text.h"
#include "weights/mmseg_meta.h"

namespace tagclip {
namespace {

using nlohmann::json;
using Groups = std::vector<WeightsSummary::Group>;

constexpr const char* kInductive = "inductive";
constexpr const char* kTransductive = "transductive or supervised";

using Rows = std::vector<std::pair<std::string, std::string>>;

std::string shown(std::string_view text) { return one_line(text, 300); }

// 17258237 -> 17,258,237
std::string grouped(int64_t number) {
  std::string text = std::to_string(number);
  for (size_t end = text.size(); end > 3; end -= 3) text.insert(end - 3, 1, ',');
  return text;
}

std::string tensors_text(int64_t count) {
  return fmt::format("{} tensor{}", grouped(count), count == 1 ? "" : "s");
}

std::string human_size(double bytes) {
  constexpr std::array kUnits = {"bytes", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  for (; bytes >= 1000 && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

uint64_t total_bytes(const StoredWeights& weights) {
  uint64_t bytes = 0;
  for (const TensorView& tensor : weights.tensors) bytes += tensor.data.size();
  return bytes;
}

std::string container_text(const StoredWeights& weights) {
  using Container = WeightsFile::Container;
  std::string text;
  switch (weights.container()) {
    case Container::kSafetensors:
      text = "safetensors";
      break;
    case Container::kTorchZip:
      text = "PyTorch archive";
      break;
    case Container::kTorchScript:
      text = "TorchScript archive";
      break;
    case Container::kTorchLegacy:
      text = "PyTorch file from before 1.6";
      break;
  }
  const size_t shards = weights.files.size();
  return shards == 1 ? text : fmt::format("{} in {} shards", text, shards);
}

// Two columns, indented.
std::string table(const std::string& title, const Rows& rows) {
  if (rows.empty()) return {};
  size_t width = 0;
  for (const auto& [name, value] : rows) width = std::max(width, name.size());
  std::string text = "\n" + title + "\n";
  for (const auto& [name, value] : rows) text += fmt::format("  {:<{}}  {}\n", name, width, value);
  return text;
}

std::string group_table(const std::string& title, const Groups& groups) {
  Rows rows;
  constexpr size_t kMostRows = 100;
  for (const auto& group : groups | std::views::take(kMostRows)) {
    rows.emplace_back(shown(group.name), fmt::format("{:>13} in {}", grouped(group.parameters),
                                                     tensors_text(group.tensors)));
  }
  if (groups.size() > kMostRows) {
    rows.emplace_back("...", fmt::format("and {} more", groups.size() - kMostRows));
  }
  return table(title, rows);
}

// Entries of ours are JSON: objects become a line a field, so that they can be read.
void add_entry(const std::string& name, const json& value, Rows& rows) {
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) add_entry(name + "." + key, inner, rows);
  } else {
    rows.emplace_back(shown(name),
                      shown(value.is_string() ? value.get<std::string>() : value.dump()));
  }
}

std::string class_names(const json& classes, bool seen) {
  std::vector<std::string> names;
  for (const json& entry : classes) {
    if (entry.at("seen") == seen) names.push_back(shown(entry.at("name").get<std::string>()));
  }
  return fmt::format("{}: {}", names.size(), fmt::join(names, ", "));
}

void add_trained_on(const json& trained_on, Rows& rows) {
  const json& classes = trained_on.at("classes");
  rows.emplace_back("seen classes", class_names(classes, true));
  rows.emplace_back("unseen classes", class_names(classes, false));
  rows.emplace_back("setting", trained_on.at("inductive").get<bool>() ? kInductive : kTransductive);
  for (const json& prompt : trained_on.at("templates")) {
    rows.emplace_back("template", shown(prompt.get<std::string>()));
  }
}

// Adds the classes of an mmsegmentation checkpoint, which stores them in its own way.
void add_mmseg_classes(const StoredWeights& weights, Rows& rows) {
  const PickleValue* root = weights.files.front().root();
  if (root == nullptr) return;
  const StoredClasses classes = read_mmseg_meta(*root, weights.source);
  json list = json::array();
  for (size_t c = 0; c < classes.names.size(); ++c) {
    list.push_back({{"name", classes.names[c]}, {"seen", bool(classes.seen[c])}});
  }
  if (list.empty()) return;
  rows.emplace_back("seen classes", class_names(list, true));
  rows.emplace_back("unseen classes", class_names(list, false));
  rows.emplace_back("setting", classes.inductive ? kInductive : kTransductive);
}

std::string metadata_table(const StoredWeights& weights) {
  Rows rows, trained_on;
  add_mmseg_classes(weights, trained_on);
  const Metadata& metadata = weights.metadata;
  for (const auto& [name, value] : metadata) {
    const json parsed = parse_bounded_json(value).value_or(json());
    try {
      if (name == "tagclip.trained_on") {
        add_trained_on(parsed, trained_on);
        continue;
      }
    } catch (const json::exception&) {
      trained_on.clear();  // not as we write it: shown as it is
    }
    add_entry(name, parsed.is_object() ? parsed : json(value), rows);
  }
  return table("trained on", trained_on) + table("metadata", rows);
}

}  // namespace

std::string format_report(const StoredWeights& weights, const WeightsSummary& summary,
                          bool all_tensors) {
  std::string text = fmt::format(
      "{}: {}\n{}, {}, {} parameters, {}\n", weights.source, summary.kind, container_text(weights),
      tensors_text(static_cast<int64_t>(weights.tensors.size())), grouped(summary.parameters),
      human_size(static_cast<double>(total_bytes(weights))));
  for (const std::string& said : {weights.wrapping.choice, describe_prefix(weights.wrapping)}) {
    if (!said.empty()) text += said + "\n";
  }
  if (const auto& left_out = weights.wrapping.left_out; !left_out.empty()) {
    text +=
        fmt::format("beside the model: {}\n", shown(fmt::format("{}", fmt::join(left_out, ", "))));
  }
  if (!summary.missing.empty()) text += summary.missing + "\n";
  if (!summary.assumption.empty()) text += summary.assumption + "\n";
  if (!summary.unread.empty()) text += summary.unread + "\n";
  text += table("architecture", summary.architecture);
  text += group_table("parameters", summary.groups);
  text += group_table("element types", summary.types);
  text += metadata_table(weights);
  if (all_tensors) {
    Rows rows;
    for (const TensorView& tensor : weights.tensors) {
      rows.emplace_back(shown(tensor.name),
                        fmt::format("{:<4} {}", to_string(tensor.dtype), shape_text(tensor.shape)));
    }
    text += table("tensors", rows);
  }
  text.pop_back();  // the console ends the line
  return text;
}

std::string to_json(const StoredWeights& weights, const WeightsSummary& summary, bool all_tensors) {
  using nlohmann::ordered_json;
  const auto groups = [](const Groups& list) {
    ordered_json object = ordered_json::object();
    for (const auto& g : list)
      object[g.name] = {{"tensors", g.tensors}, {"parameters", g.parameters}};
    return object;
  };
  ordered_json report = {{"file", weights.source},
                         {"format", container_text(weights)},
                         {"kind", summary.kind},
                         {"missing", summary.missing},
                         {"assumption", summary.assumption},
                         {"unread", summary.unread},
                         {"prefix", weights.wrapping.prefix},
                         {"choice", weights.wrapping.choice},
                         {"left_out", weights.wrapping.left_out},
                         {"bytes", total_bytes(weights)},
                         {"tensor_count", weights.tensors.size()},
                         {"parameters", summary.parameters},
                         {"groups", groups(summary.groups)},
                         {"element_types", groups(summary.types)},
                         {"architecture", ordered_json::object()},
                         {"metadata", weights.metadata}};
  for (const auto& [part, description] : summary.architecture)
    report["architecture"][part] = description;
  if (all_tensors) {
    report["tensors"] = ordered_json::array();
    for (const TensorView& tensor : weights.tensors) {
      report["tensors"].push_back(
          {{"name", tensor.name}, {"type", to_string(tensor.dtype)}, {"shape", tensor.shape}});
    }
  }
  return json_text(report, 2);
}

}  // namespace tagclip

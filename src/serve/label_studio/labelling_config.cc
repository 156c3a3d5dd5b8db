#include "serve/label_studio/labelling_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <pugixml.hpp>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

constexpr const char* kExample =
    "<Image name=\"image\" value=\"$image\"/> and <BrushLabels name=\"tag\" toName=\"image\"> with "
    "a <Label value=\"...\"/> per word";

// Where a byte of a text stands, for people.
std::string place_of(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::ranges::count(before, '\n') + 1;
  const size_t newline = before.rfind('\n');
  return fmt::format("line {}, column {}", line,
                     newline == before.npos ? offset + 1 : offset - newline);
}

std::string attribute(const pugi::xml_node& tag, const char* name) {
  return std::string(trim(tag.attribute(name).value()));
}

std::optional<LabelTool> tool_of(std::string_view tag) {
  if (tag == "BrushLabels") return LabelTool::kBrush;
  if (tag == "PolygonLabels") return LabelTool::kPolygon;
  return {};
}

bool is_prompt(const pugi::xml_node& tag) {
  return std::string_view(tag.name()) == "TextArea" &&
         (attribute(tag, "name") == "prompt" || attribute(tag, "smart") == "true");
}

// The tags that matter, in the order of the text.
struct Tags {
  std::vector<pugi::xml_node> images, controls, prompts;
};

Tags find_tags(pugi::xml_document& document) {
  struct Walker final : pugi::xml_tree_walker {
    bool for_each(pugi::xml_node& tag) override {
      if (std::string_view(tag.name()) == "Image") tags.images.push_back(tag);
      if (tool_of(tag.name())) tags.controls.push_back(tag);
      if (is_prompt(tag)) tags.prompts.push_back(tag);
      return true;
    }
    Tags tags;
  } walker;
  document.traverse(walker);
  return std::move(walker.tags);
}

void add_labels(const pugi::xml_node& control, LabellingConfig& config) {
  for (const pugi::xml_node& tag : control.children("Label")) {
    const std::string value = attribute(tag, "value"), alias = attribute(tag, "alias");
    if (value.starts_with('$')) {
      throw bad_input(fmt::format("the labelling interface takes labels from the data of tasks: {}",
                                  in_quotes(value)),
                      "write them into the interface: <Label value=\"cat\"/>");
    }
    ConfigLabel label{.name = alias.empty() ? value : alias,
                      .words = words_between(attribute(tag, "predicted_values"), ","),
                      .control = attribute(control, "name"),
                      .tool = *tool_of(control.name())};
    if (label.words.empty()) label.words = {value.empty() ? alias : value};
    if (label.name.empty()) continue;
    if (!is_utf8(label.name) || !std::ranges::all_of(label.words, is_utf8)) {
      throw bad_input("the labelling interface has a label that is not UTF-8");
    }
    const auto same = std::ranges::find(config.labels, label.name, &ConfigLabel::name);
    if (same == config.labels.end()) {
      config.labels.push_back(std::move(label));
    } else if (label.tool == LabelTool::kBrush && same->tool == LabelTool::kPolygon) {
      *same = std::move(label);
    }
  }
}

}  // namespace

Words words_between(std::string_view text, std::string_view separators) {
  Words words;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(separators), text.size());
    if (const auto word = trim(text.substr(0, end)); !word.empty()) words.emplace_back(word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

LabellingConfig parse_labelling_config(std::string_view xml) {
  if (xml.size() > kMaxConfigBytes) {
    throw bad_input(fmt::format("the labelling interface has {} bytes, more than {}", xml.size(),
                                kMaxConfigBytes));
  }
  pugi::xml_document document;
  const pugi::xml_parse_result parsed =
      document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!parsed) {
    throw bad_input(fmt::format("the labelling interface is not XML: {}: {}",
                                place_of(xml, static_cast<size_t>(parsed.offset)),
                                parsed.description()));
  }
  const Tags tags = find_tags(document);
  LabellingConfig config;
  for (const pugi::xml_node& image : tags.images) {
    const std::string name = attribute(image, "name"), value = attribute(image, "value");
    if (name.empty() || !value.starts_with('$') || value.size() == 1) continue;
    config = {.image = name, .image_key = value.substr(1)};
    const auto is_of_it = [&](const pugi::xml_node& tag) {
      return attribute(tag, "toName") == name && !attribute(tag, "name").empty();
    };
    for (const pugi::xml_node& control : tags.controls) {
      if (is_of_it(control)) add_labels(control, config);
    }
    const auto prompt = std::ranges::find_if(tags.prompts, is_of_it);
    if (prompt != tags.prompts.end()) {
      config.prompt = attribute(*prompt, "name");
      config.prompt_text = attribute(*prompt, "value");
    }
    if (!config.labels.empty()) return config;
  }
  if (config.image.empty()) {
    throw bad_input("the labelling interface has no Image with a name and a value such as $image",
                    kExample);
  }
  throw bad_input(
      fmt::format("the labelling interface has no BrushLabels or PolygonLabels with labels for {}",
                  in_quotes(config.image)),
      kExample);
}

}  // namespace tagclip

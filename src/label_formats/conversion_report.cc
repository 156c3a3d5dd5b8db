#include "label_formats/conversion_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/text.h"
#include "data_check/image_label_stats.h"

namespace tagclip {
namespace {

std::string head(const LabelConversion& conversion) {
  std::vector<std::string> splits;
  for (const auto& [name, photos] : conversion.splits) {
    splits.push_back(fmt::format("{} {}", photos, name));
  }
  return fmt::format("{}: {} from {} ({}), {} classes\n", conversion.output.string(),
                     counted(static_cast<int64_t>(conversion.photos()), "photo"), conversion.format,
                     fmt::join(splits, ", "), conversion.classes.size());
}

std::string table(const LabelConversion& conversion) {
  size_t width = 5;
  for (const ConvertedClass& entry : conversion.classes) {
    width = std::max(width, display_width(entry.name));
  }
  const auto padded = [&](const std::string& name) {
    return name + std::string(width - display_width(name), ' ');
  };
  std::string text = fmt::format("{}  {:>12}  {:>6}  {:>6}  {:>6}\n", padded("class"), "pixels",
                                 "share", "photos", "of val");
  for (const ConvertedClass& entry : conversion.classes) {
    text += fmt::format("{}  {:>12}  {:>5}%  {:>6}  {:>6}\n", padded(entry.name), entry.pixels,
                        percent(ratio(entry.pixels, conversion.pixels), 1), entry.photos,
                        entry.validation_photos);
  }
  return text;
}

// Says what became of the pixels without a class.
std::string unlabelled_line(const LabelConversion& conversion) {
  if (conversion.unlabelled == 0) return {};
  const std::string share = percent(ratio(conversion.unlabelled, conversion.pixels), 1);
  return conversion.unlabelled_became == Unlabelled::kBackground
             ? fmt::format(
                   "{}% of the pixels have no label: they are the class background "
                   "(--unlabelled void leaves them out)\n",
                   share)
             : fmt::format("{}% of the pixels have no label: they are void\n", share);
}

std::string split_line(const LabelConversion& conversion) {
  std::string text = conversion.splits_are_the_sources
                         ? "lists: as the source has them"
                         : "lists: drawn, each class in both where it can be";
  if (conversion.near_duplicates > 0) {
    text += fmt::format("; {} nearly the same as another one{}",
                        counted(static_cast<int64_t>(conversion.near_duplicates), "photo"),
                        conversion.splits_are_the_sources ? "" : ", kept on one side");
  }
  return text + "\n";
}

// Returns one line per reason, the most frequent first.
std::string left_out_lines(const LabelConversion& conversion) {
  std::map<std::string, std::vector<std::string>> reasons;
  for (const LeftOutItem& entry : conversion.left_out)
    reasons[one_line(entry.why)].push_back(one_line(entry.name));
  std::vector<std::pair<size_t, std::string>> order;
  for (const auto& [why, names] : reasons) order.emplace_back(names.size(), why);
  std::ranges::stable_sort(order, std::greater(), &std::pair<size_t, std::string>::first);
  constexpr size_t kReasons = 20, kNames = 3;
  std::string text;
  for (size_t i = 0; i < std::min(kReasons, order.size()); ++i) {
    const auto& names = reasons[order[i].second];
    const auto shown = names.begin() + static_cast<ptrdiff_t>(std::min(kNames, names.size()));
    text += fmt::format(
        "left out: {}{}: {}\n", fmt::join(names.begin(), shown, ", "),
        names.size() > kNames ? fmt::format(" and {} more", names.size() - kNames) : std::string(),
        order[i].second);
  }
  if (order.size() > kReasons) {
    text += fmt::format("left out for {} more reasons: conversion.json has them\n",
                        order.size() - kReasons);
  }
  return text;
}

}  // namespace

size_t LabelConversion::photos() const {
  size_t all = 0;
  for (const auto& [name, count] : splits) all += count;
  return all;
}

bool LabelConversion::has_failures() const {
  return std::ranges::any_of(left_out, &LeftOutItem::is_failure);
}

std::string format_report(const LabelConversion& conversion) {
  std::string text = head(conversion) + "\n" + table(conversion) + "\n" +
                     unlabelled_line(conversion) + split_line(conversion);
  for (const std::string& note : conversion.notes) text += "note: " + note + "\n";
  return text + left_out_lines(conversion);
}

std::string to_json(const LabelConversion& conversion) {
  using Json = nlohmann::ordered_json;
  Json json = {{"source", conversion.source.string()},
               {"format", conversion.format},
               {"photos", conversion.photos()},
               {"splits", Json::object()},
               {"splits_from", conversion.splits_are_the_sources ? "source" : "drawn"},
               {"near_duplicates", conversion.near_duplicates},
               {"pixels", conversion.pixels},
               {"unlabelled", conversion.unlabelled},
               {"unlabelled_became",
                conversion.unlabelled_became == Unlabelled::kBackground ? "background" : "void"},
               {"void", conversion.void_pixels},
               {"classes", Json::array()},
               {"left_out", Json::array()},
               {"notes", conversion.notes}};
  for (const auto& [name, photos] : conversion.splits) json["splits"][name] = photos;
  for (const ConvertedClass& entry : conversion.classes) {
    json["classes"].push_back({{"name", entry.name},
                               {"pixels", entry.pixels},
                               {"photos", entry.photos},
                               {"validation_photos", entry.validation_photos}});
  }
  for (const LeftOutItem& entry : conversion.left_out) {
    json["left_out"].push_back(
        {{"name", entry.name}, {"why", entry.why}, {"failure", entry.is_failure}});
  }
  return json_text(json, 2) + "\n";
}

}  // namespace tagclip

#include "infer/summary.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/rounding.h"
#include "base/text.h"
#include "image/label_map.h"
#include "image/palette.h"

namespace tagclip {
namespace {

constexpr int kDecimals = 6;  // of shares and scores

using nlohmann::ordered_json;

// Six digits are plenty, and easier to read.
ordered_json to_json(const FoundClass& found, const EmbeddedVocabulary& vocabulary, Colour colour,
                     const std::vector<double>& presence) {
  const ClassWords& entry = vocabulary.classes[found.index];
  const size_t own = entry.title.empty() ? 1 : 0;  // the name is the first word
  ordered_json object = {
      {"index", found.index},
      {"name", entry.name()},
      {"synonyms", std::vector<std::string>(entry.words.begin() + own, entry.words.end())},
      {"seen", bool(vocabulary.seen[found.index])},
      {"share", rounded(found.share, kDecimals)},
      {"mean_score", rounded(found.mean_score, kDecimals)},
      {"colour", colour}};
  if (!presence.empty()) object["presence"] = rounded(presence[found.index], kDecimals);
  return object;
}

// The classes that were left out because they do not fit the photo.
ordered_json absent_classes(const SegmentedPhoto& result, const EmbeddedVocabulary& vocabulary) {
  ordered_json absent = ordered_json::array();
  for (const size_t c : result.absent) {
    absent.push_back({{"index", c},
                      {"name", vocabulary.classes[c].name()},
                      {"presence", rounded(result.presence[c], kDecimals)}});
  }
  return absent;
}

std::vector<std::string> names_of(const std::vector<size_t>& classes,
                                  const EmbeddedVocabulary& vocabulary) {
  std::vector<std::string> names;
  for (const size_t c : classes) names.push_back(vocabulary.classes[c].name());
  return names;
}

ordered_json regions_json(const Regions& regions, const EmbeddedVocabulary& vocabulary) {
  ordered_json list = ordered_json::array();
  for (const LabelRegion& region : regions.all) {
    list.push_back({{"index", region.label},
                    {"name", vocabulary.classes[region.label].name()},
                    {"box", {region.left, region.top, region.width, region.height}},
                    {"area", region.area},
                    {"mean_score", rounded(region.score, kDecimals)}});
  }
  return list;
}

}  // namespace

std::string percent(double share) { return percent(share, 1) + "%"; }

std::string last_name(const std::filesystem::path& path) {
  const auto name = path.filename();
  return (name.empty() ? path.parent_path().filename() : name).string();
}

std::string describe(const SegmentedPhoto& result, const EmbeddedVocabulary& vocabulary) {
  std::string text;
  const auto append = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  const bool mixed = std::ranges::count(vocabulary.seen, true) > 0;
  size_t small = 0;
  for (const FoundClass& found : result.found) {
    if (found.share < kWorthNaming) {
      ++small;
    } else {
      const bool is_new = mixed && !vocabulary.seen[found.index];
      append(vocabulary.classes[found.index].name() + " " + percent(found.share) +
             (is_new ? " (new)" : ""));
    }
  }
  if (small > 0) append(std::to_string(small) + " more below " + percent(kWorthNaming));
  if (result.unlabelled > 0) append("unlabelled " + percent(result.unlabelled));
  if (!result.absent.empty())
    text += "; not there: " + some_of(names_of(result.absent, vocabulary), 6);
  return text;
}

std::string to_json(const SegmentedPhoto& result, const EmbeddedVocabulary& vocabulary,
                    const std::string& photo, const std::string& weights, const MadeFrom& made_from,
                    const Regions* regions) {
  const std::vector<Colour> palette = result_palette(vocabulary.classes.size());
  ordered_json classes = ordered_json::array();
  for (const FoundClass& found : result.found) {
    classes.push_back(to_json(found, vocabulary, palette[found.index], result.presence));
  }
  ordered_json object = {{"photo", photo},
                         {"width", result.labels.width},
                         {"height", result.labels.height},
                         {"classes", classes},
                         {"unlabelled",
                          {{"value", stored_ignore_index(vocabulary.classes.size())},
                           {"share", rounded(result.unlabelled, kDecimals)}}},
                         {"weights", weights},
                         {"prompt_templates", vocabulary.templates}};
  if (!result.presence.empty()) object["absent"] = absent_classes(result, vocabulary);
  if (regions != nullptr) object["regions"] = regions_json(*regions, vocabulary);
  if (!made_from.empty()) object[kMadeFromKey] = made_from;
  return json_text(object, 2);
}

}  // namespace tagclip

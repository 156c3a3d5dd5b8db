// The two ways a data check leaves the program: a report for people, JSON for programs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "data_check/data_check.h"
#include "data_check/label_census.h"

namespace tagclip {
namespace {

std::vector<ClassCensus> count_splits(const DataCheck& check) {
  std::vector<ClassCensus> counts;
  for (const CheckedSplit& split : check.splits) {
    counts.push_back(count_classes(check.info, split.files.pairs, split.facts));
  }
  return counts;
}

double share(uint64_t part, uint64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

// "320x213", or the smallest and the largest by area.
std::string sizes(const std::vector<PairFacts>& facts) {
  std::vector<Size> sizes;
  for (const PairFacts& f : facts) {
    if (f.photo_error.empty()) sizes.push_back(f.photo);
  }
  if (sizes.empty()) return "none readable";
  const auto area = [](Size size) { return int64_t{size.width} * size.height; };
  const Size least = std::ranges::min(sizes, {}, area), most = std::ranges::max(sizes, {}, area);
  const std::string first = fmt::format("{}x{}", least.width, least.height);
  return least == most ? first : fmt::format("{} to {}x{}", first, most.width, most.height);
}

double unseen_share(const DatasetInfo& info, const ClassCensus& census) {
  uint64_t pixels = 0;
  for (size_t c = 0; c < info.classes.size(); ++c) {
    if (!info.seen[c]) pixels += census.classes[c].pixels;
  }
  return share(pixels, census.labelled);
}

std::string head(const DataCheck& check, const std::vector<ClassCensus>& counts) {
  const DatasetInfo& info = check.info;
  std::string text = fmt::format("{}: a {} set, {} classes", info.folder.string(), info.kind->name,
                                 info.classes.size());
  std::vector<std::string> unseen;
  for (size_t c = 0; c < info.classes.size(); ++c) {
    if (!info.seen[c]) unseen.push_back(info.classes[c]);
  }
  text += unseen.empty() ? ", all seen\n"
                         : fmt::format(", {} unseen: {}\n", unseen.size(), some_of(unseen));
  for (size_t s = 0; s < counts.size(); ++s) {
    const CheckedSplit& split = check.splits[s];
    text += fmt::format("  {:<8} {:>6} photos, {}; {:.1f}% of the pixels labelled", split.name,
                        split.facts.size(), sizes(split.facts),
                        100 * share(counts[s].labelled, counts[s].pixels));
    text += unseen.empty()
                ? "\n"
                : fmt::format(", {:.1f}% of these unseen\n", 100 * unseen_share(info, counts[s]));
  }
  return text;
}

// Every # is a tenth of the most frequent class.
std::string bar(uint64_t pixels, uint64_t most) {
  constexpr double kLongest = 10;
  return std::string(static_cast<size_t>(std::ceil(kLongest * share(pixels, most))), '#');
}

std::string histogram(const DataCheck& check, const std::vector<ClassCensus>& counts) {
  size_t width = 5;
  for (const std::string& name : check.info.classes) width = std::max(width, name.size());
  std::string text = fmt::format("\n{:<{}}        ", "class", width);
  for (const CheckedSplit& split : check.splits) {
    text += fmt::format("  {:<17}  photos", split.name);
  }
  text += '\n';
  std::vector<uint64_t> most;
  for (const ClassCensus& census : counts) {
    most.push_back(std::ranges::max(census.classes, {}, &Count::pixels).pixels);
  }
  for (size_t c = 0; c < check.info.classes.size(); ++c) {
    text += fmt::format("{:<{}}  {:<6}", check.info.classes[c], width,
                        check.info.seen[c] ? "" : "unseen");
    for (size_t s = 0; s < counts.size(); ++s) {
      const Count& count = counts[s].classes[c];
      text +=
          fmt::format("  {:>5.1f}% {:<10}  {:>6}", 100 * share(count.pixels, counts[s].labelled),
                      bar(count.pixels, most[s]), count.files);
    }
    text += '\n';
  }
  return text;
}

std::string verdict(const DataCheck& check) {
  std::string text = "\n";
  for (const Finding& finding : check.findings) {
    text +=
        fmt::format("{}: {}\n  -> {}\n", finding.severity == Severity::kError ? "error" : "warning",
                    finding.what, finding.advice);
  }
  if (!check.usable()) return text + "not fit to train on\n";
  return text +
         (check.findings.empty() ? "nothing found amiss\n" : "usable, with the warnings above\n");
}

}  // namespace

std::string format_report(const DataCheck& check) {
  const auto counts = count_splits(check);
  return head(check, counts) + histogram(check, counts) + verdict(check);
}

std::string to_json(const DataCheck& check) {
  using Json = nlohmann::ordered_json;
  const auto counts = count_splits(check);
  Json json = {{"folder", check.info.folder.string()},
               {"kind", check.info.kind->name},
               {"usable", check.usable()},
               {"findings", Json::array()},
               {"splits", Json::array()},
               {"classes", Json::array()}};
  for (const Finding& finding : check.findings) {
    json["findings"].push_back(
        {{"severity", finding.severity == Severity::kError ? "error" : "warning"},
         {"code", finding.code},
         {"what", finding.what},
         {"advice", finding.advice}});
  }
  for (size_t s = 0; s < counts.size(); ++s) {
    const SplitFiles& files = check.splits[s].files;
    json["splits"].push_back({{"name", check.splits[s].name},
                              {"list", files.list},
                              {"pairs", files.pairs.size()},
                              {"without_photo", files.without_photo},
                              {"without_labels", files.without_labels},
                              {"pixels", counts[s].pixels},
                              {"labelled", counts[s].labelled}});
  }
  for (size_t c = 0; c < check.info.classes.size(); ++c) {
    Json entry = {{"name", check.info.classes[c]}, {"seen", static_cast<bool>(check.info.seen[c])}};
    for (size_t s = 0; s < counts.size(); ++s) {
      const Count& count = counts[s].classes[c];
      entry[check.splits[s].name] = {{"pixels", count.pixels}, {"photos", count.files}};
    }
    json["classes"].push_back(std::move(entry));
  }
  // A file's name that is not UTF-8 must not cost the report.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tagclip

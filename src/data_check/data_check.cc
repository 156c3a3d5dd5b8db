#include "data_check/data_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/text.h"
#include "data/label_sets.h"
#include "data_check/image_label_stats.h"
#include "data_check/label_diagnosis.h"
#include "data_check/parallel_for.h"

namespace tagclip {
namespace {

std::vector<std::string> usual_splits(const DatasetInfo& info) {
  std::vector<std::string> splits;
  const auto there = splits_of(info);
  for (const char* name : {"train", "val"}) {
    if (std::ranges::find(there, name) != there.end()) splits.emplace_back(name);
  }
  if (!splits.empty()) return splits;
  throw bad_input(
      fmt::format("the data set {} has neither a split train nor val", info.folder.string()),
      there.empty() ? "" : fmt::format("name those to check: --splits {}", there[0]));
}

// Reads all pairs in parallel. Returns false when it was stopped.
bool read_all(const DatasetInfo& info, std::vector<CheckedSplit>& splits,
              const CheckProgress& progress) {
  struct Place {
    CheckedSplit* split;
    size_t index;
  };
  std::vector<Place> places;
  for (CheckedSplit& split : splits) {
    split.stats.resize(split.files.pairs.size());
    for (size_t i = 0; i < split.stats.size(); ++i) places.push_back({&split, i});
  }
  bool stopped = false;
  parallel_for(
      places.size(),
      [&](size_t i) {
        const auto& [split, index] = places[i];
        split->stats[index] = read_image_label_stats(info, split->files.pairs[index]);
      },
      [&](size_t done) {
        stopped = stopped || !progress(done, places.size());
        return !stopped;
      });
  return !stopped;
}

void find_label_mistakes(const DatasetInfo& info, const std::vector<CheckedSplit>& splits,
                         std::vector<Finding>& findings) {
  for (size_t kind = 0; kind < info.kind->labels.size(); ++kind) {
    LabelHistogram histogram;
    for (const CheckedSplit& split : splits) {
      add_to_histogram(histogram, split.files.pairs, split.stats, kind);
    }
    if (auto mistake = diagnose_labels(info, kind, histogram)) {
      findings.push_back(std::move(*mistake));
    }
  }
}

std::vector<ClassHistogram> count_splits(const DataCheck& check) {
  std::vector<ClassHistogram> counts;
  for (const CheckedSplit& split : check.splits) {
    counts.push_back(class_histogram(check.info, split.files.pairs, split.stats));
  }
  return counts;
}

// Returns "320x213", or the smallest and the largest size by area.
std::string sizes(const std::vector<ImageLabelStats>& stats) {
  std::vector<Size> sizes;
  for (const ImageLabelStats& f : stats) {
    if (f.image_error.empty()) sizes.push_back(f.image_size);
  }
  if (sizes.empty()) return "none readable";
  const auto area = [](Size size) { return int64_t{size.width} * size.height; };
  const Size least = std::ranges::min(sizes, {}, area), most = std::ranges::max(sizes, {}, area);
  const std::string first = fmt::format("{}x{}", least.width, least.height);
  return least == most ? first : fmt::format("{} to {}x{}", first, most.width, most.height);
}

double unseen_share(const DatasetInfo& info, const ClassHistogram& histogram) {
  uint64_t pixels = 0;
  for (size_t c = 0; c < info.classes.size(); ++c) {
    if (!info.seen[c]) pixels += histogram.classes[c].pixels;
  }
  return ratio(pixels, histogram.labelled);
}

std::string head(const DataCheck& check, const std::vector<ClassHistogram>& counts) {
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
                        split.stats.size(), sizes(split.stats),
                        100 * ratio(counts[s].labelled, counts[s].pixels));
    text += unseen.empty()
                ? "\n"
                : fmt::format(", {:.1f}% of these unseen\n", 100 * unseen_share(info, counts[s]));
  }
  return text;
}

// Returns a # per tenth of the most frequent class.
std::string bar(uint64_t pixels, uint64_t most) {
  constexpr double kLongest = 10;
  return std::string(static_cast<size_t>(std::ceil(kLongest * ratio(pixels, most))), '#');
}

std::string histogram(const DataCheck& check, const std::vector<ClassHistogram>& counts) {
  size_t width = 5;
  for (const std::string& name : check.info.classes) width = std::max(width, name.size());
  std::string text = fmt::format("\n{:<{}}        ", "class", width);
  for (const CheckedSplit& split : check.splits) {
    text += fmt::format("  {:<17}  photos", split.name);
  }
  text += '\n';
  std::vector<uint64_t> most;
  for (const ClassHistogram& histogram : counts) {
    most.push_back(std::ranges::max(histogram.classes, {}, &LabelCount::pixels).pixels);
  }
  for (size_t c = 0; c < check.info.classes.size(); ++c) {
    text += fmt::format("{:<{}}  {:<6}", check.info.classes[c], width,
                        check.info.seen[c] ? "" : "unseen");
    for (size_t s = 0; s < counts.size(); ++s) {
      const LabelCount& count = counts[s].classes[c];
      text +=
          fmt::format("  {:>5.1f}% {:<10}  {:>6}", 100 * ratio(count.pixels, counts[s].labelled),
                      bar(count.pixels, most[s]), count.files);
    }
    text += '\n';
  }
  return text;
}

std::string list_findings(const std::vector<Finding>& findings) {
  std::string text = "\n";
  for (const Finding& finding : findings) {
    text +=
        fmt::format("{}: {}\n  -> {}\n", finding.severity == Severity::kError ? "error" : "warning",
                    finding.what, finding.advice);
  }
  return text;
}

std::string verdict(const DataCheck& check) {
  const std::string text = list_findings(check.findings);
  if (!check.usable()) return text + "not fit to train on\n";
  return text +
         (check.findings.empty() ? "nothing found amiss\n" : "usable, with the warnings above\n");
}

std::vector<const DatasetInfo*> infos_of(const JoinedCheck& check) {
  std::vector<const DatasetInfo*> infos;
  for (const DataCheck& set : check.sets) infos.push_back(&set.info);
  return infos;
}

// Compares what one set trains on with what another one measures on.
void find_shared_photos(const std::string& trained, JoinedCheck& check) {
  for (size_t a = 0; a < check.sets.size(); ++a) {
    for (size_t b = 0; b < check.sets.size(); ++b) {
      if (a == b) continue;
      for (const CheckedSplit& train : check.sets[a].splits) {
        for (const CheckedSplit& val : check.sets[b].splits) {
          if (train.name != trained || val.name == trained) continue;
          find_near_duplicates_between(check.names[a], train, check.names[b], val, check.findings);
        }
      }
    }
  }
}

nlohmann::ordered_json to_json(const std::vector<Finding>& findings) {
  auto list = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"severity", finding.severity == Severity::kError ? "error" : "warning"},
                    {"code", finding.code},
                    {"what", finding.what},
                    {"advice", finding.advice}});
  }
  return list;
}

nlohmann::ordered_json json_of(const DataCheck& check) {
  using Json = nlohmann::ordered_json;
  const auto counts = count_splits(check);
  Json json = {{"folder", check.info.folder.string()},
               {"kind", check.info.kind->name},
               {"usable", check.usable()},
               {"findings", to_json(check.findings)},
               {"splits", Json::array()},
               {"classes", Json::array()}};
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
      const LabelCount& count = counts[s].classes[c];
      entry[check.splits[s].name] = {{"pixels", count.pixels}, {"photos", count.files}};
    }
    json["classes"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace

bool DataCheck::usable() const {
  return std::ranges::none_of(
      findings, [](const Finding& finding) { return finding.severity == Severity::kError; });
}

bool JoinedCheck::usable() const {
  return std::ranges::all_of(sets, [](const DataCheck& set) { return set.usable(); });
}

std::vector<Finding> quick_check(const DatasetOptions& options, const std::string& split,
                                 size_t files) {
  const DatasetInfo info = read_dataset_info(options);
  std::vector<CheckedSplit> some = {{split, list_split(info, split)}};
  auto& pairs = some[0].files.pairs;
  if (pairs.size() > files) {
    std::vector<LabelledFile> chosen;
    for (size_t i = 0; i < files; ++i) chosen.push_back(pairs[i * pairs.size() / files]);
    pairs = std::move(chosen);
  }
  read_all(info, some, [](size_t, size_t) { return true; });
  std::vector<Finding> findings;
  find_label_mistakes(info, some, findings);
  find_class_mistakes(info, some, findings);
  std::erase_if(findings, [](const Finding& f) { return f.severity != Severity::kError; });
  return findings;
}

std::optional<DataCheck> check_data(const DatasetOptions& options, std::vector<std::string> splits,
                                    const CheckProgress& progress) {
  DataCheck check{read_dataset_info(options)};
  if (splits.empty()) splits = usual_splits(check.info);
  for (const std::string& name : splits) {
    check.splits.push_back({name, list_split(check.info, name)});
  }
  if (!read_all(check.info, check.splits, progress)) return {};
  for (const CheckedSplit& split : check.splits) find_file_mistakes(split, check.findings);
  find_label_mistakes(check.info, check.splits, check.findings);
  find_class_mistakes(check.info, check.splits, check.findings);
  find_near_duplicates(check.splits, check.findings);
  std::ranges::stable_sort(check.findings, {}, &Finding::severity);
  return check;
}

std::string format_report(const DataCheck& check) {
  const auto counts = count_splits(check);
  return head(check, counts) + histogram(check, counts) + verdict(check);
}

std::optional<JoinedCheck> check_joined_data(const std::vector<DatasetOptions>& sets,
                                             const std::vector<std::string>& splits,
                                             const CheckProgress& progress) {
  JoinedCheck check;
  std::vector<std::string> folders;
  for (const DatasetOptions& set : sets) folders.push_back(set.folder);
  check.names = names_of_folders(folders);
  std::vector<DatasetInfo> infos;  // what is wrong with the lists is said before photos are read
  for (const DatasetOptions& set : sets) infos.push_back(read_dataset_info(set));
  std::vector<const DatasetInfo*> pointers;
  for (const DatasetInfo& info : infos) pointers.push_back(&info);
  join_classes(pointers, {});
  for (const DatasetOptions& set : sets) {
    std::optional<DataCheck> one = check_data(set, splits, progress);
    if (!one) return {};
    check.sets.push_back(*std::move(one));
  }
  check.findings = find_hidden_and_labelled(infos_of(check), {});
  find_shared_photos(splits.empty() ? "train" : splits.front(), check);
  return check;
}

std::string format_report(const JoinedCheck& check) {
  std::string text;
  for (const DataCheck& set : check.sets) text += format_report(set) + "\n";
  text += fmt::format("together: {} data sets, {} classes\n", check.sets.size(),
                      join_classes(infos_of(check), {}).words.size());
  text += list_findings(check.findings);
  if (!check.usable()) return text + "not fit to train on\n";
  return text + (check.findings.empty() ? "nothing found amiss between them\n"
                                        : "usable together, with the warnings above\n");
}

std::string to_json(const DataCheck& check) { return json_text(json_of(check), 2) + "\n"; }

std::string to_json(const JoinedCheck& check) {
  nlohmann::ordered_json json = {{"usable", check.usable()},
                                 {"classes", join_classes(infos_of(check), {}).words.size()},
                                 {"findings", to_json(check.findings)},
                                 {"sets", nlohmann::ordered_json::array()}};
  for (const DataCheck& set : check.sets) json["sets"].push_back(json_of(set));
  return json_text(json, 2) + "\n";
}

}  // namespace tagclip

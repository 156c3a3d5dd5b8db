#include "commands/segment_jobs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "clip/fingerprint.h"
#include "data/split_files.h"
#include "infer/photo_list.h"

namespace tagclip {
namespace {

using Photos = std::vector<std::filesystem::path>;

constexpr const char* kOverwriteHint =
    "set `overwrite` to replace them, or `output` to another folder";

void refuse_shared_list(const SegmentOptions& options, const World& world) {
  if (world.is_single() || std::ranges::count(options.inputs, "-") == 0) return;
  throw usage_error(
      fmt::format("a list on standard input cannot be shared by {} ranks", world.size()),
      "name the photos, folders or patterns themselves");
}

// The same number on every machine for the same names in the same order.
int64_t list_hash(const Photos& photos) {
  std::string all;
  for (const auto& photo : photos) all += photo.string() + '\0';
  const at::Tensor bytes = at::from_blob(all.data(), {std::ssize(all)}, at::kByte);
  constexpr size_t kDigits = 15;  // of 4 bits each, fewer than an int64_t has
  return std::stoll(fingerprint({bytes}).substr(0, kDigits), nullptr, 16);
}

// All ranks must hold the same list: the work is divided by index.
void check_agreement(const Photos& photos, const World& world) {
  at::Tensor lists = at::zeros({world.size()}, at::kLong);
  lists[world.rank()] = list_hash(photos);
  world.all_reduce_sum(lists);
  if (lists.eq(lists[0]).all().item<bool>()) return;
  throw bad_input(fmt::format("the ranks see different photos; rank {} of {} sees {}", world.rank(),
                              world.size(), photos.size()),
                  "every machine needs the same files under the same names, and nobody may add "
                  "photos while the ranks start");
}

[[noreturn]] void refuse_without_photos(const PhotoList& list) {
  if (list.unusable.size() == 1) throw list.unusable.front().error;
  if (list.unusable.empty()) {
    throw bad_input("the list of photos is empty", "name a photo or a folder");
  }
  throw bad_input(fmt::format("none of the {} entries gives a photo", list.unusable.size()),
                  "name photos, or folders that hold some");
}

template <class Action>
void for_output_folders(const SegmentOptions& options, const Action& action) {
  try {
    action(options.output);
  } catch (const Error& error) {
    throw failure(error.what(), "set `output` to another folder");
  }
  if (options.save_encoding.empty()) return;
  try {
    action(options.save_encoding);
  } catch (const Error& error) {
    throw failure(error.what(), "set `save_encoding` to another folder");
  }
}

// Fails the photos whose results would replace one of the photos themselves.
void leave_out_clashes(const SegmentOptions& options, const Photos& photos, Console& console,
                       SegmentPlan& plan) {
  const auto folder_of = [](const std::filesystem::path& file) {
    return absolute_path(file).parent_path();
  };
  const std::filesystem::path folder = folder_of(options.output / "result");
  std::unordered_set<std::string> in_folder;  // names of photos
  for (const auto& photo : photos) {
    if (folder_of(photo) == folder) in_folder.insert(photo.filename().string());
  }
  if (in_folder.empty()) return;
  std::erase_if(plan.jobs, [&](const SegmentJob& job) {
    const auto clash = std::ranges::find_if(
        job.files, [&](const auto& file) { return in_folder.contains(file.filename().string()); });
    if (clash == job.files.end()) return false;
    ++plan.failed;
    report_failure(job.photo.string(),
                   bad_input(fmt::format("{}: its result {} would replace another of the photos",
                                         job.photo.string(), clash->string()),
                             "set `output` to another folder"),
                   options.json, console);
    return true;
  });
}

// The jobs of this shard: the whole list where there is one only.
std::vector<SegmentJob> shard_of(const SegmentOptions& options,
                                 const std::vector<SegmentJob>& all) {
  std::vector<SegmentJob> jobs;
  for (auto i = static_cast<size_t>(options.shard - 1); i < all.size();
       i += static_cast<size_t>(options.shards)) {
    jobs.push_back(all[i]);
  }
  if (jobs.empty()) {
    throw bad_input(fmt::format("shard {} of {} has none of the {}", options.shard, options.shards,
                                counted(std::ssize(all), "photo")),
                    "make fewer shards");
  }
  return jobs;
}

// Compares the results that are there with those that are wanted: counts per job over all ranks.
class Comparison {
 public:
  Comparison(const std::vector<SegmentJob>& jobs, const MadeFrom& made_from)
      : made_from_(made_from) {
    made_from_[kMadeFromPhoto];  // its digest is each job's own
    for (const auto& [name, value] : made_from_) names_.push_back(name);
    counts_ = at::zeros({std::ssize(jobs), kFirstName + std::ssize(names_)}, at::kInt);
  }

  // Looks at the results of a job on this machine.
  void look_at(int64_t index, const SegmentJob& job) {
    const auto is_there = [](const auto& file) {
      return path_status(file).kind != PathKind::kNothing;
    };
    if (std::ranges::none_of(job.files, is_there)) return;
    const auto stored = read_made_from(class_file_of(job.files));
    if (!stored || stored->empty()) return add(index, kUnknown);
    MadeFrom wanted = made_from_;
    try {
      wanted[kMadeFromPhoto] = file_digest(read_bytes(job.photo));
    } catch (const Error&) {
      return;  // the photo's own turn tells
    }
    const std::vector<std::string> different = differences(*stored, wanted);
    for (const std::string& name : different) {
      const auto known = std::ranges::find(names_, name);
      add(index, known == names_.end() ? kUnknown : kFirstName + (known - names_.begin()));
    }
    if (different.empty()) add(index, std::ranges::all_of(job.files, is_there) ? kDone : kPart);
  }

  void add_up(const World& world) { world.all_reduce_sum(counts_); }

  bool is_part(int64_t index) const { return has(index, kPart) && !differs(index); }
  bool is_done(int64_t index) const { return has(index, kDone) && !differs(index); }
  bool differs(int64_t index) const {
    for (int64_t c = kUnknown; c < counts_.size(1); ++c) {
      if (has(index, c)) return true;
    }
    return false;
  }

  // "that were made from another photo, with another `threshold`".
  std::string description(int64_t index) const {
    if (has(index, kUnknown)) return "that do not say what they were made from";
    std::vector<std::string> parts;
    for (size_t i = 0; i < names_.size(); ++i) {
      if (!has(index, kFirstName + static_cast<int64_t>(i))) continue;
      const std::string& name = names_[i];
      parts.push_back(name == kMadeFromPhoto                 ? "from another photo"
                      : name == "words" || name == "weights" ? "with other " + name
                                                             : "with another `" + name + "`");
    }
    return fmt::format("that were made {}", fmt::join(parts, ", "));
  }

 private:
  static constexpr int64_t kDone = 0, kPart = 1, kUnknown = 2, kFirstName = 3;  // columns

  void add(int64_t index, int64_t column) {
    ++counts_.data_ptr<int>()[index * counts_.size(1) + column];
  }
  bool has(int64_t index, int64_t column) const {
    return counts_.const_data_ptr<int>()[index * counts_.size(1) + column] > 0;
  }

  MadeFrom made_from_;
  std::vector<std::string> names_;
  at::Tensor counts_;  // [jobs, columns], int
};

// Photos whose results are others', by how those were made.
using Conflicts = std::map<std::string, std::vector<std::string>>;

std::string text_of(const std::string& how, const std::vector<std::string>& photos,
                    const SegmentOptions& options) {
  return fmt::format("{} holds results {}, for {}: {}", options.output.string(), how,
                     counted(std::ssize(photos), "photo"), some_of(photos));
}

void report_conflicts(const Conflicts& conflicts, const SegmentOptions& options, Console& console) {
  for (const auto& [how, photos] : conflicts) {
    console.warn(fmt::format("{}; {}", text_of(how, photos, options), kOverwriteHint));
    if (!options.json) continue;
    for (const std::string& photo : photos) {
      console.print(json_text(
          {{"photo", photo}, {"error", text_of(how, {photo}, options)}, {"hint", kOverwriteHint}}));
    }
  }
}

[[noreturn]] void refuse_without_jobs(int64_t done, const Conflicts& conflicts,
                                      const SegmentOptions& options, Console& console) {
  if (done == 0 && conflicts.size() == 1) {
    const auto& [how, photos] = *conflicts.begin();
    throw failure(text_of(how, photos, options), kOverwriteHint);
  }
  report_conflicts(conflicts, options, console);
  throw failure(fmt::format("{} holds results of {} already", options.output.string(),
                            done == 1 && conflicts.empty() ? "this photo" : "all these photos"),
                kOverwriteHint);
}

}  // namespace

void report_failure(const std::string& entry, const Error& error, bool as_json, Console& console) {
  const std::string hint = error.hint().empty() ? "" : fmt::format(" ({})", error.hint());
  console.warn(error.what() + hint);
  if (!as_json) return;
  nlohmann::ordered_json line = {{"photo", entry}, {"error", error.what()}};
  if (!error.hint().empty()) line["hint"] = error.hint();
  console.print(json_text(line));
}

SegmentPlan plan_jobs(const SegmentOptions& options, const OutputSet& outputs, const World& world,
                      Console& console) {
  refuse_shared_list(options, world);
  for_output_folders(options, check_output_folder);
  const PhotoList list = list_photos(options.inputs, [] { return read_standard_input(); });
  check_agreement(list.photos, world);
  for (const LeftOut& left_out : list.left_out) {
    if (left_out.pictures) {
      console.warn(left_out.text);
    } else {
      console.note(left_out.text);
    }
  }
  const bool alone = list.photos.empty() && list.unusable.size() == 1;  // the error itself tells
  for (const UnusableEntry& entry : list.unusable) {
    if (!alone) report_failure(entry.entry, entry.error, options.json, console);
  }
  if (list.photos.empty()) refuse_without_photos(list);

  SegmentPlan plan{.jobs = {}, .whole_list = {}, .failed = std::ssize(list.unusable)};
  const std::vector<std::string> stems = output_stems(list.photos);
  plan.whole_list.reserve(list.photos.size());
  for (size_t i = 0; i < list.photos.size(); ++i) {
    plan.whole_list.push_back(
        {list.photos[i], stems[i], output_files(options.output, stems[i], outputs)});
  }
  plan.jobs = shard_of(options, plan.whole_list);
  leave_out_clashes(options, list.photos, console, plan);
  if (plan.jobs.empty()) {
    throw bad_input("no photo is left whose results have a place",
                    "set `output` to another folder");
  }
  return plan;
}

void create_output_folders(const SegmentOptions& options) {
  for_output_folders(options, create_folders);
}

bool leave_out_done(const SegmentOptions& options, const OutputSet& outputs,
                    const MadeFrom& made_from, const World& world, Console& console,
                    SegmentPlan& plan) {
  if (options.overwrite) return true;
  constexpr int64_t kMany = 1000;
  const int64_t all = std::ssize(plan.jobs);
  Comparison comparison(plan.jobs, made_from);
  for (int64_t i = 0; i < all && !console.stop_requested(); ++i) {
    comparison.look_at(i, plan.jobs[i]);
    if (all >= kMany) console.progress("looking for results", i + 1, all);
  }
  if (world.any(console.stop_requested())) return false;
  comparison.add_up(world);

  std::vector<SegmentJob> rest;
  Conflicts conflicts;
  int64_t done = 0, again = 0;
  for (int64_t i = 0; i < all; ++i) {
    const SegmentJob& job = plan.jobs[i];
    if (comparison.is_done(i)) {
      ++done;
    } else if (comparison.differs(i)) {
      conflicts[comparison.description(i)].push_back(job.photo.string());
      std::erase_if(plan.whole_list, [&](const auto& other) { return other.stem == job.stem; });
      ++plan.failed;
    } else {
      if (comparison.is_part(i)) ++again;
      rest.push_back(job);
    }
  }
  const bool is_made_from_done = needs_labels(outputs.formats) && done > 0;
  if (rest.empty() && !is_made_from_done && !options.watch) {
    refuse_without_jobs(done, conflicts, options, console);
  }
  report_conflicts(conflicts, options, console);
  if (done > 0) {
    console.warn(fmt::format("{} of {} photos have results in {} already and are left out; {}",
                             done, all, options.output.string(), kOverwriteHint));
  }
  if (again > 0) {
    console.note(
        fmt::format("{} of {} photos have a part of their results and are done again", again, all));
  }
  plan.jobs = std::move(rest);
  return true;
}

}  // namespace tagclip

#include "commands/segment_jobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "base/error.h"
#include "clip/fingerprint.h"
#include "infer/outputs.h"
#include "infer/photo_list.h"

namespace tagclip {
namespace {

using Photos = std::vector<std::filesystem::path>;

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

bool any_exists(const std::vector<std::filesystem::path>& files) {
  return std::ranges::any_of(files, [](const auto& file) { return std::filesystem::exists(file); });
}

// Tells per job whether it has results. All ranks have looked before any goes on to write.
at::Tensor find_results(const std::vector<SegmentJob>& jobs, const World& world) {
  at::Tensor found = at::zeros({static_cast<int64_t>(jobs.size())}, at::kInt);
  for (size_t i = 0; i < jobs.size(); ++i) found.data_ptr<int>()[i] = any_exists(jobs[i].files);
  world.all_reduce_sum(found);
  return found.gt(0);
}

// Returns the jobs that have no results.
std::vector<SegmentJob> unfinished(const std::vector<SegmentJob>& jobs,
                                   const SegmentOptions& options, const World& world,
                                   Console& console) {
  const at::Tensor found = find_results(jobs, world);
  std::vector<SegmentJob> rest;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (!found.data_ptr<bool>()[i]) rest.push_back(jobs[i]);
  }
  const size_t all = jobs.size(), done = all - rest.size();
  if (rest.empty()) {
    throw failure(fmt::format("{} holds results of {} already", options.output.string(),
                              all == 1 ? "this photo" : "all these photos"),
                  "set `overwrite` to replace them, or `output` to another folder");
  }
  if (done > 0) {
    console.warn(
        fmt::format("{} of {} photos have results in {} already and are left out; set `overwrite` "
                    "to replace them",
                    done, all, options.output.string()));
  }
  return rest;
}

}  // namespace

std::vector<SegmentJob> plan_jobs(const SegmentOptions& options, const World& world,
                                  Console& console) {
  refuse_shared_list(options, world);
  const Photos photos = list_photos(options.inputs, std::cin);
  check_agreement(photos, world);
  const std::vector<std::string> stems = output_stems(photos);
  std::vector<SegmentJob> jobs;
  jobs.reserve(photos.size());
  for (size_t i = 0; i < photos.size(); ++i) {
    jobs.push_back({photos[i], stems[i], output_files(options.output, stems[i])});
  }
  return options.overwrite ? jobs : unfinished(jobs, options, world, console);
}

}  // namespace tagclip

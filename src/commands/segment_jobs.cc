#include "commands/segment_jobs.h"

#include <c10/util/StringUtil.h>

#include <algorithm>
#include <functional>
#include <iostream>

#include "base/error.h"
#include "infer/photo_list.h"

namespace tagclip {
namespace {

using Photos = std::vector<std::filesystem::path>;

void refuse_shared_list(const SegmentOptions& options, const Ranks& ranks) {
  if (ranks.alone() || std::ranges::count(options.inputs, "-") == 0) return;
  throw usage_error(
      c10::str("a list on standard input cannot be shared by ", ranks.size(), " ranks"),
      "name the photos, folders or patterns themselves");
}

int64_t fingerprint(const Photos& photos) {
  std::string all;
  for (const auto& photo : photos) all += photo.string() + '\0';
  return static_cast<int64_t>(std::hash<std::string>()(all));
}

// By these lists the ranks share the work: another one somewhere, and photos would be left out.
void check_agreement(const Photos& photos, const Ranks& ranks) {
  at::Tensor lists = at::zeros({ranks.size()}, at::kLong);
  lists[ranks.rank()] = fingerprint(photos);
  ranks.sum(lists);
  if (lists.eq(lists[0]).all().item<bool>()) return;
  throw bad_input(c10::str("the ranks see different photos; rank ", ranks.rank(), " of ",
                           ranks.size(), " sees ", photos.size()),
                  "every machine needs the same files under the same names, and nobody may add "
                  "photos while the ranks start");
}

// For each job, whether it has results. All ranks have looked before any goes on to write.
at::Tensor find_results(const std::vector<SegmentJob>& jobs, const Ranks& ranks) {
  at::Tensor found = at::zeros({static_cast<int64_t>(jobs.size())}, at::kInt);
  for (size_t i = 0; i < jobs.size(); ++i) found.data_ptr<int>()[i] = jobs[i].files.any_exists();
  ranks.sum(found);
  return found.gt(0);
}

// Leaves out the jobs that have results.
std::vector<SegmentJob> unfinished(const std::vector<SegmentJob>& jobs,
                                   const SegmentOptions& options, const Ranks& ranks,
                                   Console& console) {
  const at::Tensor found = find_results(jobs, ranks);
  std::vector<SegmentJob> rest;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (!found.data_ptr<bool>()[i]) rest.push_back(jobs[i]);
  }
  const size_t all = jobs.size(), done = all - rest.size();
  if (rest.empty()) {
    throw failure(c10::str(options.output.string(), " holds results of ",
                           all == 1 ? "this photo" : "all these photos", " already"),
                  "--overwrite replaces them, --output chooses another folder");
  }
  if (done > 0) {
    console.warn(c10::str(done, " of ", all, " photos have results in ", options.output.string(),
                          " already and are left out; --overwrite replaces them"));
  }
  return rest;
}

}  // namespace

std::vector<SegmentJob> plan_jobs(const SegmentOptions& options, const Ranks& ranks,
                                  Console& console) {
  refuse_shared_list(options, ranks);
  const Photos photos = list_photos(options.inputs, std::cin);
  check_agreement(photos, ranks);
  const std::vector<std::string> stems = result_stems(photos);
  std::vector<SegmentJob> jobs;
  jobs.reserve(photos.size());
  for (size_t i = 0; i < photos.size(); ++i) {
    jobs.push_back({photos[i], stems[i], ResultFiles(options.output, stems[i])});
  }
  return options.overwrite ? jobs : unfinished(jobs, options, ranks, console);
}

}  // namespace tagclip

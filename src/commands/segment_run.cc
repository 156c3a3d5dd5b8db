#include "commands/segment_run.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/text.h"
#include "infer/outputs.h"
#include "infer/summary.h"

namespace tagclip {
namespace {

// A run of at least this many photos shows its progress.
constexpr int64_t kManyPhotos = 4;

// The ranks exchange their tallies this often: seldom enough to cost nothing, often enough that all
// stop soon after one was told to.
constexpr double kSecondsBetweenMeetings = 5;

std::string milliseconds(double seconds) { return fixed(1000 * seconds, 1); }

std::string json_line(const SegmentJob& job, const PhotoResult& result, const PhotoTimes& times) {
  auto line = nlohmann::ordered_json::parse(
      to_json(result.segmented, result.vocabulary, result.photo_name, result.weights_name));
  line["photo"] = job.photo.string();
  for (size_t i = 0; i < job.files.size(); ++i) {
    line["files"][std::string(outputs()[i].name)] = job.files[i].string();
  }
  if (!result.photo.warning.empty()) line["warning"] = result.photo.warning;
  line["milliseconds"] = 1000 * times.total();
  return json_text(line);
}

std::string text_line(const SegmentJob& job, const PhotoResult& result, const PhotoTimes& times) {
  return fmt::format("{} {}x{}: {}  {} ms", job.photo.string(), result.photo.width,
                     result.photo.height, describe(result.segmented, result.vocabulary),
                     milliseconds(times.total()));
}

// The tallies of all ranks.
SegmentTally add_up(const SegmentTally& own, const World& world) {
  const auto sum = [&](double value) { return world.all_reduce_sum(value); };
  const auto count = [&](int64_t value) {
    return static_cast<int64_t>(world.all_reduce_sum(static_cast<double>(value)));
  };
  const StageTimes& compute = own.times.compute;
  return {.done = count(own.done),
          .failed = count(own.failed),
          .times = {.read = sum(own.times.read),
                    .write = sum(own.times.write),
                    .compute = {.prepare = sum(compute.prepare),
                                .encode = sum(compute.encode),
                                .decode = sum(compute.decode),
                                .blend = sum(compute.blend)}}};
}

// The means over the photos done.
std::string describe_times(const SegmentTally& tally) {
  const auto mean = [&](double seconds) {
    return milliseconds(seconds / static_cast<double>(tally.done));
  };
  const PhotoTimes& times = tally.times;
  return fmt::format("ms per photo: read {}, resize {}, encode {}, decoder {}, masks {}, write {}",
                     mean(times.read), mean(times.compute.prepare), mean(times.compute.encode),
                     mean(times.compute.decode), mean(times.compute.blend), mean(times.write));
}

std::filesystem::path encoding_in(const std::filesystem::path& folder, const SegmentJob& job) {
  return folder / (job.stem + ".encoding.safetensors");
}

}  // namespace

PhotoTimes& PhotoTimes::operator+=(const PhotoTimes& other) {
  read += other.read;
  write += other.write;
  compute += other.compute;
  return *this;
}

SegmentRun::SegmentRun(const SegmentOptions& options, Pipeline& pipeline,
                       const EmbeddedVocabulary& vocabulary, const std::vector<SegmentJob>& jobs,
                       const World& world, Console& console)
    : options_(options),
      pipeline_(pipeline),
      vocabulary_(vocabulary),
      jobs_(jobs),
      total_(std::ssize(jobs)),
      world_(world),
      console_(console),
      root_console_(world, console),
      prefetcher_(pipeline) {}

int SegmentRun::run() {
  SegmentTally all;
  for (bool stop = false; !stop && all.tried() < total_;) {
    work_until_meeting();
    all = add_up(own_, world_);
    stop = world_.any(console_.stop_requested());
    elsewhere_ = all.tried() - own_.tried();
    if (!world_.is_single()) show_progress();
  }
  report(all);
  if (all.tried() < total_) return kStopped;
  return all.failed > 0 ? static_cast<int>(ErrorKind::kBadInput) : 0;
}

void SegmentRun::work_until_meeting() {
  Stopwatch watch;
  double passed = 0;
  while (next_job() < total_ && passed < kSecondsBetweenMeetings && !console_.stop_requested()) {
    if (own_.tried() == fetched_) prefetch();
    attempt(jobs_[next_job()]);
    show_progress();
    passed += watch.lap();
  }
}

// Fetches the next photos together, where that is worth it.
void SegmentRun::prefetch() {
  const auto most = static_cast<int64_t>(pipeline_.photos_per_batch());
  std::vector<std::filesystem::path> photos;
  for (; job_index(fetched_) < total_ && fetched_ < own_.tried() + most; ++fetched_) {
    photos.push_back(jobs_[job_index(fetched_)].photo);
  }
  if (most > 1 && options_.encoding.empty()) prefetcher_.fetch(photos);
}

void SegmentRun::show_progress() {
  if (total_ < kManyPhotos) return;
  root_console_.progress("photos", own_.tried() + elsewhere_, total_);
}

// Bad input skips this photo; any other error aborts the run.
void SegmentRun::attempt(const SegmentJob& job) {
  try {
    segment(job);
    ++own_.done;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kBadInput) throw;
    ++own_.failed;
    const std::string hint = error.hint().empty() ? "" : fmt::format(" ({})", error.hint());
    console_.warn(error.what() + hint);
    if (options_.json) {
      console_.print(json_text({{"photo", job.photo.string()}, {"error", error.what()}}));
    }
  }
}

void SegmentRun::segment(const SegmentJob& job) {
  const PreparedPhoto photo = prepare(job);
  if (!photo.image.warning.empty()) console_.warn(photo.image.warning);
  Stopwatch watch;
  if (!options_.save_encoding.empty()) {
    pipeline_.write_encoding(encoding_in(options_.save_encoding, job), photo.encoded, photo.image);
  }
  PhotoTimes times{.read = photo.read, .write = watch.lap(), .compute = photo.times};
  const SegmentedPhoto segmented = pipeline_.segment(photo.encoded, vocabulary_);
  times.compute += segmented.times;
  watch.lap();
  const PhotoResult result{photo.image, segmented, vocabulary_, job.photo.filename().string(),
                           last_name(options_.weights)};
  write_outputs(job.files, result);
  times.write += watch.lap();
  own_.times += times;
  console_.print(options_.json ? json_line(job, result, times) : text_line(job, result, times));
}

PreparedPhoto SegmentRun::prepare(const SegmentJob& job) {
  if (std::optional<PreparedPhoto> fetched = prefetcher_.take(job.photo)) {
    return std::move(*fetched);
  }
  PreparedPhoto photo;
  Stopwatch watch;
  photo.image = read_image(job.photo, {.max_pixels = options_.inference.max_pixels});
  photo.read = watch.lap();
  if (options_.encoding.empty()) {
    photo.encoded = pipeline_.encode(photo.image, photo.times);
  } else {
    photo.encoded = pipeline_.read_encoding(encoding_in(options_.encoding, job), photo.image);
    photo.times.encode = watch.lap();
  }
  return photo;
}

void SegmentRun::report(const SegmentTally& all) {
  if (all.tried() < total_) {
    root_console_.note(
        fmt::format("stopped: {} of {} photos are left", total_ - all.tried(), total_));
  }
  if (all.done > 0) root_console_.note(describe_times(all));
  const std::string where =
      all.done > 0 ? "; results are in " + options_.output.string() : std::string();
  root_console_.note(fmt::format("{} done, {} failed{}", all.done, all.failed, where));
}

}  // namespace tagclip

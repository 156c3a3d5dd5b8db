#include "commands/segment_run.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "infer/summary.h"

namespace tagclip {
namespace {

// From here on a run shows its progress.
constexpr int64_t kManyPhotos = 4;

// The ranks exchange their tallies this often: seldom enough to cost nothing, often enough that all
// stop soon after one was told to.
constexpr double kSecondsBetweenMeetings = 5;

std::string milliseconds(double seconds) { return fixed(1000 * seconds, 1); }

std::string text_line(const SegmentJob& job, const PhotoResult& result, const PhotoTimes& times) {
  // The names of results that are not the photo's are told: they would not be found.
  const bool renamed = job.stem != job.photo.stem().string();
  return fmt::format("{} {}x{}: {}  {} ms{}", job.photo.string(), result.photo.width,
                     result.photo.height, describe(result.segmented, result.vocabulary),
                     milliseconds(times.total()), renamed ? ", results named " + job.stem : "");
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

std::string SegmentTally::text(const std::string& before, int64_t total) const {
  return fmt::format("{}{} done, {} failed, {} left", before, done, failed, total - tried());
}

// A photo whose files are still to be written.
struct SegmentRun::Segmented {
  const SegmentJob& job;
  PreparedPhoto photo;
  SegmentedPhoto segmented;
  PhotoTimes times;
};

SegmentRun::SegmentRun(const SegmentOptions& options, const OutputSet& outputs, Pipeline& pipeline,
                       const EmbeddedVocabulary& vocabulary, const MadeFrom& made_from,
                       const SegmentPlan& plan, const World& world, Console& console)
    : options_(options),
      outputs_(outputs),
      output_run_(output_run(options.output, vocabulary, last_name(options.weights), outputs)),
      pipeline_(pipeline),
      vocabulary_(vocabulary),
      made_from_(made_from),
      jobs_(plan.jobs),
      total_(std::ssize(plan.jobs)),
      failed_before_(plan.failed),
      world_(world),
      console_(console),
      root_console_(world, console),
      prefetcher_(pipeline) {}

SegmentRun::~SegmentRun() = default;

int SegmentRun::run() {
  SegmentTally all;
  try {
    all = work();
  } catch (...) {
    report(known(), "broken off: ");
    throw;
  }
  const bool stopped = all.tried() < total_;
  all.failed += failed_before_;
  report(all, stopped ? "stopped: " : "");
  if (stopped) return kStopped;
  return all.failed > 0 ? static_cast<int>(ErrorKind::kBadInput) : 0;
}

// Returns the tallies of all ranks.
SegmentTally SegmentRun::work() {
  SegmentTally all;
  for (bool stop = false; !stop && all.tried() < total_;) {
    work_until_meeting();
    all = add_up(own_, world_);
    stop = world_.any(console_.stop_requested());
    elsewhere_ = {.done = all.done - own_.done, .failed = all.failed - own_.failed};
    if (!world_.is_single()) show_progress();
  }
  return all;
}

void SegmentRun::work_until_meeting() {
  Stopwatch watch;
  double passed = 0;
  while (next_job() < total_ && passed < kSecondsBetweenMeetings && !console_.stop_requested()) {
    if (begun_ == fetched_) prefetch();
    const SegmentJob& job = jobs_[next_job()];
    ++begun_;
    std::unique_ptr<Segmented> photo;
    attempt(job, [&] { photo = segment(job); });
    if (photo) {
      finish_writing();
      begin_writing(std::move(photo));
    }
    passed += watch.lap();
  }
  finish_writing();
}

// Fetches the next photos together, where that is worth it.
void SegmentRun::prefetch() {
  const auto most = static_cast<int64_t>(pipeline_.photos_per_batch());
  std::vector<std::filesystem::path> photos;
  for (; job_index(fetched_) < total_ && fetched_ < begun_ + most; ++fetched_) {
    photos.push_back(jobs_[job_index(fetched_)].photo);
  }
  if (most > 1 && options_.encoding.empty()) prefetcher_.fetch(photos);
}

void SegmentRun::show_progress() {
  if (total_ < kManyPhotos) return;
  root_console_.progress("photos", own_.tried() + elsewhere_.tried(), total_);
}

// Bad input skips this photo; any other error aborts the run.
template <class Action>
void SegmentRun::attempt(const SegmentJob& job, const Action& action) {
  try {
    about_file(job.photo.string(), action);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kBadInput) throw;
    finish_writing();  // of the photo before: lines come in order
    ++own_.failed;
    report_failure(job.photo.string(), error, options_.json, console_);
    show_progress();
  }
}

std::unique_ptr<SegmentRun::Segmented> SegmentRun::segment(const SegmentJob& job) {
  check_places(job.files, outputs_);
  auto done = std::make_unique<Segmented>(Segmented{job, prepare(job), {}, {}});
  const PreparedPhoto& photo = done->photo;
  if (!photo.image.warning.empty()) console_.warn(photo.image.warning);
  Stopwatch watch;
  if (!options_.save_encoding.empty()) save_encoding(job, photo);
  done->times = {.read = photo.read, .write = watch.lap(), .compute = photo.times};
  done->segmented = pipeline_.segment(photo.encoded, vocabulary_);
  clean_small_regions(outputs_, vocabulary_, done->segmented);
  done->times.compute += done->segmented.times;
  return done;
}

PhotoResult SegmentRun::result_of(const Segmented& done) const {
  PhotoResult result{
      done.photo.image,  done.segmented, vocabulary_,    done.job.photo.filename().string(),
      output_run_.model, made_from_,     done.job.photo, done.job.stem};
  result.made_from[kMadeFromPhoto] = done.photo.digest;
  result.class_scores = [&](std::span<const int> classes) {
    return pipeline_.class_scores(done.photo.encoded, vocabulary_, classes);
  };
  return result;
}

// Files are made and flushed to the disk while the next photo is segmented.
void SegmentRun::begin_writing(std::unique_ptr<Segmented> done) {
  written_ = std::move(done);
  writing_ = std::async(std::launch::async, [this] {
    Stopwatch watch;
    write_outputs(written_->job.files, result_of(*written_), output_run_, outputs_);
    written_->times.write += watch.lap();
  });
}

void SegmentRun::finish_writing() {
  if (!writing_.valid()) return;
  writing_.wait();
  const std::unique_ptr<Segmented> done = std::move(written_);
  attempt(done->job, [&] {
    writing_.get();
    ++own_.done;
    own_.times += done->times;
    const PhotoResult result = result_of(*done);
    console_.print(options_.json ? json_line(done->job, result, done->times)
                                 : text_line(done->job, result, done->times));
    show_progress();
  });
}

std::string SegmentRun::json_line(const SegmentJob& job, const PhotoResult& result,
                                  const PhotoTimes& times) const {
  auto line = nlohmann::ordered_json::parse(
      to_json(result.segmented, result.vocabulary, result.photo_name, result.weights_name));
  line["photo"] = job.photo.string();
  const std::vector<std::string> names = output_names(outputs_);
  for (size_t i = 0; i < job.files.size(); ++i) line["files"][names[i]] = job.files[i].string();
  if (!result.photo.warning.empty()) line["warning"] = result.photo.warning;
  line["milliseconds"] = 1000 * times.total();
  return json_text(line);
}

// One that is there is replaced only when asked for, unless it is this photo's.
void SegmentRun::save_encoding(const SegmentJob& job, const PreparedPhoto& photo) {
  const std::filesystem::path file = encoding_in(options_.save_encoding, job);
  if (!options_.overwrite && path_exists(file)) {
    try {
      pipeline_.read_encoding(file, photo.image);
      return;
    } catch (const Error& error) {
      throw bad_input(error.what(),
                      "set `overwrite` to replace it, or `save_encoding` to another "
                      "folder");
    }
  }
  pipeline_.write_encoding(file, photo.encoded, photo.image);
}

PreparedPhoto SegmentRun::prepare(const SegmentJob& job) {
  if (std::optional<PreparedPhoto> fetched = prefetcher_.take(job.photo)) {
    return std::move(*fetched);
  }
  PreparedPhoto photo = read_photo(job.photo, options_.inference);
  Stopwatch watch;
  if (options_.encoding.empty()) {
    photo.encoded = pipeline_.encode(photo.image, photo.times);
  } else {
    photo.encoded = pipeline_.read_encoding(encoding_in(options_.encoding, job), photo.image);
    photo.times.encode = watch.lap();
  }
  return photo;
}

SegmentTally SegmentRun::known() const {
  return {.done = own_.done + elsewhere_.done,
          .failed = own_.failed + elsewhere_.failed + failed_before_};
}

void SegmentRun::report(const SegmentTally& all, const std::string& before) {
  if (all.done > 0 && before.empty()) root_console_.note(describe_times(all));
  const std::string where =
      all.done > 0 ? "; results are in " + options_.output.string() : std::string();
  root_console_.note(all.text(before, total_ + failed_before_) + where);
}

}  // namespace tagclip

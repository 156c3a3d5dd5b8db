#include <ATen/Parallel.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "commands/commands.h"
#include "commands/model_setup.h"
#include "commands/photos_ahead.h"
#include "commands/precision_setup.h"
#include "commands/rank_setup.h"
#include "commands/segment_jobs.h"
#include "commands/segment_tally.h"
#include "infer/encoding_file.h"
#include "infer/stopwatch.h"
#include "infer/summary.h"

namespace tagclip {
namespace {

// From here on a run shows its progress.
constexpr int64_t kManyPhotos = 4;

// The ranks compare notes this often: seldom enough to cost nothing, often enough that all stop
// soon after one was told to.
constexpr double kSecondsBetweenMeetings = 5;

nlohmann::ordered_json json_line(const SegmentJob& job, const std::string& classes_json,
                                 const PhotoTimes& times) {
  auto line = nlohmann::ordered_json::parse(classes_json);
  line["photo"] = job.photo.string();
  line["files"] = {{"overlay", job.files.overlay.string()},
                   {"labels", job.files.labels.string()},
                   {"classes", job.files.classes.string()}};
  line["milliseconds"] = 1000 * times.total();
  return line;
}

std::string dump(const nlohmann::ordered_json& line) {
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

class Run {
 public:
  // `encoder_fingerprint`: empty where no encodings are kept or read.
  Run(const SegmentOptions& options, const SlidingSegmenter& segmenter,
      std::string encoder_fingerprint, const std::vector<SegmentJob>& jobs, const Ranks& ranks,
      Console& console)
      : options_(options),
        segmenter_(segmenter),
        encoder_fingerprint_(std::move(encoder_fingerprint)),
        jobs_(jobs),
        ranks_(ranks),
        console_(console),
        shared_console_(ranks, console),
        ahead_(segmenter.encoder(), options.max_pixels) {}

  // The exit code is that of all ranks together.
  int operator()() {
    SegmentTally all;
    for (bool stop = false; !stop && all.tried() < total_;) {
      work();
      all = add_up(own_, ranks_);
      stop = stop_wanted(ranks_, console_);
      elsewhere_ = all.tried() - own_.tried();
      if (!ranks_.alone()) show_progress();
    }
    report(all);
    if (all.tried() < total_) return kStopped;
    return all.failed > 0 ? static_cast<int>(ErrorKind::kBadInput) : 0;
  }

 private:
  // Until the next meeting.
  void work() {
    Stopwatch watch;
    double passed = 0;
    while (next() < total_ && passed < kSecondsBetweenMeetings && !console_.stop_requested()) {
      if (own_.tried() == fetched_) fetch();
      attempt(jobs_[next()]);
      show_progress();
      passed += watch.lap();
    }
  }

  // The ranks take turns.
  int64_t nth(int64_t own) const { return ranks_.rank() + own * ranks_.size(); }
  int64_t next() const { return nth(own_.tried()); }

  // The next photos together, where that is worth it.
  void fetch() {
    const auto most = static_cast<int64_t>(segmenter_.encoder().photos_at_once());
    std::vector<std::filesystem::path> photos;
    for (; nth(fetched_) < total_ && fetched_ < own_.tried() + most; ++fetched_) {
      photos.push_back(jobs_[nth(fetched_)].photo);
    }
    if (most > 1 && options_.encoding.empty()) ahead_.fetch(photos);
  }

  void show_progress() {
    if (total_ < kManyPhotos) return;
    shared_console_.progress("photos", own_.tried() + elsewhere_, total_);
  }

  // A photo that cannot be used costs itself alone; a world that fails ends the run.
  void attempt(const SegmentJob& job) {
    try {
      segment(job);
      ++own_.done;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput) throw;
      ++own_.failed;
      const std::string hint = error.hint().empty() ? "" : c10::str(" (", error.hint(), ")");
      console_.warn(error.what() + hint);
      if (options_.json) {
        console_.print(dump({{"photo", job.photo.string()}, {"error", error.what()}}));
      }
    }
  }

  void segment(const SegmentJob& job) {
    const PreparedPhoto photo = prepared(job);
    Stopwatch watch;
    if (!options_.save_encoding.empty()) {
      write_encoding(encoding_in(options_.save_encoding, job), photo.encoded, photo.image,
                     encoder_fingerprint_);
    }
    const double kept = watch.lap();
    SegmentedPhoto result = segmenter_(photo.encoded);
    result.times.prepare = photo.times.prepare;
    result.times.encode = photo.times.encode;
    watch.lap();
    const std::string classes = to_json(result, segmenter_.vocabulary(),
                                        job.photo.filename().string(), last_name(options_.weights));
    write_results(job.files, photo.image, result, segmenter_.vocabulary(), classes);

    const PhotoTimes times{
        .read = photo.read, .write = kept + watch.lap(), .compute = result.times};
    own_.times += times;
    console_.print(options_.json ? dump(json_line(job, classes, times))
                                 : line(job, photo.image, result, times));
  }

  PreparedPhoto prepared(const SegmentJob& job) {
    if (std::optional<PreparedPhoto> ahead = ahead_.take(job.photo)) return std::move(*ahead);
    const PhotoEncoder& encoder = segmenter_.encoder();
    PreparedPhoto photo;
    Stopwatch watch;
    photo.image = read_image(job.photo, {.max_pixels = options_.max_pixels});
    photo.read = watch.lap();
    if (options_.encoding.empty()) {
      photo.encoded = encoder(photo.image, photo.times);
    } else {
      photo.encoded = read_encoding(encoding_in(options_.encoding, job), photo.image,
                                    encoder_fingerprint_, encoder.options(), encoder.clip_config());
      photo.times.encode = watch.lap();
    }
    return photo;
  }

  static std::filesystem::path encoding_in(const std::filesystem::path& folder,
                                           const SegmentJob& job) {
    return folder / (job.stem + ".encoding.safetensors");
  }

  std::string line(const SegmentJob& job, const Image& photo, const SegmentedPhoto& result,
                   const PhotoTimes& times) const {
    return c10::str(job.photo.string(), " ", photo.width, "x", photo.height, ": ",
                    describe(result, segmenter_.vocabulary()), "  ", milliseconds(times.total()),
                    " ms");
  }

  void report(const SegmentTally& all) {
    if (all.tried() < total_) {
      shared_console_.note(
          c10::str("stopped: ", total_ - all.tried(), " of ", total_, " photos are left"));
    }
    if (all.done > 0) shared_console_.note(describe_times(all));
    const std::string where =
        all.done > 0 ? "; results are in " + options_.output.string() : std::string();
    shared_console_.note(c10::str(all.done, " done, ", all.failed, " failed", where));
  }

  const SegmentOptions& options_;
  const SlidingSegmenter& segmenter_;
  std::string encoder_fingerprint_;
  const std::vector<SegmentJob>& jobs_;
  const int64_t total_ = static_cast<int64_t>(jobs_.size());
  const Ranks& ranks_;
  Console& console_;
  FirstRankConsole shared_console_;
  PhotosAhead ahead_;
  int64_t fetched_ = 0;  // own photos that are or were fetched ahead
  SegmentTally own_;
  int64_t elsewhere_ = 0;  // photos that other ranks had tried at the last meeting
};

}  // namespace
}  // namespace tagclip

int tagclip_segment(const tagclip::SegmentOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  // Mistakes first: reading the weights takes longer than all of this.
  Wanted wanted = read_words(options);
  const Weighting weighting = parse_weighting(options.weighting);
  if (options.threads > 0) at::set_num_threads(static_cast<int>(options.threads));
  const Ranks ranks = meet_ranks();
  FirstRankConsole shared(ranks, console);
  const std::vector<SegmentJob> jobs = plan_jobs(options, ranks, shared);

  InferenceModel model = load_model_noisily(options, ranks, shared);
  EmbeddedVocabulary vocabulary = embed_noisily(model, std::move(wanted), options, shared);
  if (stop_wanted(ranks, console)) return kStopped;
  const SlidingOptions sliding{.window = options.window,
                               .stride = options.stride,
                               .short_side = options.short_side,
                               .weighting = weighting,
                               .threshold = options.threshold};
  if (options.encoding.empty()) {
    const auto photo = [&](int64_t i) {
      return read_image(jobs[i].photo, {.max_pixels = options.max_pixels});
    };
    model.dense = in_precision(options.precision, std::move(model.dense), {vocabulary, sliding},
                               {static_cast<int64_t>(jobs.size()), photo}, ranks, shared);
  }
  const SlidingSegmenter segmenter(*model.dense, std::move(vocabulary), sliding);
  create_folders(options.output);
  if (!options.save_encoding.empty()) create_folders(options.save_encoding);
  const bool encodings = !options.encoding.empty() || !options.save_encoding.empty();
  return Run(options, segmenter, encodings ? model.dense->encoder_fingerprint() : "", jobs, ranks,
             console)();
}

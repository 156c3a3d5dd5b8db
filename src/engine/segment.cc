#include <ATen/Parallel.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "engine/commands.h"
#include "engine/model_setup.h"
#include "engine/run_config.h"
#include "infer/encoding_file.h"
#include "infer/photo_list.h"
#include "infer/result_files.h"
#include "infer/stopwatch.h"
#include "infer/summary.h"

namespace tagclip {
namespace {

// From here on a run shows its progress.
constexpr size_t kManyPhotos = 4;

struct Job {
  std::filesystem::path photo;
  std::string stem;  // of all its files
  ResultFiles files;
};

// What is to be done; photos that have results already are left alone unless the user asked to
// overwrite.
std::vector<Job> plan(const SegmentOptions& options, Console& console) {
  const auto photos = list_photos(options.inputs, std::cin);
  const std::vector<std::string> stems = result_stems(photos);
  std::vector<Job> jobs;
  for (size_t i = 0; i < photos.size(); ++i) {
    jobs.push_back({photos[i], stems[i], ResultFiles(options.output, stems[i])});
  }
  if (options.overwrite) return jobs;

  const size_t all = jobs.size();
  std::erase_if(jobs, [](const Job& job) { return job.files.any_exists(); });
  const size_t done = all - jobs.size();
  if (jobs.empty()) {
    throw failure(c10::str(options.output.string(), " holds results of ",
                           all == 1 ? "this photo" : "all these photos", " already"),
                  "--overwrite replaces them, --output chooses another folder");
  }
  if (done > 0) {
    console.warn(c10::str(done, " of ", all, " photos have results in ", options.output.string(),
                          " already and are left out; --overwrite replaces them"));
  }
  return jobs;
}

void create_folder(const std::filesystem::path& folder) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) {
    throw failure(folder.string() + ": the folder cannot be created: " + problem.message(),
                  "--output chooses another one");
  }
}

// Seconds of a photo or of a whole run.
struct Times {
  double read = 0, write = 0;
  StageTimes compute;

  double total() const {
    return read + compute.prepare + compute.encode + compute.decode + compute.blend + write;
  }
  Times& operator+=(const Times& other) {
    read += other.read;
    write += other.write;
    compute.prepare += other.compute.prepare;
    compute.encode += other.compute.encode;
    compute.decode += other.compute.decode;
    compute.blend += other.compute.blend;
    return *this;
  }
};

std::string milliseconds(double seconds) { return fixed(1000 * seconds, 1); }

nlohmann::ordered_json json_line(const Job& job, const std::string& classes_json,
                                 const Times& times) {
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
      std::string encoder_fingerprint, Console& console)
      : options_(options),
        segmenter_(segmenter),
        encoder_fingerprint_(std::move(encoder_fingerprint)),
        console_(console) {}

  int operator()(const std::vector<Job>& jobs) {
    size_t tried = 0;
    while (tried < jobs.size() && !console_.stop_requested()) {
      attempt(jobs[tried]);
      ++tried;
      if (jobs.size() >= kManyPhotos) {
        console_.progress("photos", static_cast<int64_t>(tried), static_cast<int64_t>(jobs.size()));
      }
    }
    report(jobs.size());
    if (tried < jobs.size()) return kStopped;
    return failed_ > 0 ? static_cast<int>(ErrorKind::kBadInput) : 0;
  }

 private:
  // A photo that cannot be used costs itself alone; a world that fails ends the run.
  void attempt(const Job& job) {
    try {
      segment(job);
      ++done_;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput) throw;
      ++failed_;
      const std::string hint = error.hint().empty() ? "" : c10::str(" (", error.hint(), ")");
      console_.warn(error.what() + hint);
      if (options_.json) {
        console_.print(dump({{"photo", job.photo.string()}, {"error", error.what()}}));
      }
    }
  }

  void segment(const Job& job) {
    Stopwatch watch;
    Times times;
    const Image photo = read_image(job.photo, {.max_pixels = options_.max_pixels});
    times.read = watch.lap();
    const SegmentedPhoto result = result_of(job, photo);
    times.compute = result.times;
    const double kept = watch.lap() - times.total() + times.read;  // writing the encoding
    const std::string classes = to_json(result, segmenter_.vocabulary(),
                                        job.photo.filename().string(), last_name(options_.weights));
    write_results(job.files, photo, result, segmenter_.vocabulary(), classes);
    times.write = watch.lap() + std::max(0.0, kept);

    total_ += times;
    console_.print(options_.json ? dump(json_line(job, classes, times))
                                 : line(job, photo, result, times));
  }

  SegmentedPhoto result_of(const Job& job, const Image& photo) const {
    const PhotoEncoder& encoder = segmenter_.encoder();
    StageTimes times;
    EncodedPhoto encoded;
    if (options_.encoding.empty()) {
      encoded = encoder(photo, times);
    } else {
      Stopwatch watch;
      encoded = read_encoding(encoding_in(options_.encoding, job), photo, encoder_fingerprint_,
                              encoder.options(), encoder.clip_config());
      times.encode = watch.lap();
    }
    if (!options_.save_encoding.empty()) {
      write_encoding(encoding_in(options_.save_encoding, job), encoded, photo,
                     encoder_fingerprint_);
    }
    SegmentedPhoto result = segmenter_(encoded);
    result.times.prepare = times.prepare;
    result.times.encode = times.encode;
    return result;
  }

  static std::filesystem::path encoding_in(const std::filesystem::path& folder, const Job& job) {
    return folder / (job.stem + ".encoding.safetensors");
  }

  std::string line(const Job& job, const Image& photo, const SegmentedPhoto& result,
                   const Times& times) const {
    return c10::str(job.photo.string(), " ", photo.width, "x", photo.height, ": ",
                    describe(result, segmenter_.vocabulary()), "  ", milliseconds(times.total()),
                    " ms");
  }

  void report(size_t jobs) {
    if (done_ + failed_ < jobs) {
      console_.note(
          c10::str("stopped: ", jobs - done_ - failed_, " of ", jobs, " photos are left"));
    }
    if (done_ > 0) {
      const auto mean = [&](double seconds) {
        return milliseconds(seconds / static_cast<double>(done_));
      };
      console_.note(c10::str("ms a photo: read ", mean(total_.read), ", resize ",
                             mean(total_.compute.prepare), ", encode ", mean(total_.compute.encode),
                             ", decoder ", mean(total_.compute.decode), ", masks ",
                             mean(total_.compute.blend), ", write ", mean(total_.write)));
    }
    const std::string where =
        done_ > 0 ? "; results are in " + options_.output.string() : std::string();
    console_.note(c10::str(done_, " done, ", failed_, " failed", where));
  }

  const SegmentOptions& options_;
  const SlidingSegmenter& segmenter_;
  std::string encoder_fingerprint_;
  Console& console_;
  size_t done_ = 0, failed_ = 0;
  Times total_;
};

}  // namespace
}  // namespace tagclip

int tagclip_segment(const tagclip::SegmentOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  // Mistakes first: reading the weights takes longer than all of this.
  Wanted wanted = read_words(options);
  const Weighting weighting = parse_weighting(options.weighting);
  if (options.threads > 0) at::set_num_threads(static_cast<int>(options.threads));
  const std::vector<Job> jobs = plan(options, console);

  const InferenceModel model = load_model_noisily(options, console);
  EmbeddedVocabulary vocabulary = embed_noisily(model, std::move(wanted), options, console);
  if (console.stop_requested()) return kStopped;
  const SlidingSegmenter segmenter(*model.dense, std::move(vocabulary),
                                   {.window = options.window,
                                    .stride = options.stride,
                                    .short_side = options.short_side,
                                    .weighting = weighting,
                                    .threshold = options.threshold});
  create_folder(options.output);
  if (!options.save_encoding.empty()) create_folder(options.save_encoding);
  const bool encodings = !options.encoding.empty() || !options.save_encoding.empty();
  return Run(options, segmenter, encodings ? model.dense->encoder_fingerprint() : "",
             console)(jobs);
}

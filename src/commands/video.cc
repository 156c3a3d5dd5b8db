#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "commands/commands.h"
#include "commands/setup.h"
#include "draw/overlay.h"
#include "infer/summary.h"
#include "video/ffmpeg.h"

namespace tagclip {
namespace {

constexpr size_t kMostClasses = 255;  // that fit into the bytes of a label video
constexpr uint8_t kUnlabelledByte = 255;

std::filesystem::path output_of(const VideoOptions& options) {
  if (!options.output.empty()) return options.output;
  if (is_camera(options.input)) {
    throw usage_error("a camera's video needs a name", "`output` gives it");
  }
  return options.input.parent_path() / (options.input.stem().string() + "_overlay.mp4");
}

// The names of all classes under their colours, the same below every frame.
Image legend_of(const EmbeddedVocabulary& vocabulary, int width) {
  constexpr int kMaxRows = 4;
  const std::vector<Colour> palette = result_palette(vocabulary.classes.size());
  std::vector<LegendEntry> entries;
  for (size_t c = 0; c < vocabulary.classes.size(); ++c) {
    entries.push_back({palette[c], vocabulary.classes[c].name(), ""});
  }
  return draw_legend(entries, width, kMaxRows);
}

std::vector<uint8_t> bytes_of(const LabelMap& labels) {
  std::vector<uint8_t> bytes;
  bytes.reserve(labels.labels.size());
  for (const uint16_t label : labels.labels) {
    bytes.push_back(label == kIgnoreIndex ? kUnlabelledByte : static_cast<uint8_t>(label));
  }
  return bytes;
}

class VideoRun {
 public:
  VideoRun(const VideoOptions& options, Pipeline& pipeline, const EmbeddedVocabulary& vocabulary,
           VideoReader& reader, Console& console)
      : options_(options),
        pipeline_(pipeline),
        vocabulary_(vocabulary),
        reader_(reader),
        console_(console),
        legend_(legend_of(vocabulary, reader.info().width)),
        palette_(result_palette(vocabulary.classes.size())) {}

  int run() {
    const std::filesystem::path output = output_of(options_);
    VideoInfo info = reader_.info();
    info.rate_denominator *= options_.every;
    if (info.frames > 0) info.frames = (info.frames + options_.every - 1) / options_.every;
    if (options_.frames > 0) info.frames = options_.frames;
    VideoInfo under_legend = info;
    under_legend.height += legend_.height;
    const bool has_sound = !is_camera(options_.input) && options_.frames == 0;
    VideoWriter overlay(options_.ffmpeg, output, under_legend, VideoKind::kPhoto,
                        has_sound ? options_.input : "");
    std::optional<VideoWriter> labels;
    if (!options_.labels.empty()) {
      labels.emplace(options_.ffmpeg, options_.labels, info, VideoKind::kLabels);
    }
    seconds_per_frame_ =
        static_cast<double>(info.rate_denominator) / static_cast<double>(info.rate);

    while (const std::optional<Image> frame = next()) {
      const SegmentedPhoto found = segment(*frame);
      overlay.write(drawn(*frame, found.labels).pixels);
      if (labels) labels->write(bytes_of(found.labels));
      if (options_.json) print(found);
      ++done_;
      if (info.frames > 0) console_.progress("frames", done_, std::max(done_, info.frames));
    }
    const bool stopped = console_.stop_requested();
    // A camera has no end but this.
    if (stopped && !is_camera(options_.input)) {
      console_.note(counted(done_, "frame") + " done; stopped, and nothing was written");
      return kStopped;
    }
    if (done_ == 0) throw bad_input(options_.input.string() + " holds no frame");
    overlay.finish();
    if (labels) labels->finish();
    report(output);
    return 0;
  }

 private:
  std::optional<Image> next() {
    std::optional<Image> frame;
    for (int64_t skipped = 0; skipped < options_.every; ++skipped) {
      if (console_.stop_requested() || (options_.frames > 0 && done_ == options_.frames)) return {};
      std::optional<Image> read = reader_.next();
      if (!read) break;
      if (skipped == 0) frame = std::move(read);
    }
    return frame;
  }

  SegmentedPhoto segment(const Image& frame) {
    if (!encoder_) {
      encoder_ = pipeline_.frame_encoder(
          frame, {.unchanged = options_.unchanged, .smoothing = options_.smoothing},
          hooks_of(console_));
      watch_.lap();
    }
    const EncodedPhoto encoded = (*encoder_)(frame, times_);
    SegmentedPhoto found = pipeline_.segment(encoded, vocabulary_);
    times_ += found.times;
    return found;
  }

  Image drawn(Image frame, const LabelMap& labels) const {
    colour_classes(frame, labels, palette_);
    frame.pixels.insert(frame.pixels.end(), legend_.pixels.begin(), legend_.pixels.end());
    frame.height += legend_.height;
    return frame;
  }

  void print(const SegmentedPhoto& found) const {
    nlohmann::ordered_json line = {{"frame", done_},
                                   {"seconds", static_cast<double>(done_) * seconds_per_frame_}};
    line["classes"] = nlohmann::ordered_json::array();
    for (const FoundClass& entry : found.found) {
      line["classes"].push_back({{"label", entry.index},
                                 {"name", vocabulary_.classes[entry.index].name()},
                                 {"share", entry.share},
                                 {"mean_score", entry.mean_score}});
    }
    console_.print(json_text(line));
  }

  void report(const std::filesystem::path& output) {
    const double seconds = watch_.lap();
    const auto n = static_cast<double>(done_);
    console_.note(
        fmt::format("{} in {} s, {} a second; {} of {} windows were encoded, the others "
                    "had not changed",
                    counted(done_, "frame"), fixed(seconds, 1), fixed(n / seconds, 2),
                    encoder_->encoded(), encoder_->windows()));
    console_.note(fmt::format("ms per frame: resize {}, encode {}, decoder {}, masks {}, all {}",
                              fixed(1000 * times_.prepare / n, 1),
                              fixed(1000 * times_.encode / n, 1),
                              fixed(1000 * times_.decode / n, 1), fixed(1000 * times_.blend / n, 1),
                              fixed(1000 * seconds / n, 1)));
    if (!options_.json) console_.print(output.string());
    if (!options_.json && !options_.labels.empty()) console_.print(options_.labels.string());
  }

  const VideoOptions& options_;
  Pipeline& pipeline_;
  const EmbeddedVocabulary& vocabulary_;
  VideoReader& reader_;
  Console& console_;
  Image legend_;
  std::vector<Colour> palette_;
  std::optional<FrameEncoder> encoder_;
  Stopwatch watch_;
  StageTimes times_;
  int64_t done_ = 0;
  double seconds_per_frame_ = 0;
};

}  // namespace
}  // namespace tagclip

int tagclip_video(const tagclip::VideoOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  const VocabularyRequest request = parse_vocabulary(options.vocabulary);
  check_free(output_of(options), options.overwrite);
  if (!options.labels.empty()) check_free(options.labels, options.overwrite);
  if (options.threads > 0) at::set_num_threads(static_cast<int>(options.threads));
  VideoReader reader(options.ffmpeg, options.input, {.max_pixels = options.inference.max_pixels});
  Pipeline pipeline = load_pipeline(options.weights, options.inference, World(), console);
  const EmbeddedVocabulary vocabulary = pipeline.embed(request, hooks_of(console));
  if (!options.labels.empty() && vocabulary.classes.size() > kMostClasses) {
    throw usage_error(fmt::format("{} classes do not fit into a label video: at most {}",
                                  vocabulary.classes.size(), kMostClasses),
                      "leave out `labels`, or ask for fewer words");
  }
  return VideoRun(options, pipeline, vocabulary, reader, console).run();
}

#include "video/ffmpeg.h"

#include <fmt/format.h>
#include <unistd.h>

#include <span>
#include <sstream>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "video/child_process.h"

namespace tagclip {
namespace {

constexpr const char* kGetFfmpeg =
    "video needs the program ffmpeg: apt-get install ffmpeg, or let `ffmpeg` name it";

// Arguments that read a file, whatever its name looks like. Files that name others (playlists) may
// lead to files, and never into the network.
std::vector<std::string> arguments_for(const std::filesystem::path& input) {
  if (is_camera(input)) return {"-f", "v4l2", "-i", input.string()};
  return {"-protocol_whitelist", "file", "-i", "file:" + input.string()};
}

std::vector<std::string> command(const std::string& ffmpeg, const std::filesystem::path& input,
                                 const std::vector<std::string>& rest) {
  std::vector<std::string> words = {ffmpeg, "-hide_banner", "-nostdin", "-v", "error"};
  for (const std::string& word : arguments_for(input)) words.push_back(word);
  words.insert(words.end(), rest.begin(), rest.end());
  return words;
}

std::unique_ptr<ChildProcess> start(const std::vector<std::string>& words) {
  try {
    return std::make_unique<ChildProcess>(words);
  } catch (const Error& error) {
    throw failure(error.what(), kGetFfmpeg);
  }
}

// What ffmpeg said, on one line: "Invalid data found when processing input".
std::string reason(const ChildProcess& process) {
  const std::string errors = process.errors();
  std::string_view last;
  for (const std::string_view line : split_lines(errors)) {
    if (!line.empty()) last = line;
  }
  return last.empty() ? "ffmpeg gives no reason" : one_line(last, 300);
}

// The next line of the output, without its end; at most 1,000 bytes.
std::string read_line(ChildProcess& process) {
  std::string line;
  std::byte one{};
  while (line.size() < 1000 && process.read(std::span(&one, 1)) == 1 && one != std::byte{'\n'}) {
    line += static_cast<char>(one);
  }
  return line;
}

// The header of YUV4MPEG2: "YUV4MPEG2 W640 H360 F30000:1001 ...".
VideoInfo parse_header(const std::string& line) {
  VideoInfo info;
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    const std::string value = word.substr(1);
    if (word[0] == 'W') info.width = parse_number<int>(value).value_or(0);
    if (word[0] == 'H') info.height = parse_number<int>(value).value_or(0);
    if (word[0] != 'F') continue;
    const size_t colon = value.find(':');
    info.rate = parse_number<int64_t>(value.substr(0, colon)).value_or(0);
    if (colon == value.npos) continue;
    info.rate_denominator = parse_number<int64_t>(value.substr(colon + 1)).value_or(0);
  }
  return info;
}

// The frames of a file, counted without decoding them; 0 where ffmpeg does not say.
int64_t count_frames(const std::string& ffmpeg, const std::filesystem::path& input) {
  const auto process = start(command(
      ffmpeg, input, {"-map", "0:v:0", "-c", "copy", "-progress", "pipe:1", "-f", "null", "-"}));
  int64_t frames = 0;
  for (std::string line; !(line = read_line(*process)).empty();) {
    if (line.starts_with("frame="))
      frames = parse_number<int64_t>(trim(std::string_view(line).substr(6))).value_or(0);
  }
  return process->wait() == 0 ? frames : 0;
}

}  // namespace

bool is_camera(const std::filesystem::path& input) {
  return input.string().starts_with("/dev/video");
}

VideoReader::VideoReader(const std::string& ffmpeg, const std::filesystem::path& input,
                         const ImageLimits& limits)
    : input_(input.string()) {
  if (!is_camera(input) && !is_file(input)) throw bad_input("there is no video " + input_);
  const auto first = start(command(
      ffmpeg, input,
      {"-map", "0:v:0", "-frames:v", "1", "-pix_fmt", "yuv444p", "-f", "yuv4mpegpipe", "-"}));
  info_ = parse_header(read_line(*first));
  if (info_.width < 1 || info_.height < 1 || info_.rate < 1 || info_.rate_denominator < 1) {
    first->wait();
    throw bad_input(fmt::format("{} is no video that ffmpeg reads: {}", input_, reason(*first)));
  }
  if (int64_t{info_.width} * info_.height > limits.max_pixels) {
    throw bad_input(fmt::format("{} has frames of {}x{} pixels, more than the limit of {}", input_,
                                info_.width, info_.height, limits.max_pixels),
                    "`max_pixels` raises the limit");
  }
  if (!is_camera(input)) info_.frames = count_frames(ffmpeg, input);
  process_ = start(
      command(ffmpeg, input,
              {"-map", "0:v:0", "-r", fmt::format("{}/{}", info_.rate, info_.rate_denominator),
               "-pix_fmt", "rgb24", "-f", "rawvideo", "-"}));
}

VideoReader::~VideoReader() = default;

std::optional<Image> VideoReader::next() {
  Image frame{info_.width, info_.height, {}};
  frame.pixels.resize(frame.size() * 3);
  const size_t count = process_->read(std::as_writable_bytes(std::span(frame.pixels)));
  if (count == frame.pixels.size()) {
    ++read_;
    return frame;
  }
  if (const int code = process_->wait(); code != 0 || count > 0) {
    throw bad_input(
        fmt::format("{} breaks off after {} frames: {}", input_, read_, reason(*process_)));
  }
  return {};
}

VideoWriter::VideoWriter(const std::string& ffmpeg, const std::filesystem::path& path,
                         const VideoInfo& info, VideoKind kind, const std::filesystem::path& sound)
    : path_(path),
      partial_(path.parent_path() / fmt::format(".{}.partial-{}{}", path.stem().string(),
                                                ::getpid(), path.extension().string())) {
  const bool labels = kind == VideoKind::kLabels;
  std::vector<std::string> words = {ffmpeg,
                                    "-hide_banner",
                                    "-v",
                                    "error",
                                    "-y",
                                    "-f",
                                    "rawvideo",
                                    "-pix_fmt",
                                    labels ? "gray" : "rgb24",
                                    "-s",
                                    fmt::format("{}x{}", info.width, info.height),
                                    "-r",
                                    fmt::format("{}/{}", info.rate, info.rate_denominator),
                                    "-i",
                                    "pipe:0"};
  if (!sound.empty()) {
    for (const std::string& word : arguments_for(sound)) words.push_back(word);
    for (const char* word : {"-map", "0:v", "-map", "1:a?", "-c:a", "copy"})
      words.emplace_back(word);
  }
  // Players want even sides and 4:2:0.
  const std::vector<std::string> photo = {
      "-c:v",     "libx264",  "-crf",      "18",
      "-preset",  "veryfast", "-vf",       "pad=ceil(iw/2)*2:ceil(ih/2)*2",
      "-pix_fmt", "yuv420p",  "-movflags", "+faststart"};
  const std::vector<std::string> lossless = {"-c:v", "ffv1", "-level", "3", "-pix_fmt", "gray"};
  for (const std::string& word : labels ? lossless : photo) words.push_back(word);
  words.push_back("file:" + partial_.string());
  process_ = start(words);
}

VideoWriter::~VideoWriter() {
  if (!process_) return;
  process_.reset();
  remove_path(partial_);
}

void VideoWriter::write(std::span<const uint8_t> pixels) {
  if (!process_->write(std::as_bytes(pixels))) fail();
}

void VideoWriter::finish() {
  process_->close_input();
  if (process_->wait() != 0) fail();
  process_.reset();
  rename_path(partial_, path_);
}

void VideoWriter::fail() {
  throw failure(fmt::format("cannot write {}: {}", path_.string(), reason(*process_)));
}

}  // namespace tagclip

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "image/image.h"

namespace tagclip {

class ChildProcess;

// What a video is, as its frames come out of VideoReader.
struct VideoInfo {
  int width = 0;  // upright, pixels
  int height = 0;
  // Frames in a second, as a fraction: 30000/1001.
  int64_t rate = 0;
  int64_t rate_denominator = 1;
  int64_t frames = 0;  // 0: unknown, of a camera
};

// True for /dev/video0 and the like, which ffmpeg reads by another demuxer.
bool is_camera(const std::filesystem::path& input);

// Reads the frames of a video file or a camera, upright and at a steady rate: one that lasts longer
// comes several times.
class VideoReader {
 public:
  // `ffmpeg`: the program. Throws Error: kFailure where it cannot be started, kBadInput with
  // ffmpeg's reason where it reads no video there, or where frames are larger than `limits`.
  VideoReader(const std::string& ffmpeg, const std::filesystem::path& input,
              const ImageLimits& limits);
  ~VideoReader();

  const VideoInfo& info() const { return info_; }
  // The next frame; nothing at the end. Throws Error(kBadInput) where the video breaks off.
  std::optional<Image> next();

 private:
  std::string input_;
  VideoInfo info_;
  std::unique_ptr<ChildProcess> process_;
  int64_t read_ = 0;
};

// How frames are stored.
enum class VideoKind {
  kPhoto,   // for people: H.264, with the sound of the input
  kLabels,  // for programs: FFV1, lossless, one byte a pixel
};

// Writes a video, which appears when it is finished, or not at all.
class VideoWriter {
 public:
  // `sound`: a video whose sound is taken over; empty: none. Throws Error(kFailure).
  VideoWriter(const std::string& ffmpeg, const std::filesystem::path& path, const VideoInfo& info,
              VideoKind kind, const std::filesystem::path& sound = {});
  ~VideoWriter();

  // Pixels of the size of `info`: RGB for kPhoto, one byte each for kLabels. Throws Error(kFailure)
  // with ffmpeg's reason.
  void write(std::span<const uint8_t> pixels);
  void finish();

 private:
  [[noreturn]] void fail();

  std::filesystem::path path_, partial_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace tagclip

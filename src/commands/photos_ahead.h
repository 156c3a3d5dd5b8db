#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <vector>

#include "infer/photo_encoder.h"

namespace tagclip {

// A photo with its encoding, and its share of the seconds they took.
struct PreparedPhoto {
  Image image;
  EncodedPhoto encoded;
  double read = 0;
  StageTimes times;
};

// Reads photos before their turn and encodes them together.
class PhotosAhead {
 public:
  PhotosAhead(const PhotoEncoder& encoder, int64_t max_pixels)
      : encoder_(encoder), max_pixels_(max_pixels) {}

  // What cannot be read or encoded is left out: its own turn will say why.
  void fetch(const std::vector<std::filesystem::path>& photos);

  // Nothing where the photo was not fetched.
  std::optional<PreparedPhoto> take(const std::filesystem::path& photo);

 private:
  const PhotoEncoder& encoder_;
  int64_t max_pixels_;
  std::map<std::filesystem::path, PreparedPhoto> fetched_;
};

}  // namespace tagclip

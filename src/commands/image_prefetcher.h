#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "infer/pipeline.h"

namespace tagclip {

// A photo with its encoding, and its share of the seconds they took.
struct PreparedPhoto {
  Image image;
  std::string digest;  // of its file, see file_digest
  EncodedPhoto encoded;
  double read = 0;
  StageTimes times;
};

// Reads a photo, but does not encode it. Throws as read_image.
PreparedPhoto read_photo(const std::filesystem::path& photo, const InferenceOptions& options);

// Reads photos before their turn and encodes them together.
class ImagePrefetcher {
 public:
  // `pipeline` must outlive it.
  explicit ImagePrefetcher(Pipeline& pipeline) : pipeline_(pipeline) {}

  // Photos that cannot be read or encoded are left out: their own turn reports why.
  void fetch(const std::vector<std::filesystem::path>& photos);

  // Returns nothing if the photo was not fetched, or was taken before.
  std::optional<PreparedPhoto> take(const std::filesystem::path& photo);

 private:
  Pipeline& pipeline_;
  std::map<std::filesystem::path, PreparedPhoto> fetched_;
};

}  // namespace tagclip

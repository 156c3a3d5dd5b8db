#include "commands/image_prefetcher.h"

#include "base/error.h"
#include "base/files.h"
#include "infer/result_record.h"

namespace tagclip {

PreparedPhoto read_photo(const std::filesystem::path& photo, const InferenceOptions& options) {
  PreparedPhoto result;
  Stopwatch watch;
  const std::vector<std::byte> bytes = read_bytes(photo);
  result.image = decode_image(bytes, photo.string(), {.max_pixels = options.max_pixels});
  result.digest = file_digest(bytes);
  result.read = watch.lap();
  return result;
}

void ImagePrefetcher::fetch(const std::vector<std::filesystem::path>& photos) {
  std::vector<std::filesystem::path> names;
  std::vector<PreparedPhoto> read;
  std::vector<Image> images;
  for (const auto& photo : photos) {
    try {
      read.push_back(read_photo(photo, pipeline_.options()));
      images.push_back(std::move(read.back().image));
      names.push_back(photo);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput) throw;
    }
  }
  if (images.empty()) return;
  StageTimes times;
  std::vector<EncodedPhoto> encoded;
  try {
    encoded = pipeline_.encode(images, times);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kBadInput) throw;
    return;
  }
  const auto share = 1 / static_cast<double>(images.size());
  times.prepare *= share;
  times.encode *= share;
  for (size_t i = 0; i < images.size(); ++i) {
    read[i].image = std::move(images[i]);
    read[i].encoded = std::move(encoded[i]);
    read[i].times = times;
    fetched_[names[i]] = std::move(read[i]);
  }
}

std::optional<PreparedPhoto> ImagePrefetcher::take(const std::filesystem::path& photo) {
  const auto found = fetched_.find(photo);
  if (found == fetched_.end()) return {};
  return std::move(fetched_.extract(found).mapped());
}

}  // namespace tagclip

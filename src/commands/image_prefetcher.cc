#include "commands/image_prefetcher.h"

#include "base/error.h"

namespace tagclip {

void ImagePrefetcher::fetch(const std::vector<std::filesystem::path>& photos) {
  std::vector<std::filesystem::path> names;
  std::vector<Image> images;
  Stopwatch watch;
  for (const auto& photo : photos) {
    try {
      images.push_back(read_image(photo, {.max_pixels = pipeline_.options().max_pixels}));
      names.push_back(photo);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput) throw;
    }
  }
  if (images.empty()) return;
  const auto share = 1 / static_cast<double>(images.size());
  const double read = share * watch.lap();
  StageTimes times;
  std::vector<EncodedPhoto> encoded;
  try {
    encoded = pipeline_.encode(images, times);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kBadInput) throw;
    return;
  }
  times.prepare *= share;
  times.encode *= share;
  for (size_t i = 0; i < images.size(); ++i) {
    fetched_[names[i]] = {std::move(images[i]), std::move(encoded[i]), read, times};
  }
}

std::optional<PreparedPhoto> ImagePrefetcher::take(const std::filesystem::path& photo) {
  const auto found = fetched_.find(photo);
  if (found == fetched_.end()) return {};
  return std::move(fetched_.extract(found).mapped());
}

}  // namespace tagclip

#include "data/augment.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "base/labels.h"
#include "data/random.h"

namespace tagclip {
namespace {

constexpr int kTestedCandidates = 10;

// The number of times each source position is read: position first + i is read read_before[i + 1] -
// read_before[i] times.
struct Reads {
  int first = 0;
  std::vector<int> read_before;

  int count() const { return static_cast<int>(read_before.size()) - 1; }
  int between(int begin, int end) const { return read_before[end] - read_before[begin]; }
};

Reads count_reads(int source, int target, int begin, int count) {
  const std::vector<int> indices = nearest_indices(source, target, begin, count);
  Reads reads{indices.front(), std::vector<int>(indices.back() - indices.front() + 2)};
  for (const int index : indices) ++reads.read_before[index - reads.first + 1];
  std::partial_sum(reads.read_before.begin(), reads.read_before.end(), reads.read_before.begin());
  return reads;
}

// The pixels of each class in the resized box. Labels come in long runs: one addition per run.
std::vector<int64_t> count_classes(const LabelMap& labels, Size size, const CropBox& box) {
  const Reads columns = count_reads(labels.width, size.width, box.x, box.width);
  const Reads rows = count_reads(labels.height, size.height, box.y, box.height);
  std::vector<int64_t> counts;
  for (int y = 0; y < rows.count(); ++y) {
    const uint16_t* row =
        labels.labels.data() + static_cast<size_t>(rows.first + y) * labels.width + columns.first;
    const int64_t repeats = rows.between(y, y + 1);
    for (int x = 0; repeats > 0 && x < columns.count();) {
      const uint16_t label = row[x];
      const int begin = x;
      while (x < columns.count() && row[x] == label) ++x;
      if (label == kIgnoreIndex) continue;
      if (label >= counts.size()) counts.resize(label + 1);
      counts[label] += repeats * columns.between(begin, x);
    }
  }
  return counts;
}

}  // namespace

bool crop_is_mixed(const LabelMap& labels, Size size, const CropBox& box, double max_ratio) {
  int64_t labelled = 0, largest = 0;
  for (const int64_t count : count_classes(labels, size, box)) {
    labelled += count;
    largest = std::max(largest, count);
  }
  const bool several = largest < labelled;
  return several && static_cast<double>(largest) / static_cast<double>(labelled) < max_ratio;
}

CropBox draw_crop(Size source, int crop_size, std::mt19937_64& random) {
  TAGCLIP_CHECK(crop_size > 0, "crop size");
  const auto offset = [&](int length) {
    return static_cast<int>(uniform_index(random, std::max(length - crop_size, 0) + 1));
  };
  CropBox box;
  box.y = offset(source.height);
  box.x = offset(source.width);
  box.width = std::min(crop_size, source.width);
  box.height = std::min(crop_size, source.height);
  return box;
}

CropBox draw_crop(const LabelMap& labels, Size size, int crop_size, double max_ratio,
                  std::mt19937_64& random) {
  CropBox box = draw_crop(size, crop_size, random);
  if (max_ratio >= 1) return box;
  for (int tested = 0; tested < kTestedCandidates; ++tested) {
    if (crop_is_mixed(labels, size, box, max_ratio)) break;
    box = draw_crop(size, crop_size, random);
  }
  return box;
}

Augmentation draw_augmentation(const LabelMap& labels, const AugmentOptions& options,
                               std::mt19937_64& random) {
  const double scale = uniform(random, options.min_scale, options.max_scale);
  Augmentation decision;
  decision.size =
      fit_within({labels.width, labels.height}, static_cast<int>(options.long_side * scale),
                 static_cast<int>(options.short_side * scale));
  decision.box =
      draw_crop(labels, decision.size, options.crop_size, options.max_class_ratio, random);
  decision.flip = uniform(random) < options.flip_probability;
  if (options.photometric) decision.photometric = draw_photometric(random);
  return decision;
}

LabelMap augment(const Image& image, const LabelMap& labels, const AugmentOptions& options,
                 const Augmentation& decision, float* pixels) {
  TAGCLIP_CHECK(image.width == labels.width && image.height == labels.height,
                "image and labels differ in size");
  Image cropped = resize_bilinear(image, decision.size, decision.box);
  LabelMap target = resize_nearest(labels, decision.size, decision.box);
  if (decision.flip) {
    cropped = flip_horizontal(cropped);
    target = flip_horizontal(target);
  }
  cropped = distort(std::move(cropped), decision.photometric);

  const Size size{options.crop_size, options.crop_size};
  normalize_into(cropped, options.normalization, size, pixels);
  return pad(target, size);
}

LabelMap augment(const Image& image, const LabelMap& labels, const AugmentOptions& options,
                 std::mt19937_64& random, float* pixels) {
  return augment(image, labels, options, draw_augmentation(labels, options, random), pixels);
}

}  // namespace tagclip

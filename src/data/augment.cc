#include "data/augment.h"

#include "base/error.h"
#include "data/random.h"

namespace tagclip {

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
  Image picture = resize_bilinear(image, decision.size, decision.box);
  LabelMap target = resize_nearest(labels, decision.size, decision.box);
  if (decision.flip) {
    picture = flip_horizontal(picture);
    target = flip_horizontal(target);
  }
  picture = distort(std::move(picture), decision.photometric);

  const Size size{options.crop_size, options.crop_size};
  normalise_into(picture, options.normalization, size, pixels);
  return pad(target, size);
}

LabelMap augment(const Image& image, const LabelMap& labels, const AugmentOptions& options,
                 std::mt19937_64& random, float* pixels) {
  return augment(image, labels, options, draw_augmentation(labels, options, random), pixels);
}

}  // namespace tagclip

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
  decision.box = draw_crop(resize_nearest(labels, decision.size), options.crop_size,
                           options.max_class_ratio, random);
  decision.flip = uniform(random) < options.flip_probability;
  if (options.photometric) decision.photometric = draw_photometric(random);
  return decision;
}

TrainingSample augment(const Image& image, const LabelMap& labels, const AugmentOptions& options,
                       const Augmentation& decision) {
  TAGCLIP_CHECK(image.width == labels.width && image.height == labels.height,
                "image and labels differ in size");
  Image picture = resize_bilinear(image, decision.size, decision.box);
  LabelMap target = resize_nearest(labels, decision.size, decision.box);
  if (decision.flip) {
    picture = flip_horizontal(picture);
    target = flip_horizontal(target);
  }
  picture = distort(picture, decision.photometric);

  const Size size{options.crop_size, options.crop_size};
  TrainingSample sample;
  sample.pixels.resize(static_cast<size_t>(3) * size.width * size.height);
  normalise_into(picture, options.normalisation, size, sample.pixels.data());
  sample.labels = pad(target, size);
  return sample;
}

TrainingSample augment(const Image& image, const LabelMap& labels, const AugmentOptions& options,
                       std::mt19937_64& random) {
  return augment(image, labels, options, draw_augmentation(labels, options, random));
}

}  // namespace tagclip

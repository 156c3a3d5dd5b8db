#include "train/caption_batches.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "clip/fingerprint.h"
#include "data/augment.h"
#include "data/random.h"
#include "text/class_words.h"

namespace tagclip {
namespace {

// A crop of a share `min_area` to 1 of the image, with sides in the ratio 3:4 to 4:3.
CropBox random_area(Size source, double min_area, std::mt19937_64& random) {
  const double area = uniform(random, min_area, 1.0) * source.width * source.height;
  const double ratio = std::exp(uniform(random, std::log(0.75), std::log(4.0 / 3)));
  const int width = std::clamp<int>(std::lround(std::sqrt(area * ratio)), 1, source.width);
  const int height = std::clamp<int>(std::lround(std::sqrt(area / ratio)), 1, source.height);
  return {static_cast<int>(uniform_index(random, source.width - width + 1)),
          static_cast<int>(uniform_index(random, source.height - height + 1)), width, height};
}

std::string maybe_in_template(const std::string& caption, double template_probability,
                              std::mt19937_64& random) {
  static const std::vector<std::string> templates = parse_templates("multi");
  const bool is_name = std::ranges::count(caption, ' ') < 3;
  if (!is_name || uniform(random) >= template_probability) return caption;
  return fill_template(templates[uniform_index(random, templates.size())], caption);
}

}  // namespace

CaptionBatches::CaptionBatches(const PretrainConfig& config, std::vector<CaptionedPhoto> photos)
    : config_(config),
      photos_(std::move(photos)),
      tokenizer_(static_cast<int>(config.clip.vocabulary)) {
  if (photos_.empty()) throw bad_input("the shards hold no photo");
}

CaptionBatch CaptionBatches::batch(int64_t step, int64_t side) const {
  const int64_t B = config_.batch;
  const auto items = shuffled_batch(config_.seed, static_cast<int64_t>(photos_.size()), B, step);
  const int64_t context = config_.clip.context;
  CaptionBatch result{at::empty({B, 3, side, side}), at::zeros({B, context}, at::kLong),
                      at::empty({B, B}, at::kBool)};
  std::vector<std::string> captions(B);
  at::parallel_for(0, B, 1, [&](int64_t begin, int64_t end) {
    for (int64_t slot = begin; slot < end; ++slot) {
      const CaptionedPhoto& photo = photos_[items[slot]];
      std::mt19937_64 random = sample_random(config_.seed, step, slot);
      captions[slot] = photo.captions[uniform_index(random, photo.captions.size())];
      const std::string text =
          maybe_in_template(captions[slot], config_.template_probability, random);
      Image image = decode_image(photo.encoded, photo.key, {.max_pixels = config_.max_pixels});
      image = crop(image, random_area({image.width, image.height}, config_.min_crop, random));
      image = resize_bilinear(image, {static_cast<int>(side), static_cast<int>(side)});
      if (coin(random)) image = flip_horizontal(image);
      if (config_.photometric) image = distort(std::move(image), draw_photometric(random));
      normalize_into(image, PixelNormalization{}, {image.width, image.height},
                     result.pixels[slot].mutable_data_ptr<float>());
      const TokenizedText tokens = tokenizer_.tokenize(text, static_cast<int>(context));
      std::ranges::copy(tokens.ids, result.tokens[slot].mutable_data_ptr<int64_t>());
    }
  });
  bool* match = result.matches.mutable_data_ptr<bool>();
  for (const int64_t item : items) {
    for (const std::string& caption : captions) {
      *match++ = std::ranges::find(photos_[item].captions, caption) != photos_[item].captions.end();
    }
  }
  return result;
}

std::string CaptionBatches::fingerprint() const {
  std::vector<at::Tensor> bytes;
  std::string words;
  for (const CaptionedPhoto& photo : photos_) {
    bytes.push_back(at::from_blob(const_cast<std::byte*>(photo.encoded.data()),
                                  {std::ssize(photo.encoded)}, at::kByte));
    for (const std::string& caption : photo.captions) words += caption + "\n";
    words += "\n";
  }
  bytes.push_back(at::from_blob(words.data(), {std::ssize(words)}, at::kByte));
  return tagclip::fingerprint(bytes);
}

}  // namespace tagclip

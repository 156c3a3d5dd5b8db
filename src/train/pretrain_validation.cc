#include "train/pretrain_validation.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <unordered_map>

#include "base/files.h"
#include "clip/text_embeddings.h"
#include "data/image_ops.h"
#include "text/class_words.h"
#include "text/tokenizer.h"

namespace tagclip {
namespace {

constexpr int64_t kAtOnce = 64;  // photos

const std::vector<std::string>& prompt() {
  static const std::vector<std::string> templates = parse_templates("single");
  return templates;
}

// Distinct texts, and the photos that each describes.
struct Texts {
  std::vector<ClassWords> texts;
  std::vector<std::vector<int64_t>> photos;  // per text
  std::vector<int64_t> described;            // photos with a text, ascending
};

Texts texts_of(const std::vector<CaptionedPhoto>& photos, bool is_short) {
  Texts found;
  std::unordered_map<std::string, size_t> known;
  for (int64_t photo = 0; photo < std::ssize(photos); ++photo) {
    bool any = false;
    for (const std::string& caption : photos[photo].captions) {
      if (is_short_caption(caption) != is_short) continue;
      const auto [text, is_new] = known.emplace(caption, found.texts.size());
      if (is_new) {
        found.texts.push_back({{caption}});
        found.photos.emplace_back();
      }
      found.photos[text->second].push_back(photo);
      any = true;
    }
    if (any) found.described.push_back(photo);
  }
  return found;
}

// [photos, texts] bool: whether the text describes the photo.
at::Tensor matches_of(const Texts& texts, int64_t photos) {
  at::Tensor matches = at::zeros({photos, std::ssize(texts.texts)}, at::kBool);
  bool* match = matches.mutable_data_ptr<bool>();
  for (size_t text = 0; text < texts.photos.size(); ++text) {
    for (const int64_t photo : texts.photos[text]) match[photo * texts.texts.size() + text] = true;
  }
  return matches;
}

// The share of rows whose highest similarity is a match.
double recall(const at::Tensor& similarities, const at::Tensor& matches) {
  const at::Tensor best = similarities.argmax(1, /*keepdim=*/true);
  return matches.gather(1, best).to(at::kDouble).mean().item<double>();
}

Image square(const Image& image, int64_t side) {
  const Size size = cover_short_side({image.width, image.height}, static_cast<int>(side));
  const int length = static_cast<int>(side);
  return resize_bilinear(image, size,
                         {(size.width - length) / 2, (size.height - length) / 2, length, length});
}

}  // namespace

PretrainValidator::PretrainValidator(const PretrainConfig& config) : config_(config) {
  const PretrainValidationConfig& validation = config.validation;
  photos_ = read_caption_shards({validation.shards.begin(), validation.shards.end()});
  for (const std::string& folder : validation.data) {
    sets_.emplace_back(DatasetOptions{.folder = folder, .max_pixels = config.max_pixels},
                       validation.split);
  }
}

at::Tensor PretrainValidator::embed_photos(const Clip& clip) const {
  const int64_t side = config_.image_size;
  std::vector<at::Tensor> rows;
  for (int64_t first = 0; first < std::ssize(photos_); first += kAtOnce) {
    const int64_t count = std::min(kAtOnce, std::ssize(photos_) - first);
    const at::Tensor pixels = at::empty({count, 3, side, side});
    float* values = pixels.mutable_data_ptr<float>();
    at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const CaptionedPhoto& photo = photos_[first + i];
        const Image image = square(
            decode_image(photo.encoded, photo.key, {.max_pixels = config_.max_pixels}), side);
        normalize_into(image, normalization_of(clip.config.pixel_statistics),
                       {image.width, image.height}, values + i * 3 * side * side);
      }
    });
    rows.push_back(clip.visual.encode(pixels.to(clip.logit_scale.device())).to(at::kFloat));
  }
  return l2_normalize(at::cat(rows));
}

void PretrainValidator::measure_captions(const Clip& clip, PretrainMetrics& metrics) const {
  if (photos_.empty()) return;
  const at::Tensor images = embed_photos(clip).cpu();  // [photos, d]
  const auto compare = [&](bool is_short, const std::vector<std::string>& templates,
                           const auto& judge) {
    const Texts texts = texts_of(photos_, is_short);
    if (texts.texts.empty()) return;
    const at::Tensor embedded = embed_classes(clip.text, clip.config, texts.texts, templates).rows;
    const at::Tensor index = at::tensor(texts.described, at::kLong);
    judge(images.index_select(0, index).matmul(embedded.cpu().t()),
          matches_of(texts, std::ssize(photos_)).index_select(0, index));
  };
  compare(true, prompt(), [&](const at::Tensor& similarities, const at::Tensor& matches) {
    metrics.zero_shot = recall(similarities, matches);
  });
  compare(false, {"{}"}, [&](const at::Tensor& similarities, const at::Tensor& matches) {
    metrics.image_to_text = recall(similarities, matches);
    metrics.text_to_image = recall(similarities.t(), matches.t());
  });
}

std::optional<SegmentationMetrics> PretrainValidator::measure_set(
    const Clip& clip, const Dataset& data, const std::function<bool()>& stop_requested) const {
  const at::Tensor words = embed_classes(clip.text, clip.config, data.words(), prompt()).rows;
  const int64_t patch = clip.config.patch;
  ConfusionMatrix confusion(static_cast<int>(data.classes().size()));
  for (size_t item = 0; item < data.size(); ++item) {
    if (stop_requested()) return {};
    const LabelledImage photo = data.read(item);
    // Whole patches: at most half of one is squeezed away or in.
    const Size exact = cover_short_side({photo.image.width, photo.image.height},
                                        static_cast<int>(config_.image_size));
    const auto whole = [&](int length) {
      return static_cast<int>(std::max<int64_t>(1, (length + patch / 2) / patch) * patch);
    };
    const Size size{whole(exact.width), whole(exact.height)};
    const at::Tensor pixels = at::empty({1, 3, size.height, size.width});
    normalize_into(resize_bilinear(photo.image, size),
                   normalization_of(clip.config.pixel_statistics), size,
                   pixels.mutable_data_ptr<float>());
    const at::Tensor tokens = clip.visual.hidden(pixels.to(words.device()));  // [1, 1 + n, D]
    const at::Tensor patches =
        l2_normalize(clip.visual.ln_post(tokens.narrow(1, 1, tokens.size(1) - 1))
                         .matmul(clip.visual.proj)
                         .to(at::kFloat));
    const at::Tensor logits =  // [1, C, h, w]
        patches.matmul(words.t()).transpose(1, 2).unflatten(
            2, {size.height / patch, size.width / patch});
    const at::Tensor found =
        at::upsample_bilinear2d(logits, {photo.labels.height, photo.labels.width},
                                /*align_corners=*/false)
            .argmax(1)
            .to(at::kCPU, at::kInt)
            .contiguous();
    const int32_t* label = found.const_data_ptr<int32_t>();
    const std::vector<uint16_t> labels(label, label + found.numel());
    confusion.add(photo.labels.labels, labels);
  }
  return summarise(confusion, data.seen());
}

std::optional<PretrainMetrics> PretrainValidator::operator()(
    const Clip& clip, const std::function<bool()>& stop_requested) const {
  const at::NoGradGuard no_grad;
  PretrainMetrics metrics;
  measure_captions(clip, metrics);
  for (const Dataset& data : sets_) {
    std::optional<SegmentationMetrics> found = measure_set(clip, data, stop_requested);
    if (!found) return {};
    // A folder may be given with a slash at its end.
    const std::filesystem::path folder = (absolute_path(data.folder()) / "").parent_path();
    metrics.sets.push_back({folder.filename().string(), std::move(*found)});
  }
  return metrics;
}

}  // namespace tagclip

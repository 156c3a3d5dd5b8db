#include <c10/util/StringUtil.h>

#include <mutex>

#include "base/error.h"
#include "draw/overlay.h"
#include "image/palette.h"
#include "infer/encoding_file.h"
#include "infer/inference_model.h"
#include "infer/result_files.h"
#include "infer/sliding_segmenter.h"
#include "infer/summary.h"
#include "tagclip/tagclip.h"

namespace tagclip {
namespace {

// Users of the library see what(), so it has to carry the hint.
template <class Action>
auto with_hints(const Action& action) {
  try {
    return action();
  } catch (const Error& error) {
    if (error.hint().empty()) throw;
    throw Error(error.kind(), c10::str(error.what(), "; ", error.hint()), error.hint());
  } catch (const std::runtime_error&) {
    throw;
  } catch (const std::exception& error) {  // LibTorch's own errors, no memory
    throw failure(error.what());
  }
}

std::vector<ClassWords> checked(const std::vector<Words>& classes) {
  std::vector<ClassWords> result;
  for (const Words& words : classes) {
    if (words.empty()) throw usage_error(c10::str("class ", result.size() + 1, " has no word"));
    result.push_back({words});
  }
  return checked_classes(result, "classes");
}

}  // namespace

namespace detail {

struct Model {
  InferenceModel inference;
  std::string weights;
  SlidingOptions options;
  ImageLimits limits;
  PhotoEncoder encoder;

  // May cost as much as reading the encoder's weights: only where an encoding is kept.
  const std::string& encoder_fingerprint() const {
    std::call_once(*hashed, [this] { fingerprint = inference.dense->encoder_fingerprint(); });
    return fingerprint;
  }
  std::unique_ptr<std::once_flag> hashed = std::make_unique<std::once_flag>();
  mutable std::string fingerprint = {};
};

struct Embedded {
  Embedded(std::shared_ptr<const Model> owner, EmbeddedVocabulary embedded)
      : model(std::move(owner)),
        segmenter(*model->inference.dense, std::move(embedded), model->options) {
    const EmbeddedVocabulary& own = segmenter.vocabulary();
    for (size_t c = 0; c < own.classes.size(); ++c) {
      classes.push_back({own.classes[c].words, own.seen[c]});
    }
  }

  std::shared_ptr<const Model> model;
  SlidingSegmenter segmenter;
  std::vector<ClassInfo> classes;
};

struct Encoded {
  std::shared_ptr<const Model> model;
  std::string name;  // of the photo's file; may be empty
  Image photo;
  EncodedPhoto encoded;
};

struct Result {
  Result(std::shared_ptr<const Embedded> owner, std::shared_ptr<const Encoded> photo)
      : vocabulary(std::move(owner)),
        source(std::move(photo)),
        result(vocabulary->segmenter(source->encoded)) {
    for (const FoundClass& found : result.found) {
      regions.push_back({words().classes[found.index].name(), static_cast<int>(found.index),
                         found.share, found.mean_score});
    }
  }

  const EmbeddedVocabulary& words() const { return vocabulary->segmenter.vocabulary(); }

  std::shared_ptr<const Embedded> vocabulary;
  std::shared_ptr<const Encoded> source;
  SegmentedPhoto result;
  std::vector<Region> regions;
};

}  // namespace detail

namespace {

std::shared_ptr<const detail::Embedded> embedded(const std::shared_ptr<const detail::Model>& model,
                                                 std::vector<ClassWords> classes,
                                                 std::vector<std::string> templates) {
  return std::make_shared<detail::Embedded>(
      model, embed_vocabulary(model->inference, std::move(classes), std::move(templates)));
}

void check_owner(const std::shared_ptr<const detail::Embedded>& vocabulary,
                 const std::shared_ptr<const detail::Model>& model) {
  if (vocabulary->model != model) throw usage_error("the vocabulary belongs to another segmenter");
}

std::shared_ptr<const detail::Encoded> encoded(const std::shared_ptr<const detail::Model>& model,
                                               std::string name, Image photo) {
  StageTimes times;
  EncodedPhoto result = model->encoder(photo, times);
  return std::make_shared<detail::Encoded>(
      detail::Encoded{model, std::move(name), std::move(photo), std::move(result)});
}

Image image_of(const Pixels& photo) {
  if (photo.data == nullptr || photo.width < 1 || photo.height < 1) {
    throw usage_error(c10::str("a photo of ", photo.width, "x", photo.height, " pixels"));
  }
  Image image{photo.width, photo.height, {}};
  image.pixels.assign(photo.data, photo.data + image.size() * 3);
  return image;
}

std::shared_ptr<const detail::Model> load(const std::filesystem::path& weights,
                                          const SegmenterOptions& options) {
  InferenceModel model = load_for_inference({.weights = weights,
                                             .text_weights = options.text_weights,
                                             .mode = parse_mode(options.mode),
                                             .device = choose_device(options.device)});
  model.dense = in_precision(std::move(model.dense), parse_precision(options.precision));
  const PhotoEncoder encoder(*model.dense, {options.window, options.stride, options.short_side});
  return std::make_shared<detail::Model>(
      detail::Model{std::move(model),
                    last_name(weights),
                    {.window = options.window,
                     .stride = options.stride,
                     .short_side = options.short_side,
                     .weighting = parse_weighting(options.weighting),
                     .threshold = options.threshold},
                    {.max_pixels = options.max_pixels},
                    encoder});
}

}  // namespace

const std::vector<ClassInfo>& Vocabulary::classes() const { return state_->classes; }
const std::vector<std::string>& Vocabulary::templates() const {
  return state_->segmenter.vocabulary().templates;
}
const std::vector<std::string>& Vocabulary::truncated() const {
  return state_->segmenter.vocabulary().truncated;
}

int Segmentation::width() const { return state_->result.labels.width; }
int Segmentation::height() const { return state_->result.labels.height; }
const std::vector<uint16_t>& Segmentation::labels() const { return state_->result.labels.labels; }
const std::vector<float>& Segmentation::scores() const { return state_->result.scores; }
const std::vector<Region>& Segmentation::regions() const { return state_->regions; }

std::string Segmentation::json() const {
  return to_json(state_->result, state_->words(), state_->source->name,
                 state_->vocabulary->model->weights);
}

void Segmentation::write_overlay(const std::filesystem::path& path) const {
  with_hints([&] {
    write_png(path, draw_result(state_->source->photo, state_->result, state_->words()));
  });
}

void Segmentation::write_labels(const std::filesystem::path& path) const {
  with_hints([&] {
    write_label_map(path, state_->result.labels, result_palette(state_->words().classes.size()));
  });
}

int PhotoEncoding::width() const { return state_->photo.width; }
int PhotoEncoding::height() const { return state_->photo.height; }

void PhotoEncoding::write(const std::filesystem::path& path) const {
  with_hints([&] {
    write_encoding(path, state_->encoded, state_->photo, state_->model->encoder_fingerprint());
  });
}

Segmenter::Segmenter(const std::filesystem::path& weights, const SegmenterOptions& options)
    : state_(with_hints([&] { return load(weights, options); })) {}

const std::string& Segmenter::assumption() const { return state_->inference.assumption; }

Vocabulary Segmenter::trained_classes() const {
  return with_hints([&] { return Vocabulary(embedded(state_, {}, {})); });
}

Vocabulary Segmenter::embed(const std::vector<Words>& classes,
                            const std::vector<std::string>& templates) const {
  return with_hints([&] {
    std::vector<std::string> filled;
    filled.reserve(templates.size());
    for (const std::string& text : templates) filled.push_back(checked_template(text, "template"));
    return Vocabulary(embedded(state_, checked(classes), std::move(filled)));
  });
}

Vocabulary Segmenter::parse(const std::string& classes, const std::string& prompt) const {
  return with_hints([&] {
    return Vocabulary(
        embedded(state_, parse_classes(classes),
                 prompt.empty() ? std::vector<std::string>() : parse_templates(prompt)));
  });
}

PhotoEncoding Segmenter::encode(const std::filesystem::path& photo) const {
  return with_hints([&] {
    return PhotoEncoding(
        encoded(state_, photo.filename().string(), read_image(photo, state_->limits)));
  });
}

PhotoEncoding Segmenter::encode(const Pixels& photo) const {
  return with_hints([&] { return PhotoEncoding(encoded(state_, "", image_of(photo))); });
}

PhotoEncoding Segmenter::encoding(const std::filesystem::path& file,
                                  const std::filesystem::path& photo) const {
  return with_hints([&] {
    Image image = read_image(photo, state_->limits);
    EncodedPhoto kept = read_encoding(file, image, state_->encoder_fingerprint(),
                                      state_->encoder.options(), state_->encoder.clip_config());
    return PhotoEncoding(std::make_shared<detail::Encoded>(
        detail::Encoded{state_, photo.filename().string(), std::move(image), std::move(kept)}));
  });
}

Segmentation Segmenter::segment(const std::filesystem::path& photo,
                                const Vocabulary& vocabulary) const {
  return segment(encode(photo), vocabulary);
}

Segmentation Segmenter::segment(const Pixels& photo, const Vocabulary& vocabulary) const {
  return segment(encode(photo), vocabulary);
}

Segmentation Segmenter::segment(const PhotoEncoding& photo, const Vocabulary& vocabulary) const {
  return with_hints([&] {
    check_owner(vocabulary.state_, state_);
    if (photo.state_->model != state_) {
      throw usage_error("the encoding belongs to another segmenter");
    }
    return Segmentation(std::make_shared<detail::Result>(vocabulary.state_, photo.state_));
  });
}

}  // namespace tagclip

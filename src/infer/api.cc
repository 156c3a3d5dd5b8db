#include <c10/util/StringUtil.h>

#include "base/error.h"
#include "infer/inference_model.h"
#include "infer/overlay.h"
#include "infer/palette.h"
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
  }
}

std::vector<ClassWords> checked(const std::vector<Words>& classes) {
  if (classes.empty()) throw usage_error("no class to look for");
  std::vector<ClassWords> result;
  for (const Words& words : classes) {
    if (words.empty()) throw usage_error(c10::str("class ", result.size(), " has no word"));
    for (const std::string& word : words) {
      if (word.empty()) throw usage_error(c10::str("class ", result.size(), " has an empty word"));
    }
    result.push_back({words});
  }
  if (result.size() >= Segmentation::kUnlabelled) throw usage_error("more classes than labels");
  return result;
}

}  // namespace

namespace detail {

struct Model {
  InferenceModel inference;
  std::string weights;
  SlidingOptions options;
  ImageLimits limits;
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

struct Result {
  Result(std::shared_ptr<const Embedded> owner, std::string photo_name, Image pixels)
      : vocabulary(std::move(owner)),
        name(std::move(photo_name)),
        photo(std::move(pixels)),
        result(vocabulary->segmenter(photo)) {
    for (const FoundClass& found : result.found) {
      regions.push_back({vocabulary->classes[found.index].words[0], static_cast<int>(found.index),
                         found.share, found.mean_score});
    }
  }

  const EmbeddedVocabulary& words() const { return vocabulary->segmenter.vocabulary(); }

  std::shared_ptr<const Embedded> vocabulary;
  std::string name;
  Image photo;
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
  return to_json(state_->result, state_->words(), state_->name, state_->vocabulary->model->weights);
}

void Segmentation::write_overlay(const std::filesystem::path& path) const {
  with_hints([&] { write_png(path, draw_result(state_->photo, state_->result, state_->words())); });
}

void Segmentation::write_labels(const std::filesystem::path& path) const {
  with_hints([&] {
    write_label_map(path, state_->result.labels, result_palette(state_->words().classes.size()));
  });
}

Segmenter::Segmenter(const std::filesystem::path& weights, const SegmenterOptions& options)
    : state_(with_hints([&] {
        return std::make_shared<detail::Model>(detail::Model{
            load_for_inference({.weights = weights, .device = choose_device(options.device)}),
            weights.filename().string(),
            {.window = options.window,
             .stride = options.stride,
             .short_side = options.short_side,
             .weighting = parse_weighting(options.weighting),
             .threshold = options.threshold},
            {.max_pixels = options.max_pixels}});
      })) {}

Vocabulary Segmenter::trained_classes() const {
  return with_hints([&] { return Vocabulary(embedded(state_, {}, {})); });
}

Vocabulary Segmenter::embed(const std::vector<Words>& classes,
                            const std::vector<std::string>& templates) const {
  return with_hints([&] {
    std::vector<std::string> filled;
    for (const std::string& text : templates) filled.push_back(parse_templates(text).at(0));
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

Segmentation Segmenter::segment(const std::filesystem::path& photo,
                                const Vocabulary& vocabulary) const {
  return with_hints([&] {
    check_owner(vocabulary.state_, state_);
    return Segmentation(std::make_shared<detail::Result>(
        vocabulary.state_, photo.filename().string(), read_image(photo, state_->limits)));
  });
}

Segmentation Segmenter::segment(const Pixels& photo, const Vocabulary& vocabulary) const {
  return with_hints([&] {
    check_owner(vocabulary.state_, state_);
    if (photo.data == nullptr || photo.width < 1 || photo.height < 1) {
      throw usage_error(c10::str("a photo of ", photo.width, "x", photo.height, " pixels"));
    }
    Image image{photo.width, photo.height, {}};
    image.pixels.assign(photo.data, photo.data + image.size() * 3);
    return Segmentation(std::make_shared<detail::Result>(vocabulary.state_, "", std::move(image)));
  });
}

}  // namespace tagclip

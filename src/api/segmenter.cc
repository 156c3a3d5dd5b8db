#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "base/error.h"
#include "base/files.h"
#include "infer/embedding_file.h"
#include "infer/outputs.h"
#include "infer/pipeline.h"
#include "infer/summary.h"
#include "outputs/output_options.h"
#include "outputs/stored_result.h"
#include "tagclip/tagclip.h"

namespace tagclip {
namespace {

// All that is thrown is an Error, what LibTorch and the standard library throw included.
template <class Action>
auto as_errors(const Action& action) {
  try {
    return action();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw failure("out of memory", "try smaller photos, or fewer at a time");
  } catch (const std::exception& error) {
    throw failure(error.what());
  }
}

std::vector<ClassWords> checked(const std::vector<Words>& classes) {
  std::vector<ClassWords> result;
  for (const Words& words : classes) {
    if (words.empty()) throw usage_error(fmt::format("class {} has no word", result.size() + 1));
    result.push_back({words});
  }
  return checked_classes(result, "classes");
}

VocabularyRequest request_of(const VocabularyWords& words) {
  VocabularyRequest request{.classes = checked(words.classes), .use_cache = false};
  for (ClassWords& entry : request.classes) entry.synonyms = words.synonyms;
  if (!words.background.empty()) {
    if (request.classes.empty()) {
      throw usage_error("`background` goes with `classes`", "name the classes, too");
    }
    add_background(words.background, request.classes);
  }
  for (const std::string& text : words.templates) {
    request.templates.push_back(checked_template(text, "template"));
  }
  return request;
}

Image image_of(const Pixels& photo) {
  if (photo.data == nullptr || photo.width < 1 || photo.height < 1) {
    throw usage_error(fmt::format("a photo of {}x{} pixels", photo.width, photo.height));
  }
  Image image{photo.width, photo.height, {}};
  image.pixels.assign(photo.data, photo.data + image.size() * 3);
  return image;
}

std::vector<SettingInfo> settings_of(const ConstFieldList& fields) {
  std::vector<SettingInfo> result;
  for (const Field& field : fields.all()) {
    result.push_back({field.name, field.help, plain_text(field.get()), field.choices});
  }
  return result;
}

}  // namespace

namespace detail {

// A photo that was read, and what messages call it.
struct NamedImage {
  std::string name;
  Image image;
  std::filesystem::path file = {};  // where it is one
};

struct Model {
  // The hooks hear what is not as it should be about the photo.
  NamedImage read(const Photo& photo, const Hooks& hooks) const {
    NamedImage read = decode(photo);
    if (!read.image.warning.empty() && hooks.warn) hooks.warn(read.image.warning);
    return read;
  }

  NamedImage decode(const Photo& photo) const {
    const ImageLimits limits{.max_pixels = pipeline.options().max_pixels};
    if (const auto* file = std::get_if<std::filesystem::path>(&photo.source_)) {
      return {file->filename().string(), read_image(*file, limits), *file};
    }
    if (const auto* bytes = std::get_if<std::span<const std::byte>>(&photo.source_)) {
      return {photo.name_, decode_image(*bytes, photo.name_, limits)};
    }
    return {photo.name_, image_of(std::get<Pixels>(photo.source_))};
  }

  std::string weights;  // for the reader
  mutable Pipeline pipeline;
};

struct Embedded {
  Embedded(std::shared_ptr<const Model> owner, EmbeddedVocabulary embedded)
      : model(std::move(owner)), vocabulary(std::move(embedded)) {
    for (size_t c = 0; c < vocabulary.classes.size(); ++c) {
      classes.push_back({vocabulary.classes[c].words, vocabulary.seen[c]});
    }
  }

  std::shared_ptr<const Model> model;
  EmbeddedVocabulary vocabulary;
  std::vector<ClassInfo> classes;
};

struct Encoded {
  const Image& photo() const { return *encoded.photo; }

  std::shared_ptr<const Model> model;
  std::string name;  // of the photo; may be empty
  EncodedPhoto encoded;
  std::filesystem::path file = {};  // where it is one
};

struct Result {
  Result(std::shared_ptr<const Model> owner, std::shared_ptr<const Embedded> words,
         std::shared_ptr<const Encoded> photo)
      : model(std::move(owner)),
        embedded(std::move(words)),
        source(std::move(photo)),
        segmented(about_file(source->name, [&] {
          return model->pipeline.segment(source->encoded, embedded->vocabulary);
        })) {
    for (const FoundClass& found : segmented.found) {
      regions.push_back({embedded->vocabulary.classes[found.index].name(),
                         static_cast<int>(found.index), found.share, found.mean_score});
      if (!segmented.presence.empty()) regions.back().presence = segmented.presence[found.index];
    }
    for (const size_t c : segmented.absent) {
      absent.push_back(
          {embedded->vocabulary.classes[c].name(), static_cast<int>(c), segmented.presence[c]});
    }
  }

  SegmentedPhoto cleaned_by(const OutputSet& set) const {
    SegmentedPhoto copy = segmented;
    clean_small_regions(set, embedded->vocabulary, copy);
    return copy;
  }

  PhotoResult output(const SegmentedPhoto& segmented) const {
    const auto scores = [this](std::span<const int> classes) {
      return model->pipeline.class_scores(source->encoded, embedded->vocabulary, classes);
    };
    return {.photo = source->photo(),
            .segmented = segmented,
            .vocabulary = embedded->vocabulary,
            .photo_name = source->name,
            .weights_name = model->weights,
            .photo_file = file(),
            .stem = output_stem(file()),
            .class_scores = scores};
  }

  std::vector<std::byte> bytes_of(const std::string& format, const OutputOptions& options) const {
    const std::vector<const OutputFormat*> formats = parse_output_formats(format);
    if (formats.size() != 1 || formats.front()->write_photo == nullptr) {
      throw usage_error(fmt::format("{} does not name a format of one file per photo", format),
                        "write_outputs writes all of them");
    }
    const OutputSet set = output_set(options);
    const SegmentedPhoto cleaned = cleaned_by(set);
    const PhotoResult result = output(cleaned);
    const OutputRun run = output_run({}, embedded->vocabulary, model->weights, set);
    return encode(*formats.front(), FormatInput(result, run).output());
  }

  std::filesystem::path file() const {
    if (!source->file.empty()) return source->file;
    return source->name.empty() ? "photo" : source->name;
  }

  std::shared_ptr<const Model> model;
  std::shared_ptr<const Embedded> embedded;
  std::shared_ptr<const Encoded> source;
  SegmentedPhoto segmented;
  std::vector<Region> regions;
  std::vector<AbsentClass> absent;
};

}  // namespace detail

namespace {

using EncodedPointer = std::shared_ptr<const detail::Encoded>;

// Encodes photos together.
std::vector<EncodedPointer> encode_batch(const std::shared_ptr<const detail::Model>& model,
                                         std::span<const Photo> photos, const Hooks& hooks) {
  std::vector<std::string> names;
  std::vector<Image> images;
  std::vector<std::filesystem::path> files;
  for (const Photo& photo : photos) {
    auto [name, image, file] = model->read(photo, hooks);
    names.push_back(std::move(name));
    images.push_back(std::move(image));
    files.push_back(std::move(file));
  }
  StageTimes times;
  for (size_t i = 0; i < images.size(); ++i) {
    about_file(names[i],
               [&] { model->pipeline.count_windows({images[i].width, images[i].height}); });
  }
  std::vector<EncodedPhoto> encoded = model->pipeline.encode(images, times, hooks);
  std::vector<EncodedPointer> results;
  for (size_t i = 0; i < images.size(); ++i) {
    results.push_back(std::make_shared<detail::Encoded>(
        detail::Encoded{model, std::move(names[i]), std::move(encoded[i]), std::move(files[i])}));
  }
  return results;
}

void check_owner(const detail::Model& found, const detail::Model& expected, const char* what) {
  if (found.pipeline.shares_model_with(expected.pipeline)) return;
  throw usage_error(fmt::format("the {} belongs to another segmenter", what),
                    "make it with this segmenter");
}

// Encodes photos, as many at a time as are worth it, and hands each to `handle`.
template <class Handle>
void encode_each(const std::shared_ptr<const detail::Model>& model, std::span<const Photo> photos,
                 const Hooks& hooks, const Handle& handle) {
  const size_t most = model->pipeline.photos_per_batch();
  int64_t done = 0;
  for (size_t begin = 0; begin < photos.size(); begin += most) {
    const auto batch = photos.subspan(begin, std::min(most, photos.size() - begin));
    for (EncodedPointer& encoded : encode_batch(model, batch, hooks)) {
      handle(std::move(encoded));
      if (hooks.progress) hooks.progress("photos", ++done, std::ssize(photos));
    }
  }
}

Precision precision_of(const Pipeline& pipeline) {
  const std::optional<GemmPrecision> chosen = pipeline.precision();
  for (const auto& [name, precision] : kPrecisionNames) {
    if (gemm_precision(precision) == chosen) return precision;
  }
  return Precision::kAuto;
}

}  // namespace

const char* version() noexcept { return TAGCLIP_VERSION; }

std::vector<SettingInfo> settings(const InferenceOptions& options) {
  return settings_of(fields(options));
}

std::vector<SettingInfo> settings(const VocabularyOptions& options) {
  return settings_of(fields(options));
}

std::vector<SettingInfo> settings(const OutputOptions& options) {
  return settings_of(fields(options));
}

void set(InferenceOptions& options, const std::string& name, const std::string& value) {
  fields(options).set_from_text(name, value);
}

void set(VocabularyOptions& options, const std::string& name, const std::string& value) {
  fields(options).set_from_text(name, value);
}

void set(OutputOptions& options, const std::string& name, const std::string& value) {
  fields(options).set_from_text(name, value);
}

const std::vector<ClassInfo>& Vocabulary::classes() const { return state_->classes; }
const std::vector<std::string>& Vocabulary::templates() const {
  return state_->vocabulary.templates;
}
const std::vector<std::vector<std::string>>& Vocabulary::class_templates() const {
  return state_->vocabulary.class_templates;
}
const std::vector<std::string>& Vocabulary::truncated() const {
  return state_->vocabulary.truncated;
}
void Vocabulary::write(const std::filesystem::path& path) const {
  as_errors([&] { write_text_embeddings(path, state_->vocabulary); });
}

int PhotoEncoding::width() const { return state_->photo().width; }
int PhotoEncoding::height() const { return state_->photo().height; }
size_t PhotoEncoding::bytes() const {
  size_t bytes = state_->photo().pixels.size();
  for (const EncodedView& view : state_->encoded.views) {
    bytes += view.encoding.patches.nbytes() + view.encoding.image.nbytes();
  }
  return bytes;
}
void PhotoEncoding::write(const std::filesystem::path& path) const {
  as_errors(
      [&] { state_->model->pipeline.write_encoding(path, state_->encoded, state_->photo()); });
}

int Segmentation::width() const { return state_->segmented.labels.width; }
int Segmentation::height() const { return state_->segmented.labels.height; }
const std::vector<uint16_t>& Segmentation::labels() const {
  return state_->segmented.labels.labels;
}
const std::vector<float>& Segmentation::scores() const { return state_->segmented.scores; }
const std::vector<Region>& Segmentation::regions() const { return state_->regions; }
const std::vector<double>& Segmentation::presence() const { return state_->segmented.presence; }
const std::vector<AbsentClass>& Segmentation::absent() const { return state_->absent; }

std::vector<std::vector<float>> Segmentation::class_scores(std::span<const int> labels) const {
  return as_errors([&] {
    return state_->model->pipeline.class_scores(state_->source->encoded,
                                                state_->embedded->vocabulary, labels);
  });
}

std::vector<float> Segmentation::trusty_map() const {
  return as_errors([&] {
    return state_->model->pipeline.trusty_map(state_->source->encoded,
                                              state_->embedded->vocabulary);
  });
}

std::string Segmentation::json() const {
  return as_errors([&] {
    return to_json(state_->segmented, state_->embedded->vocabulary, state_->source->name,
                   state_->model->weights);
  });
}

std::vector<uint8_t> Segmentation::overlay() const {
  return as_errors([&] { return draw_overlay(state_->output(state_->segmented)).pixels; });
}

std::vector<std::byte> Segmentation::overlay_png() const {
  return as_errors([&] { return state_->bytes_of("overlay", {}); });
}

std::vector<std::byte> Segmentation::labels_png() const {
  return as_errors([&] { return state_->bytes_of("labels", {}); });
}

void Segmentation::write_overlay(const std::filesystem::path& path) const {
  as_errors([&] { write_file(path, std::span<const std::byte>(state_->bytes_of("overlay", {}))); });
}

void Segmentation::write_labels(const std::filesystem::path& path) const {
  as_errors([&] { write_file(path, std::span<const std::byte>(state_->bytes_of("labels", {}))); });
}

std::vector<std::byte> Segmentation::encode(const std::string& format,
                                            const OutputOptions& options) const {
  return as_errors([&] { return state_->bytes_of(format, options); });
}

void write_outputs(const std::filesystem::path& folder, std::span<const Segmentation> results,
                   const OutputOptions& options, bool overwrite) {
  as_errors([&] {
    const OutputSet set = output_set(options);
    std::vector<std::filesystem::path> photos;
    for (const Segmentation& result : results) {
      if (result.state_->embedded != results.front().state_->embedded) {
        throw usage_error("the results are of several vocabularies",
                          "write those of each into a folder of its own");
      }
      photos.push_back(result.state_->file());
    }
    if (results.empty()) return;
    const detail::Result& first = *results.front().state_;
    const OutputRun run = output_run(folder, first.embedded->vocabulary, first.model->weights, set);
    const std::vector<std::string> stems = output_stems(photos);
    for (const std::string& stem : stems) {
      const auto files = output_files(folder, stem, set);
      check_places(files, set);
      for (const auto& file : files) {
        if (overwrite || path_status(file).kind == PathKind::kNothing) continue;
        throw failure(file.string() + " is there already", "overwrite it, or take another folder");
      }
    }
    create_folders(folder);
    RunFiles run_files(run, set.formats, overwrite);
    for (size_t i = 0; i < results.size(); ++i) {
      const SegmentedPhoto cleaned = results[i].state_->cleaned_by(set);
      PhotoResult output = results[i].state_->output(cleaned);
      output.stem = stems[i];
      write_outputs(output_files(folder, stems[i], set), output, run, set);
      const FormatInput input(output, run);
      run_files.add(input.output().labelled);
    }
    run_files.commit();
  });
}

Segmenter::Segmenter(const std::filesystem::path& weights, const InferenceOptions& options)
    : state_(as_errors([&] {
        return std::make_shared<const detail::Model>(
            detail::Model{last_name(weights), Pipeline(weights, options)});
      })) {}

Segmenter Segmenter::with(const InferenceOptions& options) const {
  return as_errors([&] {
    return Segmenter(std::make_shared<const detail::Model>(
        detail::Model{state_->weights, Pipeline(state_->pipeline, options)}));
  });
}

const InferenceOptions& Segmenter::options() const { return state_->pipeline.options(); }
Mode Segmenter::mode() const { return state_->pipeline.mode(); }
const std::string& Segmenter::assumption() const { return state_->pipeline.assumption(); }
Precision Segmenter::precision() const {
  return as_errors([&] { return precision_of(state_->pipeline); });
}

size_t Segmenter::count_windows(int width, int height) const {
  return as_errors([&] { return state_->pipeline.count_windows({width, height}); });
}

size_t Segmenter::photos_per_batch() const { return state_->pipeline.photos_per_batch(); }

std::vector<ClassInfo> Segmenter::known_classes() const {
  const TrainedOn& trained_on = state_->pipeline.trained_on();
  std::vector<ClassInfo> classes;
  for (size_t c = 0; c < trained_on.classes.size(); ++c) {
    classes.push_back({trained_on.words(c), trained_on.seen[c]});
  }
  return classes;
}

Vocabulary Segmenter::trained_classes(const Hooks& hooks) const { return parse({}, hooks); }

Vocabulary Segmenter::embed(const std::vector<Words>& classes,
                            const std::vector<std::string>& templates, const Hooks& hooks) const {
  return embed_words({.classes = classes, .templates = templates}, hooks);
}

Vocabulary Segmenter::embed_words(const VocabularyWords& words, const Hooks& hooks) const {
  return as_errors([&] {
    return Vocabulary(std::make_shared<detail::Embedded>(
        state_, state_->pipeline.embed(request_of(words), hooks)));
  });
}

Vocabulary Segmenter::parse(const VocabularyOptions& options, const Hooks& hooks) const {
  return as_errors([&] {
    return Vocabulary(std::make_shared<detail::Embedded>(
        state_, state_->pipeline.embed(parse_vocabulary(options), hooks)));
  });
}

Vocabulary Segmenter::tune(const VocabularyOptions& options, std::span<const Photo> photos,
                           const Hooks& hooks) const {
  return as_errors([&] {
    VocabularyRequest request = parse_vocabulary(options);
    for (ClassWords& entry : request.classes) entry.synonyms = Synonyms::kMean;
    const auto read = [&](int64_t i) { return state_->read(photos[i], hooks).image; };
    return Vocabulary(std::make_shared<detail::Embedded>(
        state_, state_->pipeline.tune_templates(request, {std::ssize(photos), read}, hooks)));
  });
}

PhotoEncoding Segmenter::encode(const Photo& photo, const Hooks& hooks) const {
  return as_errors(
      [&] { return PhotoEncoding(encode_batch(state_, std::span(&photo, 1), hooks).front()); });
}

std::vector<PhotoEncoding> Segmenter::encode(std::span<const Photo> photos,
                                             const Hooks& hooks) const {
  return as_errors([&] {
    std::vector<PhotoEncoding> results;
    encode_each(state_, photos, hooks,
                [&](EncodedPointer photo) { results.push_back(PhotoEncoding(std::move(photo))); });
    return results;
  });
}

PhotoEncoding Segmenter::read_encoding(const std::filesystem::path& file, const Photo& photo,
                                       const Hooks& hooks) const {
  return as_errors([&] {
    auto [name, image, path] = state_->read(photo, hooks);
    EncodedPhoto kept = state_->pipeline.read_encoding(file, image);
    return PhotoEncoding(std::make_shared<detail::Encoded>(
        detail::Encoded{state_, std::move(name), std::move(kept), std::move(path)}));
  });
}

Segmentation Segmenter::segment(const PhotoEncoding& photo, const Vocabulary& vocabulary) const {
  return as_errors([&] {
    check_owner(*vocabulary.state_->model, *state_, "vocabulary");
    check_owner(*photo.state_->model, *state_, "encoding");
    return Segmentation(std::make_shared<detail::Result>(state_, vocabulary.state_, photo.state_));
  });
}

Segmentation Segmenter::segment(const Photo& photo, const Vocabulary& vocabulary,
                                const Hooks& hooks) const {
  return std::move(segment(std::span(&photo, 1), vocabulary, hooks).front());
}

std::vector<Segmentation> Segmenter::segment(std::span<const Photo> photos,
                                             const Vocabulary& vocabulary,
                                             const Hooks& hooks) const {
  return as_errors([&] {
    check_owner(*vocabulary.state_->model, *state_, "vocabulary");
    std::vector<Segmentation> results;
    encode_each(state_, photos, hooks, [&](EncodedPointer photo) {
      results.push_back(Segmentation(
          std::make_shared<detail::Result>(state_, vocabulary.state_, std::move(photo))));
    });
    return results;
  });
}

}  // namespace tagclip

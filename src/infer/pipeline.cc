#include "infer/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "base/error.h"
#include "base/files.h"
#include "clip/embedding_cache.h"
#include "clip/fingerprint.h"
#include "clip/recent_embeddings.h"
#include "infer/embedding_file.h"
#include "infer/encoding_file.h"
#include "infer/precision_cache.h"
#include "infer/presence.h"
#include "infer/tune_templates.h"

namespace tagclip {
namespace {

void note(const Hooks& hooks, const std::string& text) {
  if (hooks.note) hooks.note(text);
}

void warn(const Hooks& hooks, const std::string& text) {
  if (hooks.warn) hooks.warn(text);
}

EmbedOptions embed_options(const Hooks& hooks) {
  constexpr int64_t kManyTexts = 2000;  // embedding more than these shows its progress
  return {.progress = [&hooks](int64_t done, int64_t total) {
    if (hooks.progress && total >= kManyTexts) hooks.progress("embedding words", done, total);
    check_stop(hooks);
    return true;
  }};
}

constexpr size_t kRecentBytes = size_t{32} << 20;  // some 14,000 words of a ViT-B/16

// A cache that cannot be used costs no more than the time to embed the words again. Without it
// words are looked up among those that this pipeline embedded most recently.
template <class Embed>
auto embed_cached(bool use_cache, RecentEmbeddings& recent, const Hooks& hooks,
                  const Embed& embed) {
  EmbedOptions options = embed_options(hooks);
  if (use_cache) {
    try {
      EmbeddingDatabase cache(cache_folder() / "text-embeddings.sqlite");
      options.cache = &cache;
      return embed(options);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kFailure) throw;
      warn(hooks, fmt::format("{} ({})", error.what(), error.hint()));
    }
  }
  options.cache = &recent;
  options.tower = "the pipeline's own";
  return embed(options);
}

// A model of several templates labels worse when it is asked with the one of VOC's models.
void warn_of_templates(const TrainedOn& trained_on, const VocabularyRequest& request,
                       const Hooks& hooks) {
  if (trained_on.classes.empty() || !trained_on.templates.empty()) return;
  if (!request.templates.empty() || !request.text_embeddings.empty()) return;
  warn(hooks,
       "the weights do not say which prompt templates they were trained with: \"a photo of a {}\" "
       "is taken; models of COCO-Stuff want `prompt` multi");
}

// The first of many sentences, and how many there are.
void warn_of_same(const std::vector<std::string>& remarks, const Hooks& hooks) {
  constexpr size_t kShown = 5;
  for (size_t i = 0; i < std::min(remarks.size(), kShown); ++i) warn(hooks, remarks[i]);
  if (remarks.size() > kShown) {
    warn(hooks,
         fmt::format("{} more words are the same to CLIP as others", remarks.size() - kShown));
  }
}

// Tells how the words of a request were read.
void report(const VocabularyRequest& request, const TrainedOn& trained_on,
            const EmbeddedVocabulary& vocabulary, const Hooks& hooks) {
  for (const std::string& remark : request.remarks) warn(hooks, remark);
  warn_of_templates(trained_on, request, hooks);
  warn_of_same(vocabulary.same, hooks);
  if (!vocabulary.truncated.empty()) {
    constexpr size_t kShown = 100;
    std::string text = vocabulary.truncated[0];
    if (text.size() > kShown) text = text.substr(0, kShown) + "...";
    const size_t more = vocabulary.truncated.size() - 1;
    warn(hooks, fmt::format("longer than the model reads, and cut: \"{}\"{}", text,
                            more > 0 ? fmt::format(" and {} more", more) : ""));
  }
  const size_t count = vocabulary.classes.size();
  const auto seen = static_cast<size_t>(std::ranges::count(vocabulary.seen, true));
  note(hooks, fmt::format("{}{}{} seen in training, {} new to the model", count,
                          count == 1 ? " class: " : " classes: ", seen, count - seen));
}

// Photos that cannot be segmented are left out: their own turn reports why.
PrecisionEvidence try_on_usable(const DenseModel& model, const EmbeddedVocabulary& vocabulary,
                                const InferenceOptions& options, const std::vector<Image>& photos) {
  PrecisionEvidence evidence;
  try {
    return try_precisions(model, vocabulary, options, photos);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kBadInput) throw;
    if (photos.size() == 1) return evidence;
  }
  for (const Image& photo : photos) {
    evidence += try_on_usable(model, vocabulary, options, {photo});
  }
  return evidence;
}

// Compares precisions on some of the photos, unless enough have been compared.
GemmPrecision measured(const DenseModel& model, const InferenceOptions& options,
                       const EmbeddedVocabulary& vocabulary, const PhotoSource& photos,
                       const Hooks& hooks) {
  const PrecisionCache cache(model);
  PrecisionEvidence evidence = cache.read();
  const std::vector<Image> more =
      pick_photos(photos, evidence.photos, kTrialPhotos - evidence.count());
  if (!more.empty()) {
    evidence += try_on_usable(model, vocabulary, options, more);
    if (evidence.trials.size() > 1) note(hooks, describe(evidence, fastest_faithful(evidence)));
    try {
      cache.write(evidence);
    } catch (const Error& error) {
      warn(hooks, fmt::format("{}: the comparison of precisions is not kept", error.what()));
    }
  }
  return evidence.count() > 0 ? fastest_faithful(evidence).precision : GemmPrecision::kFloat32;
}

// The words, their order and how they are put together, and what embeds them.
std::string digest_of_words(const InferenceModel& loaded, const VocabularyRequest& request,
                            const EmbeddedVocabulary& vocabulary) {
  std::string text;
  for (size_t c = 0; c < vocabulary.classes.size(); ++c) {
    const ClassWords& entry = vocabulary.classes[c];
    text += entry.title + '\n';
    for (const std::string& word : entry.words) text += word + '\n';
    const bool one = vocabulary.rows_of_class.empty();
    text += std::to_string(one ? 1 : vocabulary.rows_of_class[c]) + "\n\n";
  }
  for (const std::string& prompt : vocabulary.templates) text += prompt + '\n';
  if (!request.text_embeddings.empty()) {
    text += fingerprint({vocabulary.embeddings});
  } else if (loaded.text_tower) {
    text += fingerprint(*loaded.text_tower, loaded.text_config);
  }
  return file_digest(std::as_bytes(std::span(text)));
}

}  // namespace

// The state that pipelines with other windows and scores have in common.
struct Pipeline::Shared {
  // Handles on the model, which stays as it is when the precision changes.
  DenseModel dense() const {
    const std::lock_guard lock(mutex);
    return loaded.model;
  }
  InferenceModel whole() const {
    const std::lock_guard lock(mutex);
    return loaded;
  }
  void use(GemmPrecision chosen) {  // the mutex must be held
    loaded.model = in_precision(std::move(loaded.model), chosen);
    precision = chosen;
  }
  std::string fingerprint() const { return dense().encoder->info.fingerprint->digits(); }

  mutable std::mutex mutex;  // guards loaded.model and what follows
  InferenceModel loaded;
  std::optional<GemmPrecision> precision;
  std::optional<EmbeddedVocabulary> first_words;  // while the precision is open
  // The everyday words of the last vocabulary that was embedded with them, and its templates.
  std::vector<std::string> everyday_templates;
  at::Tensor everyday;

  RecentEmbeddings recent{kRecentBytes};
};

Pipeline::Pipeline(const std::filesystem::path& weights, const InferenceOptions& options,
                   std::optional<at::Device> device)
    : shared_(std::make_shared<Shared>()), options_(options) {
  fields(options_).check();
  use(load_for_inference(weights, options, device));
}

Pipeline::Pipeline(LoadedModel model, const std::string& source, const InferenceOptions& options,
                   std::optional<at::Device> device)
    : shared_(std::make_shared<Shared>()), options_(options) {
  fields(options_).check();
  use(load_for_inference(std::move(model), source, options, device));
}

void Pipeline::use(InferenceModel model) {
  shared_->loaded = std::move(model);
  check();
  std::optional<GemmPrecision> precision = gemm_precision(options_.precision);
  if (!precision && !this->device().is_cpu()) precision = GemmPrecision::kFloat32;
  if (precision) use_precision(*precision);
}

Pipeline::Pipeline(const Pipeline& other, const InferenceOptions& options)
    : shared_(other.shared_), options_(options) {
  fields(options_).check();
  if (options.device != other.options_.device || options.mode != other.options_.mode ||
      options.precision != other.options_.precision ||
      options.calibrated != other.options_.calibrated ||
      options.text_weights != other.options_.text_weights) {
    throw usage_error(
        "`device`, `mode`, `precision`, `calibrated` and `text_weights` are those the model was "
        "loaded with",
        "load the model again with other ones");
  }
  check();
}

// Mistakes show before any photo is read.
void Pipeline::check() const {
  const DenseModel dense = shared_->dense();
  window_grid(options_, dense);
  score_rule({}, true, options_, dense.scoring);
}

Mode Pipeline::mode() const { return shared_->loaded.mode; }

const std::string& Pipeline::assumption() const { return shared_->loaded.assumption; }

const std::vector<std::string>& Pipeline::notes() const { return shared_->loaded.notes; }

const TrainedOn& Pipeline::trained_on() const { return shared_->loaded.trained_on; }
at::Device Pipeline::device() const { return shared_->dense().encoder->info.device; }

EmbeddedVocabulary Pipeline::embed(const VocabularyRequest& request, const Hooks& hooks) const {
  const InferenceModel model = shared_->whole();
  EmbeddedVocabulary vocabulary =
      request.text_embeddings.empty()
          ? embed_cached(request.use_cache, shared_->recent, hooks,
                         [&](const EmbedOptions& o) {
                           return embed_vocabulary(model, request.classes, request.templates, o);
                         })
          : read_text_embeddings(request.text_embeddings, model, request.classes);
  if (options_.presence > 0) {
    vocabulary.everyday = everyday_words(model, vocabulary, request.use_cache, hooks);
  }
  report(request, model.trained_on, vocabulary, hooks);
  const std::lock_guard lock(shared_->mutex);
  if (!shared_->precision && !shared_->first_words) shared_->first_words = vocabulary;
  return vocabulary;
}

at::Tensor Pipeline::everyday_words(const InferenceModel& model,
                                    const EmbeddedVocabulary& vocabulary, bool use_cache,
                                    const Hooks& hooks) const {
  {
    const std::lock_guard lock(shared_->mutex);
    const bool same = shared_->everyday_templates == vocabulary.templates;
    if (shared_->everyday.defined() && same) return shared_->everyday;
  }
  const at::Tensor everyday = embed_cached(
      use_cache, shared_->recent, hooks,
      [&](const EmbedOptions& o) { return embed_everyday_words(model, vocabulary, o); });
  const std::lock_guard lock(shared_->mutex);
  shared_->everyday_templates = vocabulary.templates;
  shared_->everyday = everyday;
  return everyday;
}

EmbeddedVocabulary Pipeline::tune_templates(const VocabularyRequest& request,
                                            const PhotoSource& photos, const Hooks& hooks) const {
  const InferenceModel model = shared_->whole();
  const EmbeddedVocabulary vocabulary =
      request.text_embeddings.empty()
          ? resolve_vocabulary(model, request.classes, request.templates)
          : read_text_embeddings(request.text_embeddings, model, request.classes);
  TemplateTuner tuner =
      embed_cached(request.use_cache, shared_->recent, hooks, [&](const EmbedOptions& options) {
        return TemplateTuner(model, vocabulary, options_.logit_scale, options);
      });
  report(request, model.trained_on, tuner.vocabulary(), hooks);
  const PhotoEncoder encoder(model.model, options_);
  int64_t used = 0;
  for (int64_t i = 0; i < photos.count; ++i) {
    check_stop(hooks);
    try {
      StageTimes times;
      tuner.add(encoder(photos.read(i), times));
      ++used;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput) throw;
      warn(hooks, fmt::format("left out: {}", error.what()));
    }
    if (hooks.progress) hooks.progress("tuning templates", i + 1, photos.count);
  }
  if (used == 0)
    throw bad_input("no photo to tune templates on is left", "give some that can be read");
  return tuner.tuned();
}

GemmPrecision Pipeline::choose_precision(const EmbeddedVocabulary& vocabulary,
                                         const PhotoSource& photos, const Hooks& hooks) const {
  if (const auto precision = this->precision()) return *precision;
  return measured(shared_->dense(), options_, vocabulary, photos, hooks);
}

void Pipeline::use_precision(GemmPrecision precision) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->precision != precision) shared_->use(precision);
  shared_->first_words.reset();
}

std::optional<GemmPrecision> Pipeline::precision() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->precision;
}

// The model that encodes these photos. The others wait while precisions are compared.
DenseModel Pipeline::settled(std::span<const Image> photos, const Hooks& hooks) {
  const std::lock_guard lock(shared_->mutex);
  if (!shared_->precision && shared_->first_words) {
    const PhotoSource source{std::ssize(photos), [&](int64_t i) { return photos[i]; }};
    shared_->use(measured(shared_->loaded.model, options_, *shared_->first_words, source, hooks));
    shared_->first_words.reset();
  }
  return shared_->loaded.model;
}

std::vector<EncodedPhoto> Pipeline::encode(std::span<const Image> photos, StageTimes& times,
                                           const Hooks& hooks) {
  check_stop(hooks);
  return PhotoEncoder(settled(photos, hooks), options_)(photos, times, hooks);
}

EncodedPhoto Pipeline::encode(const Image& photo, StageTimes& times, const Hooks& hooks) {
  return std::move(encode(std::span(&photo, 1), times, hooks).front());
}

FrameEncoder Pipeline::frame_encoder(const Image& first, const FrameOptions& frames,
                                     const Hooks& hooks) {
  return {PhotoEncoder(settled(std::span(&first, 1), hooks), options_), frames};
}

size_t Pipeline::count_windows(Size photo) const {
  return plan_windows(photo, window_grid(options_, shared_->dense())).window_count();
}

size_t Pipeline::photos_per_batch() const {
  return PhotoEncoder(shared_->dense(), options_).photos_per_batch();
}

void Pipeline::write_encoding(const std::filesystem::path& path, const EncodedPhoto& encoded,
                              const Image& photo) const {
  tagclip::write_encoding(path, encoded, photo, shared_->fingerprint());
}

EncodedPhoto Pipeline::read_encoding(const std::filesystem::path& path, const Image& photo) const {
  const DenseModel dense = shared_->dense();
  return tagclip::read_encoding(path, photo, dense.encoder->info.fingerprint->digits(),
                                window_grid(options_, dense), dense.encoder->info.clip);
}

SegmentedPhoto Pipeline::segment(const EncodedPhoto& photo,
                                 const EmbeddedVocabulary& vocabulary) const {
  return tagclip::segment(photo, shared_->dense(), vocabulary, options_);
}

std::vector<std::vector<float>> Pipeline::class_scores(const EncodedPhoto& photo,
                                                       const EmbeddedVocabulary& vocabulary,
                                                       std::span<const int> classes) const {
  return tagclip::class_scores(photo, shared_->dense(), vocabulary, options_, classes);
}

std::vector<float> Pipeline::trusty_map(const EncodedPhoto& photo,
                                        const EmbeddedVocabulary& vocabulary) const {
  return tagclip::trusty_map(photo, shared_->dense(), vocabulary, options_);
}

MadeFrom Pipeline::made_from(const VocabularyRequest& request,
                             const EmbeddedVocabulary& vocabulary) const {
  const InferenceModel loaded = shared_->whole();
  MadeFrom result = {{"weights", shared_->fingerprint() + loaded.decoder_fingerprint},
                     {"words", digest_of_words(loaded, request, vocabulary)}};
  const ScoreSemantics& scoring = loaded.model.scoring;
  if (scoring.seen_temperature != 1 || scoring.novel_temperature != 1) {
    result["calibration"] =
        fmt::format("{} {}", scoring.seen_temperature, scoring.novel_temperature);
  }
  // The windows as they come out, where the settings leave them to the model.
  InferenceOptions resolved = options_;
  const WindowGrid grid = window_grid(options_, loaded.model);
  resolved.mode = loaded.mode;
  resolved.window = grid.window, resolved.stride = grid.stride;
  resolved.short_side = grid.short_side;
  const ConstFieldList list = fields(std::as_const(resolved));
  for (const Field& field : list.all()) {
    constexpr std::array kNotOfLabels = {"device", "text_weights", "max_pixels", "calibrated"};
    if (std::ranges::find(kNotOfLabels, field.name) != kNotOfLabels.end()) continue;
    result[field.name] = plain_text(field.get());
  }
  return result;
}

SlidingSegmenter Pipeline::segmenter(EmbeddedVocabulary vocabulary) const {
  return {shared_->dense(), std::move(vocabulary), options_};
}

}  // namespace tagclip

#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "infer/frame_encoder.h"
#include "infer/inference_model.h"
#include "infer/precision_trials.h"
#include "infer/result_record.h"
#include "infer/sliding_segmenter.h"
#include "infer/vocabulary.h"

namespace tagclip {

// A model and its settings: words -> embeddings, photos -> encodings, both -> labels. What the
// program, the C++ API and whatever else serves photos have in common. Safe to use from several
// threads.
class Pipeline {
 public:
  // Throws as load_for_inference, window_grid and score_rule, and Error(kUsage) for settings out of
  // their range. `device`: see load_for_inference.
  Pipeline(const std::filesystem::path& weights, const InferenceOptions& options,
           std::optional<at::Device> device = {});
  // Takes a trained model that is in memory already.
  Pipeline(LoadedModel model, const std::string& source, const InferenceOptions& options,
           std::optional<at::Device> device = {});
  // The same model with other windows and scores. Throws Error(kUsage) where device, mode,
  // precision or text weights differ, and as window_grid and score_rule.
  Pipeline(const Pipeline& other, const InferenceOptions& options);

  const InferenceOptions& options() const { return options_; }
  bool shares_model_with(const Pipeline& other) const { return shared_ == other.shared_; }
  Mode mode() const;                      // never Mode::kAuto
  const std::string& assumption() const;  // these two: see InferenceModel
  const std::vector<std::string>& notes() const;
  const TrainedOn& trained_on() const;
  at::Device device() const;

  // --- Words ---

  // Embeds the words, or reads their embeddings from the file of the request. Hooks hear which
  // texts were cut and how many classes are new to the model. Throws as embed_vocabulary and
  // read_text_embeddings, and Error(kStopped).
  EmbeddedVocabulary embed(const VocabularyRequest& request, const Hooks& hooks = {}) const;

  // The words embedded in templates that were chosen for each class on photos without labels; see
  // TemplateTuner. Photos that cannot be segmented are warned of and left out. Throws as embed and
  // TemplateTuner, and Error(kBadInput) where no photo is left.
  EmbeddedVocabulary tune_templates(const VocabularyRequest& request, const PhotoSource& photos,
                                    const Hooks& hooks = {}) const;

  // --- Precision ---

  // The encoder's precision that the settings come to. Precision::kAuto compares precisions on some
  // of the photos, unless enough have been compared before, and keeps what it measured in the cache
  // folder, by weights and processor. A GPU has float32 alone.
  GemmPrecision choose_precision(const EmbeddedVocabulary& vocabulary, const PhotoSource& photos,
                                 const Hooks& hooks = {}) const;
  // Encodes in this precision from now on. Throws Error(kUsage) where it does not run here.
  void use_precision(GemmPrecision precision);
  // Returns nothing while Precision::kAuto is still open.
  std::optional<GemmPrecision> precision() const;

  // --- Photos ---

  // Encodes photos together. Where the precision is still open, it is chosen with these photos and
  // the words that were embedded first; without words the photos are encoded in float32. Throws as
  // PhotoEncoder, which asks the hooks between two batches of windows.
  std::vector<EncodedPhoto> encode(std::span<const Image> photos, StageTimes& times,
                                   const Hooks& hooks = {});
  EncodedPhoto encode(const Image& photo, StageTimes& times, const Hooks& hooks = {});
  // Returns what encodes the frames of a video, of which `first` is one: with it the precision is
  // chosen, as above.
  FrameEncoder frame_encoder(const Image& first, const FrameOptions& frames,
                             const Hooks& hooks = {});
  // Returns the number of windows that a photo of this size is encoded in. Throws Error(kBadInput)
  // for a size that cannot be encoded.
  size_t count_windows(Size photo) const;
  // The number of photos worth encoding together.
  size_t photos_per_batch() const;

  // Keeps an encoding in a file, and reads one that was kept for this photo, model and windows.
  // Throw as the functions of encoding_file.h.
  void write_encoding(const std::filesystem::path& path, const EncodedPhoto& encoded,
                      const Image& photo) const;
  EncodedPhoto read_encoding(const std::filesystem::path& path, const Image& photo) const;

  // --- Labels ---

  // Throw as the functions of that name in sliding_segmenter.h.
  SegmentedPhoto segment(const EncodedPhoto& photo, const EmbeddedVocabulary& vocabulary) const;
  std::vector<std::vector<float>> class_scores(const EncodedPhoto& photo,
                                               const EmbeddedVocabulary& vocabulary,
                                               std::span<const int> classes) const;
  std::vector<float> trusty_map(const EncodedPhoto& photo,
                                const EmbeddedVocabulary& vocabulary) const;
  // Returns all that labels depend on beside the photo, for words embedded from this request. Reads
  // all weights, once.
  MadeFrom made_from(const VocabularyRequest& request, const EmbeddedVocabulary& vocabulary) const;
  // Segments whole photos with one vocabulary. The pipeline must outlive it and keep its precision.
  SlidingSegmenter segmenter(EmbeddedVocabulary vocabulary) const;

 private:
  struct Shared;

  void use(InferenceModel model);
  // The words that presence compares with, in the vocabulary's templates; kept for the next one.
  at::Tensor everyday_words(const InferenceModel& model, const EmbeddedVocabulary& vocabulary,
                            bool use_cache, const Hooks& hooks) const;
  void check() const;
  DenseModel settled(std::span<const Image> photos, const Hooks& hooks);

  std::shared_ptr<Shared> shared_;
  InferenceOptions options_;
};

}  // namespace tagclip

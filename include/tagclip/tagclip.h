// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tagclip/error.h"
#include "tagclip/options.h"
#include "tagclip/outputs.h"

// Open-vocabulary semantic segmentation: a photo and words in, the class of every pixel out.
//
//   tagclip::Segmenter segmenter("model.safetensors");
//   const tagclip::Vocabulary words = segmenter.embed({{"cat"}, {"sofa", "couch"}, {"wall"}});
//   const tagclip::Segmentation result = segmenter.segment("photo.jpg", words);
//   result.write_overlay("overlay.png");
//
// Everything that is thrown is a tagclip::Error: its kind() tells who has to act, its hint() what
// to do. Objects are cheap to copy: copies share what they hold, which never changes. All of them
// may be used from several threads at once.
namespace tagclip {

namespace detail {
struct Model;
struct Embedded;
struct Encoded;
struct Result;
}  // namespace detail

// Returns the version of the library: "0.1.0".
TAGCLIP_API const char* version() noexcept;

// --- Settings by name, for front ends that take them as text ---

struct SettingInfo {
  std::string name;                  // "short_side"
  std::string help;                  // a sentence for people
  std::string value;                 // as text: "0", "auto", "true"
  std::vector<std::string> choices;  // the words it takes, where only these are allowed
};

// Returns all settings with their values in `options`.
TAGCLIP_API std::vector<SettingInfo> settings(const InferenceOptions& options = {});
TAGCLIP_API std::vector<SettingInfo> settings(const VocabularyOptions& options);
TAGCLIP_API std::vector<SettingInfo> settings(const OutputOptions& options);
// Changes one. Throws Error(kUsage) for an unknown name, suggesting the nearest one, and for a
// value of the wrong type or out of range.
TAGCLIP_API void set(InferenceOptions& options, const std::string& name, const std::string& value);
TAGCLIP_API void set(VocabularyOptions& options, const std::string& name, const std::string& value);
TAGCLIP_API void set(OutputOptions& options, const std::string& name, const std::string& value);

// --- What goes in ---

// Holds the words of one class: its name, then synonyms.
using Words = std::vector<std::string>;

// 8-bit RGB pixels the caller owns: [height, width, 3], without gaps between rows.
struct Pixels {
  const uint8_t* data = nullptr;
  int width = 0;
  int height = 0;
};

// Refers to a photo: a JPEG, PNG or WebP file, the bytes of one, or pixels. Bytes and pixels stay
// the caller's and must live until the call that takes the photo returns. EXIF orientation is
// applied, alpha dropped. Of a photo that was read but is not as it should be (a JPEG without its
// end marker, a 16-bit PNG that is nearly black), Hooks::warn tells.
class Photo {
 public:
  Photo(std::filesystem::path file) : source_(std::move(file)) {}
  Photo(const char* file) : source_(std::filesystem::path(file)) {}
  Photo(const std::string& file) : source_(std::filesystem::path(file)) {}
  // `name` stands for the photo in messages and in json().
  Photo(std::span<const std::byte> file_bytes, std::string name = "photo")
      : source_(file_bytes), name_(std::move(name)) {}
  Photo(const Pixels& pixels, std::string name = "") : source_(pixels), name_(std::move(name)) {}

 private:
  friend struct detail::Model;
  std::variant<std::filesystem::path, std::span<const std::byte>, Pixels> source_;
  std::string name_;
};

// The classes to look for, as a program has them: unlike VocabularyOptions nothing in it is ever
// taken for the name of a file.
struct VocabularyWords {
  std::vector<Words> classes;
  std::vector<std::string> templates = {};  // each with {} where the word goes; none: the model's
  // Words that together are one more class, "background"; {"common"} is a list of what most photos
  // show. Empty: no such class.
  Words background = {};
  Synonyms synonyms = Synonyms::kAuto;
};

struct ClassInfo {
  Words words;
  bool seen = false;  // the model was trained on pixels of this class
};

// Classes in the form a model takes them, made by Segmenter::embed or parse. For the segmenter that
// made it, and those that `with` makes of that one.
class TAGCLIP_API Vocabulary {
 public:
  const std::vector<ClassInfo>& classes() const;
  // Returns the prompt templates: "a photo of a {}", ...
  const std::vector<std::string>& templates() const;
  // Returns the templates of each class, where Segmenter::tune chose them; empty otherwise.
  const std::vector<std::vector<std::string>>& class_templates() const;
  // Returns the texts that were longer than the model reads, and were cut.
  const std::vector<std::string>& truncated() const;
  // Writes the embeddings: .npy with the class list beside it as .txt, or safetensors. Throws
  // Error(kUsage) where a class has several embeddings (Synonyms::kMax).
  void write(const std::filesystem::path& path) const;

 private:
  friend class Segmenter;
  explicit Vocabulary(std::shared_ptr<const detail::Embedded> state) : state_(std::move(state)) {}
  std::shared_ptr<const detail::Embedded> state_;
};

// A photo encoded by the image encoder, which takes most of the time: other words then cost little.
// Serves the segmenter that made it, and those that `with` makes of that one.
class TAGCLIP_API PhotoEncoding {
 public:
  int width() const;  // of the photo, pixels
  int height() const;
  size_t bytes() const;  // of memory, the photo's pixels included
  // Keeps it in a file, for Segmenter::read_encoding; about 2 MB per 512 x 512 pixels of a
  // ViT-B/16. Appears whole or not at all and replaces what was there.
  void write(const std::filesystem::path& path) const;

 private:
  friend class Segmenter;
  explicit PhotoEncoding(std::shared_ptr<const detail::Encoded> state) : state_(std::move(state)) {}
  std::shared_ptr<const detail::Encoded> state_;
};

// --- What comes out ---

// Holds one class that occurs in a photo.
struct Region {
  std::string name;
  int label = 0;          // its index in the vocabulary
  double share = 0;       // of the photo's pixels, 0 to 1
  double mean_score = 0;  // over its pixels
  // How well the class fits the photo as a whole, 0 to 1; only with InferenceOptions::presence.
  std::optional<double> presence = {};
};

// One entry per class that was left out of a photo, which it fits less than
// InferenceOptions::presence.
struct AbsentClass {
  std::string name;
  int label = 0;
  double presence = 0;
};

// Holds the result for one photo.
class TAGCLIP_API Segmentation {
 public:
  static constexpr uint16_t kUnlabelled = 0xFFFF;

  int width() const;  // of the photo, pixels
  int height() const;
  // Returns the class of every pixel, [height, width]: an index into the vocabulary or kUnlabelled.
  const std::vector<uint16_t>& labels() const;
  // Returns the score of each pixel's best class, [height, width], labelled or not; at most 1.
  const std::vector<float>& scores() const;
  // Returns the classes that occur, largest first.
  const std::vector<Region>& regions() const;
  // Returns how well each class of the vocabulary fits the photo as a whole, 0 to 1; empty without
  // InferenceOptions::presence.
  const std::vector<double>& presence() const;
  // Returns the classes that were left out, in the order of the vocabulary.
  const std::vector<AbsentClass>& absent() const;

  // Returns the scores of these classes at every pixel, [height, width] each, of which labels() are
  // the largest over the vocabulary. With a trained model sigmoid(logit), less the seen bias and
  // times the trusty weight (Eq. 12): in [-1, 1]. With a CLIP as it is, a probability: the classes
  // of the vocabulary sum to 1. They are computed when they are asked for and not kept: 4 bytes per
  // pixel and class asked for, and a few maps more while computing. Throws Error(kUsage) for a
  // label that is none.
  std::vector<std::vector<float>> class_scores(std::span<const int> labels) const;

  // Returns how sure the model's trusty token is that each pixel shows a class it was trained on,
  // 0 to 1, [height, width]; empty where it has no such token. It costs as much as segment().
  std::vector<float> trusty_map() const;

  // Returns the JSON that `tagclip segment` writes beside its label file.
  std::string json() const;
  // Returns the photo's pixels under translucent class colours, [height, width, 3].
  std::vector<uint8_t> overlay() const;
  // Draws the same with a legend; returns a PNG file's bytes.
  std::vector<std::byte> overlay_png() const;
  // Returns an indexed PNG whose index is the class; unlabelled pixels are 255. With more than 255
  // classes it is 16-bit grey, unlabelled 65535.
  std::vector<std::byte> labels_png() const;
  // Write the same to files, which appear whole or not at all and replace what was there.
  void write_overlay(const std::filesystem::path& path) const;
  void write_labels(const std::filesystem::path& path) const;
  // Returns the bytes of the file that an output format has per photo ("geojson", "labelme", ...;
  // docs/outputs.md lists them). `options`: all but its `output_format`. Throws Error(kUsage)
  // for an unknown format, and for one that writes no single file per photo.
  std::vector<std::byte> encode(const std::string& format, const OutputOptions& options = {}) const;

 private:
  friend class Segmenter;
  friend void write_outputs(const std::filesystem::path& folder,
                            std::span<const Segmentation> results, const OutputOptions& options,
                            bool overwrite);
  explicit Segmentation(std::shared_ptr<const detail::Result> state) : state_(std::move(state)) {}
  std::shared_ptr<const detail::Result> state_;
};

// Writes what `tagclip segment` writes into a folder: NAME_classes.json and the formats' files per
// photo, and those that are about all photos, such as COCO's JSON. NAME is that of the photo's
// file; of photos that were no files the name they were given, or "photo". All results must be of
// one vocabulary. Throws Error(kUsage) where they are not, and Error(kFailure) where a file cannot
// be written, or is there already and is not to be overwritten.
TAGCLIP_API void write_outputs(const std::filesystem::path& folder,
                               std::span<const Segmentation> results,
                               const OutputOptions& options = {}, bool overwrite = false);

// --- What does it ---

// Holds a model, loaded once, for any number of vocabularies and photos.
class TAGCLIP_API Segmenter {
 public:
  // `weights`: a file or folder in any dialect that `tagclip info` knows. Throws Error(kBadInput)
  // for weights that cannot be used, Error(kUsage) for settings that cannot work.
  explicit Segmenter(const std::filesystem::path& weights, const InferenceOptions& options = {});
  // Returns the model with other windows and scores; it shares the weights and costs nothing.
  // Throws Error(kUsage) where device, mode, precision, calibration or text weights differ.
  Segmenter with(const InferenceOptions& options) const;

  const InferenceOptions& options() const;
  // Returns the mode that the settings come to; never Mode::kAuto.
  Mode mode() const;
  // Returns what the weights do not say and was assumed; usually empty.
  const std::string& assumption() const;
  // Returns the encoder's number format: Precision::kAuto until it is chosen, which happens at the
  // first photos that are encoded after words were embedded.
  Precision precision() const;

  // Returns the number of windows that a photo of this size, in pixels, is encoded in: what
  // encoding it costs. Throws Error(kBadInput) for a size that cannot be encoded.
  size_t count_windows(int width, int height) const;
  // Returns the number of photos worth encoding together.
  size_t photos_per_batch() const;

  // Returns the classes the model was trained on, without embedding them; empty where the weights
  // do not say.
  std::vector<ClassInfo> known_classes() const;
  // Returns the same, embedded.
  Vocabulary trained_classes(const Hooks& hooks = {}) const;
  // Embeds classes of your own. Those that CLIP reads alike become one, which Hooks::warn tells;
  // Vocabulary::classes() are those that are left. `templates`: each with {} where the word goes;
  // none: the model's own. The cache of embeddings is neither read nor written.
  Vocabulary embed(const std::vector<Words>& classes,
                   const std::vector<std::string>& templates = {}, const Hooks& hooks = {}) const;
  // The same with all that a vocabulary may have. Words that were embedded before are taken from a
  // bounded memory.
  Vocabulary embed_words(const VocabularyWords& words, const Hooks& hooks = {}) const;
  // Reads classes as a person writes them, on a command line or in a form.
  Vocabulary parse(const VocabularyOptions& options, const Hooks& hooks = {}) const;

  // The same with templates chosen for each class on photos without labels: those that are surest
  // where they see it (FLOSS). Each class has one embedding, the mean of its words'. Photos that
  // cannot be used are left out, which Hooks::warn tells. Throws Error(kUsage) in the mode trained,
  // and Error(kBadInput) where no photo is left.
  Vocabulary tune(const VocabularyOptions& options, std::span<const Photo> photos,
                  const Hooks& hooks = {}) const;

  Segmentation segment(const Photo& photo, const Vocabulary& vocabulary,
                       const Hooks& hooks = {}) const;
  // Several photos, encoded together where a GPU is the faster for it. The first photo that cannot
  // be used throws.
  std::vector<Segmentation> segment(std::span<const Photo> photos, const Vocabulary& vocabulary,
                                    const Hooks& hooks = {}) const;

  // These do the same in two steps: encode once, ask with many vocabularies.
  PhotoEncoding encode(const Photo& photo, const Hooks& hooks = {}) const;
  std::vector<PhotoEncoding> encode(std::span<const Photo> photos, const Hooks& hooks = {}) const;
  Segmentation segment(const PhotoEncoding& photo, const Vocabulary& vocabulary) const;
  // An encoding of `photo` that a segmenter of the same weights, mode and windows wrote.
  PhotoEncoding read_encoding(const std::filesystem::path& file, const Photo& photo,
                              const Hooks& hooks = {}) const;

 private:
  explicit Segmenter(std::shared_ptr<const detail::Model> state) : state_(std::move(state)) {}
  std::shared_ptr<const detail::Model> state_;
};

}  // namespace tagclip

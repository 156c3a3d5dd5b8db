// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Open-vocabulary semantic segmentation: a photo and words in, the class of every pixel out.
//
//   tagclip::Segmenter segmenter("model.safetensors");
//   const tagclip::Vocabulary words = segmenter.embed({{"cat"}, {"sofa", "couch"}, {"wall"}});
//   const tagclip::Segmentation result = segmenter.segment("photo.jpg", words);
//   result.write_overlay("overlay.png");
//
// Mistakes and failures are thrown as std::runtime_error; what() says what was wrong, in which
// file, and what to do. Objects are cheap to copy: copies share what they hold, which never
// changes.
namespace tagclip {

namespace detail {
struct Model;
struct Embedded;
struct Encoded;
struct Result;
}  // namespace detail

// The words of one class: its name, then synonyms.
using Words = std::vector<std::string>;

// An 8-bit RGB picture the caller owns: [height, width, 3], without gaps between rows.
struct Pixels {
  const uint8_t* data = nullptr;
  int width = 0;
  int height = 0;
};

// A class of a vocabulary.
struct ClassInfo {
  Words words;
  bool seen = false;  // the model was trained on pixels of this class; otherwise it only read of it
};

// Classes in the form a model takes them. Belongs to the segmenter that made it.
class Vocabulary {
 public:
  const std::vector<ClassInfo>& classes() const;
  // "a photo of a {}", ...
  const std::vector<std::string>& templates() const;
  // Texts that were longer than the model reads, and were cut.
  const std::vector<std::string>& truncated() const;

 private:
  friend class Segmenter;
  explicit Vocabulary(std::shared_ptr<const detail::Embedded> state) : state_(std::move(state)) {}
  std::shared_ptr<const detail::Embedded> state_;
};

// A photo as the model sees it, before any word is asked for: what takes most of the time, so that
// other words cost little. Belongs to the segmenter that made it.
class PhotoEncoding {
 public:
  int width() const;  // of the photo
  int height() const;
  // Keeps it in a file, for Segmenter::encoding; about 2 MB for each 512 x 512 of a ViT-B/16.
  // Appears whole or not at all and replaces what was there.
  void write(const std::filesystem::path& path) const;

 private:
  friend class Segmenter;
  explicit PhotoEncoding(std::shared_ptr<const detail::Encoded> state) : state_(std::move(state)) {}
  std::shared_ptr<const detail::Encoded> state_;
};

// A class found in a photo.
struct Region {
  std::string name;
  int label = 0;          // its index in the vocabulary
  double share = 0;       // of the photo's pixels, 0..1
  double mean_score = 0;  // over its pixels
};

// The result for one photo.
class Segmentation {
 public:
  static constexpr uint16_t kUnlabelled = 0xFFFF;

  int width() const;
  int height() const;
  // The class of every pixel, [height, width]: an index into the vocabulary, or kUnlabelled.
  const std::vector<uint16_t>& labels() const;
  // How sure that is, [height, width]; at most 1.
  const std::vector<float>& scores() const;
  // The classes that occur, largest first.
  const std::vector<Region>& regions() const;
  // What `tagclip segment` writes beside its label file, as JSON.
  std::string json() const;

  // The photo under translucent class colours with a legend, as PNG. Both appear whole or not at
  // all and replace what was there.
  void write_overlay(const std::filesystem::path& path) const;
  // An indexed PNG whose index is the class; unlabelled pixels are 255. With more than 255 classes
  // 16-bit grey, unlabelled 65535.
  void write_labels(const std::filesystem::path& path) const;

 private:
  friend class Segmenter;
  explicit Segmentation(std::shared_ptr<const detail::Result> state) : state_(std::move(state)) {}
  std::shared_ptr<const detail::Result> state_;
};

struct SegmenterOptions {
  std::string device = "auto";  // auto, cpu, cuda
  // What a CPU's image encoder computes in: float32, bfloat16x3, bfloat16, int8. `tagclip segment`
  // says how many pixels each labels as float32 does.
  std::string precision = "float32";
  std::string mode = "trained";  // trained: the weights' decoder; clip, sclip: a CLIP as it is
  std::filesystem::path text_weights = {};  // a CLIP that reads the words, where the weights cannot
  int window = 0;                  // side of the sliding window in pixels; 0: as in training
  int stride = 0;                  // its step; 0: window * 426 / 512, of a CLIP half of it
  int short_side = 0;              // photos are resized to it; 0: the window, of a CLIP 1.5 of it
  std::string weighting = "both";  // whose scores the trusty map reweighs: none, seen, unseen, both
  double threshold = 0;            // pixels with a lower score are unlabelled; 0: none is
  int64_t max_pixels = 64LL << 20;  // larger photo files are refused
};

// A model, loaded once, for any number of vocabularies and photos. Safe to use from several
// threads.
class Segmenter {
 public:
  // `weights`: a file or folder in any dialect that `tagclip info` knows.
  explicit Segmenter(const std::filesystem::path& weights, const SegmenterOptions& options = {});

  // What the weights do not say and was assumed, for the user to know; usually empty.
  const std::string& assumption() const;

  // The classes the model was trained on.
  Vocabulary trained_classes() const;
  // Classes of your own, no word twice. `templates`: each with {} where the word goes; none: the
  // model's own.
  Vocabulary embed(const std::vector<Words>& classes,
                   const std::vector<std::string>& templates = {}) const;
  // As on the command line: "cat, sofa, wall", or a file with a class a line. `prompt`: "single",
  // "multi", "imagenet", a file, a template, or empty for the model's own.
  Vocabulary parse(const std::string& classes, const std::string& prompt = {}) const;

  // JPEG, PNG or WebP.
  Segmentation segment(const std::filesystem::path& photo, const Vocabulary& vocabulary) const;
  Segmentation segment(const Pixels& photo, const Vocabulary& vocabulary) const;

  // The same in two steps: encode once, ask with many vocabularies.
  PhotoEncoding encode(const std::filesystem::path& photo) const;
  PhotoEncoding encode(const Pixels& photo) const;
  Segmentation segment(const PhotoEncoding& photo, const Vocabulary& vocabulary) const;
  // An encoding of `photo` that was written by a segmenter of the same weights and options.
  PhotoEncoding encoding(const std::filesystem::path& file,
                         const std::filesystem::path& photo) const;

 private:
  std::shared_ptr<const detail::Model> state_;
};

}  // namespace tagclip

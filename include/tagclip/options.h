#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tagclip {

// The device a model computes on.
enum class Device {
  kAuto,  // a GPU where there is one
  kCpu,
  kCuda,
};

// The part of the weights that tells the classes apart.
enum class Mode {
  kAuto,       // kTrained where the weights have a decoder, kPlain for a CLIP whose patches were
               // trained against words (its file says so), kClip for any other
  kTrained,    // a decoder that was trained for it: TagCLIP, ZegCLIP
  kClip,       // a CLIP as it is, by the method with the best published results: SC-CLIP
  kQuick,      // a CLIP as it is, NACLIP on the whole photo in one pass
  kMaskClip,   // a CLIP as it is, by the values of its last attention
  kSclip,      // ... by correlative self-attention
  kClearClip,  // ... by attention of queries to queries, without residual and MLP
  kNaclip,     // ... by attention of keys to keys and to near patches
  kScClip,     // ... self-calibrated by the similarity of patches in middle blocks
  kSfp,        // ... the same with outliers found by the attention of the class token
  kPlain,      // ... by its patches as they come out
};

// Sets the number format of the image encoder's matrix products, on CPUs. A GPU uses float32.
enum class Precision {
  kAuto,  // the fastest that labels at least 99.8% of the pixels as float32 does, measured
          // on the first photos
  kFloat32,
  kBFloat16x3,  // each factor the sum of two bfloat16 numbers: nearly float32's result
  kBFloat16,
  kInt8,
};

// Says which classes' scores the trusty map weights (Eq. 12 of the TagCLIP paper).
enum class Weighting { kNone, kSeen, kUnseen, kBoth };

// The way several words for one class are combined.
enum class Synonyms {
  kAuto,  // kMean for a model that was trained to segment, kMax for a CLIP as it is
  kMean,  // into one embedding, the mean of theirs
  kMax,   // each word is scored, and the class gets the largest score
};

// The way overlapping windows are averaged.
enum class WindowAverage {
  kUniform,  // all count the same, as in the published code
  kTapered,  // a window counts the less, the nearer its own border is: no seam shows there
};

// What sharpens the borders of the labels by the photo's edges.
enum class Refine {
  kNone,
  kGuided,  // the guided filter: fast, of short reach
  kPamr,    // pixel-adaptive mask refinement, 10 steps with dilations 8 and 16
};

// Holds the settings of inference. src/infer/options.h gives each its name, range and help text.
struct InferenceOptions {
  Device device = Device::kAuto;
  Mode mode = Mode::kAuto;
  Precision precision = Precision::kAuto;
  // A CLIP whose text tower embeds the words, for weights that hold none. Empty: none.
  std::filesystem::path text_weights = {};

  int window = 0;      // side of the sliding window, pixels; 0: the model's training size
  int stride = 0;      // its step, pixels; 0: 426/512 of the window, for a CLIP 1/2
  int short_side = 0;  // photos are resized to it, pixels; 0: the window, for a CLIP the mode's own
  WindowAverage window_average = WindowAverage::kUniform;
  // True if the patches of all windows of a photo attend to each other in the last block, for a
  // CLIP as it is: windows then agree where they overlap.
  bool join_windows = false;
  // Test-time augmentation: the photo is segmented at these multiples of the short side, 0.1 to 8,
  // at most 8 of them, and with `flip` also as its mirror image; the scores are averaged.
  std::vector<double> scales = {1};
  bool flip = false;
  double logit_scale =
      0;  // what a CLIP's cosines are multiplied with, up to 1000; 0: the mode's own

  Weighting weighting = Weighting::kBoth;
  // This is subtracted from seen classes' scores (calibrated stacking, Chao et al. 2016), 0 to 1.
  // An empty value means 0.1 for models of inductive training, as released, and 0 for others.
  std::optional<double> seen_bias = {};
  // True if the model's trusty token joins the class queries. Without it no score is weighted.
  bool trusty_token = true;
  Refine refine = Refine::kNone;
  // Classes whose presence in the photo as a whole is lower are left out of it, 0 to 1; 0: none is.
  // See SegmentedPhoto::presence.
  double presence = 0;
  // True if scores are made as sure as `tagclip eval --calibrate` found them to be right; it leaves
  // MODEL.calibration.json beside the weights.
  bool calibrated = true;
  // Pixels with a lower best score are unlabelled, or background where that is a class; 0 to 1, 0:
  // none is.
  double threshold = 0;
  // Classes with at most this share of what is not background give way to others, 0 to 1; 0: none.
  double area_threshold = 0;

  int64_t max_pixels = 64LL << 20;  // larger photo files are refused
};

// The classes to look for, as a person writes them.
struct VocabularyOptions {
  // Lists words, "cat, sofa, wall", or names a file with one class per line and commas between
  // synonyms; JSON, YAML and CSV, too. Empty: the classes the model was trained on.
  std::string classes = {};
  // Selects templates: "single", "multi", "imagenet", a file with one per line, or one that holds
  // {}. Empty: the model's own, for a CLIP "imagenet".
  std::string prompt = {};
  // Words or a file of words that together are one more class, "background"; "common" is a list of
  // what most photos show. Empty: no such class.
  std::string background = {};
  Synonyms synonyms = Synonyms::kAuto;
  // A file that holds the embeddings of the classes: .npy, or what `tagclip embed` writes. Empty:
  // the words are embedded.
  std::filesystem::path text_embeddings = {};
  bool no_cache = false;  // neither read nor keep embeddings of words in the cache folder
};

// Functions by which a long call tells its caller, and asks. All may be empty; they are called from
// the thread of the call.
struct Hooks {
  // Receives how many of what have been done, and of how many: ("photos", 3, 10).
  std::function<void(const std::string& what, int64_t done, int64_t total)> progress = {};
  // Returns true to stop; the call then throws Error(kStopped).
  std::function<bool()> stop_requested = {};
  std::function<void(const std::string&)> note = {};  // what is going on
  std::function<void(const std::string&)> warn = {};  // what the caller should know
};

}  // namespace tagclip

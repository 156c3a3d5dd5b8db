#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "clip/clip_file.h"
#include "data/image_ops.h"
#include "infer/inference_model.h"
#include "infer/sliding_segmenter.h"
#include "kernels/blend/reference.h"
#include "kernels/refine/pamr.h"
#include "model/dense_clip.h"
#include "support/places.h"

// The released code's results on one photo with small random weights: from the file to the label
// map.
namespace tagclip {
namespace {

const std::filesystem::path kGolden = shared_folder() / "golden";
constexpr int kHeadSize = 64;  // where the released head forms its scores, whatever the window
constexpr double kTolerance = 1e-5;
constexpr Size kPhoto{150, 100};

at::Tensor tensor_of(const std::string& file, const std::string& name) {
  const SafetensorsFile opened = SafetensorsFile::open(kGolden / file);
  const TensorView* view = opened.find(name);
  if (view == nullptr) throw std::runtime_error(file + " has no " + name);
  return as_tensor(*view).clone();
}

struct Weighted {
  std::string name;
  Weighting weighting;
};
const Weighted kPlain{"plain", Weighting::kNone}, kSeen{"seen", Weighting::kSeen},
    kUnseen{"unseen", Weighting::kUnseen}, kBoth{"both", Weighting::kBoth};

class Golden : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kGolden / "e2e" / "photo.png")) {
      GTEST_SKIP() << "left out: the reference photo e2e/photo.png is not in " << kGolden;
    }
    photo_ = read_image(kGolden / "e2e" / "photo.png");
    model_ =
        load_for_inference(kGolden / "tagclip_tiny_weights.safetensors", {.device = Device::kCpu});
    text_ = tensor_of("tagclip_tiny_expected.safetensors", "in.text");
    seen_.assign(text_.size(0), false);
    const at::Tensor seen = tensor_of("tagclip_tiny_expected.safetensors", "in.seen_idx");
    for (int64_t i = 0; i < seen.numel(); ++i) seen_[seen[i].item<int64_t>()] = true;
  }

  // Scores [9, 100, 150] by the reference.
  at::Tensor scores(const Image& photo, Size size, int window, bool inductive,
                    Weighting weighting) {
    at::NoGradGuard no_gradients;
    const Image picture = resize_bilinear(photo, size);
    const std::vector<CropBox> windows = sliding_windows(size, window, 43);
    std::vector<at::Tensor> classes, trusty;
    for (const CropBox& box : windows) {
      at::Tensor pixels = at::empty({1, 3, box.height, box.width});
      normalize_into(crop(picture, box), {}, {box.width, box.height}, pixels.data_ptr<float>());
      const MaskLogits logits = (*model_.model.decoder)((*model_.model.encoder)(pixels), text_, {});
      classes.push_back(logits.classes);
      trusty.push_back(logits.trusty);
    }
    return reference_scores(
        {at::cat(classes), at::cat(trusty), {}}, layout_of(windows, size),
        score_rule(seen_, inductive, {.weighting = weighting}, model_.model.scoring),
        {photo.height, photo.width}, kHeadSize);
  }

  SegmentedPhoto segmented(const Image& photo, const InferenceOptions& options,
                           bool inductive = true) {
    EmbeddedVocabulary vocabulary{.seen = seen_, .inductive = inductive, .embeddings = text_};
    for (int64_t c = 0; c < text_.size(0); ++c) vocabulary.classes.push_back({{std::to_string(c)}});
    return SlidingSegmenter(model_.model, vocabulary, options)(photo);
  }

  SegmentedPhoto segmented(const Image& photo, int short_side, bool inductive,
                           Weighting weighting) {
    const InferenceOptions options{
        .window = kHeadSize, .stride = 43, .short_side = short_side, .weighting = weighting};
    return segmented(photo, options, inductive);
  }

  Image photo_;
  InferenceModel model_;
  at::Tensor text_;
  std::vector<bool> seen_;
};

// Labels agree with the file but where the two best scores are nearer than the tolerance.
void expect_labels(const std::vector<uint16_t>& labels, const at::Tensor& scores,
                   const std::string& name, double tolerance = kTolerance) {
  const LabelMap expected = read_label_map(kGolden / "e2e" / ("label_" + name + ".png"));
  ASSERT_EQ(labels.size(), expected.labels.size());
  const at::Tensor margins = std::get<0>(scores.topk(2, 0)).diff(1, 0).abs().flatten();
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == expected.labels[i]) continue;
    ASSERT_LT(margins[static_cast<int64_t>(i)].item<float>(), tolerance) << name << ", pixel " << i;
  }
}

void expect_scores(const at::Tensor& scores, const std::string& name) {
  const at::Tensor every_7th = scores.slice(1, 0, at::nullopt, 7).slice(2, 0, at::nullopt, 7);
  const at::Tensor expected = tensor_of("e2e/expected.safetensors", name + ".logits");
  EXPECT_LT((every_7th - expected).abs().max().item<float>(), kTolerance) << name;
  const at::Tensor mean = tensor_of("e2e/expected.safetensors", name + ".logit_mean");
  EXPECT_LT((scores.to(at::kDouble).mean({1, 2}) - mean).abs().max().item<double>(), kTolerance)
      << name;
}

TEST_F(Golden, SlidingWindows) {
  for (const Weighted& mode : {kPlain, kSeen, kUnseen, kBoth}) {
    const at::Tensor found = scores(photo_, kPhoto, kHeadSize, true, mode.weighting);
    expect_scores(found, "slide_native." + mode.name);
    expect_labels(best_class(found).labels, found, "slide_native_" + mode.name);
    const SegmentedPhoto fused = segmented(photo_, kPhoto.height, true, mode.weighting);
    expect_labels(fused.labels.labels, found, "slide_native_" + mode.name);
  }
}

TEST_F(Golden, SlidingWindowsOfAResizedPhoto) {
  for (const Weighted& mode : {kPlain, kBoth}) {
    const at::Tensor found = scores(photo_, {96, 64}, kHeadSize, true, mode.weighting);
    expect_scores(found, "slide_resized." + mode.name);
    expect_labels(best_class(found).labels, found, "slide_resized_" + mode.name);
    const SegmentedPhoto fused = segmented(photo_, 64, true, mode.weighting);
    expect_labels(fused.labels.labels, found, "slide_resized_" + mode.name);
  }
}

TEST_F(Golden, WholePhotoAtOnce) {
  for (const Weighted& mode : {kPlain, kSeen, kUnseen, kBoth}) {
    const at::Tensor found = scores(photo_, {96, 96}, 96, true, mode.weighting);
    expect_scores(found, "whole_square." + mode.name);
    expect_labels(best_class(found).labels, found, "whole_square_" + mode.name);
  }
}

TEST_F(Golden, TransductiveModelKeepsSeenScores) {
  const at::Tensor found = scores(photo_, kPhoto, kHeadSize, false, Weighting::kNone);
  expect_scores(found, "slide_native_transductive.plain");
  expect_labels(best_class(found).labels, found, "slide_native_transductive_plain");
  const SegmentedPhoto fused = segmented(photo_, kPhoto.height, false, Weighting::kNone);
  expect_labels(fused.labels.labels, found, "slide_native_transductive_plain");
}

TEST_F(Golden, MeanOfPhotoAndMirrorImage) {
  const at::Tensor straight = scores(photo_, kPhoto, kHeadSize, true, Weighting::kBoth);
  const at::Tensor mirrored =
      scores(flip_horizontal(photo_), kPhoto, kHeadSize, true, Weighting::kBoth);
  const at::Tensor mean = (straight.softmax(0) + mirrored.flip(2).softmax(0)) / 2;
  const at::Tensor every_7th = mean.slice(1, 0, at::nullopt, 7).slice(2, 0, at::nullopt, 7);
  const at::Tensor expected = tensor_of("e2e/expected.safetensors", "flip_tta.both.mean_softmax");
  EXPECT_LT((every_7th - expected).abs().max().item<float>(), kTolerance);
  expect_labels(best_class(mean).labels, mean, "flip_tta_both");

  // `flip` averages the scores themselves: a softmax per view would make them hard to compare with
  // a threshold. The labels are the same but near ties.
  const at::Tensor plain = (straight + mirrored.flip(2)) / 2;
  const SegmentedPhoto flipped = segmented(
      photo_, {.window = kHeadSize, .stride = 43, .short_side = kPhoto.height, .flip = true});
  for (size_t i = 0; i < flipped.scores.size(); ++i) {
    const auto y = static_cast<int64_t>(i) / kPhoto.width,
               x = static_cast<int64_t>(i) % kPhoto.width;
    ASSERT_NEAR(flipped.scores[i], plain.select(1, y).select(1, x).max().item<float>(), kTolerance);
  }
  expect_labels(flipped.labels.labels, mean, "flip_tta_both", 20 * kTolerance);
}

// --- A CLIP as it is ---

TEST(GoldenDenseClip, PixelAdaptiveMaskRefinement) {
  if (!std::filesystem::exists(kGolden / "dense_clip")) GTEST_SKIP() << "left out: no dense_clip";
  const std::string file = "dense_clip/pamr.safetensors";
  const at::Tensor image = tensor_of(file, "image").permute({2, 0, 1});
  struct Case {
    std::string name, maps;
    PamrOptions options;
  };
  for (const auto& [name, maps, options] :
       {Case{"one_step_dilation_1", "logits_full", {1, {1}}},
        Case{"one_step", "logits_full", {1, {8, 16}}}, Case{"ten_steps", "logits_low", {}},
        Case{"ten_steps_full", "logits_full", {}},
        Case{"ten_steps_probabilities", "probabilities_low", {}},
        Case{"fifty_steps_six_dilations", "logits_low", {50, {1, 2, 4, 8, 12, 24}}}}) {
    const Pamr pamr(image, options);
    const at::Tensor expected = tensor_of(file, name)[0];
    const at::Tensor given = at::upsample_bilinear2d(
        tensor_of(file, maps), {image.size(1), image.size(2)}, /*align_corners=*/true)[0];
    ASSERT_EQ(given.size(0), expected.size(0)) << name;
    for (int64_t c = 0; c < given.size(0); ++c) {
      EXPECT_LT((pamr(given[c]) - expected[c]).abs().max().item<double>(), 2e-5) << name;
    }
  }
}

// The whole recipe of SC-CLIP and NACLIP on the same photo: windows, synonyms, scores, labels.
TEST(GoldenDenseClip, PhotosOfThePublishedRecipes) {
  const auto folder = kGolden / "dense_clip";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "left out: there is no " << folder;
  const c10::InferenceMode no_gradients;
  const Image photo = read_image(kGolden / "e2e" / "photo.png");
  const Clip clip = load_clip(folder / "weights.safetensors");
  EmbeddedVocabulary words{.embeddings = tensor_of("dense_clip/expected.safetensors", "in.text"),
                           .rows_of_class = {3, 1, 2, 2, 1}};
  for (int c = 0; c < 5; ++c) words.classes.push_back({{std::to_string(c)}});
  words.classes[0].title = kBackground;
  words.seen.assign(5, false);
  struct Case {
    std::string name;
    DenseMethod method;
    bool whole_photo;
    InferenceOptions options;
  };
  for (const auto& [name, method, whole_photo, options] :
       {Case{"scclip.slide", DenseMethod::kScClip, false, {.short_side = 96}},
        Case{"scclip.slide_background",
             DenseMethod::kScClip,
             false,
             {.short_side = 96, .logit_scale = 50, .threshold = 0.5, .area_threshold = 0.16}},
        Case{"naclip.slide", DenseMethod::kNaclip, false, {.short_side = 96}},
        Case{"naclip.whole", DenseMethod::kNaclip, true, {.short_side = 96}},
        Case{"naclip.whole_ragged", DenseMethod::kNaclip, true, {.short_side = 92}}}) {
    const DenseModel model = dense_clip(clip, method, whole_photo);
    StageTimes times;
    const EncodedPhoto encoded = PhotoEncoder(model, options)(photo, times);
    const auto maps = class_scores(encoded, model, words, options, std::vector{0, 1, 2, 3, 4});
    at::Tensor scores = at::empty({5, photo.height, photo.width});
    for (int c = 0; c < 5; ++c) {
      scores[c].copy_(at::tensor(maps[c]).view({photo.height, photo.width}));
    }
    at::Tensor every_7th = scores.slice(1, 0, at::nullopt, 7).slice(2, 0, at::nullopt, 7);
    // NACLIP's scores are divided by their sum over the classes once the labels are chosen.
    if (method == DenseMethod::kNaclip) every_7th = every_7th / every_7th.sum(0);
    const at::Tensor expected = tensor_of("dense_clip/photo.safetensors", name + ".scores");
    // The recipe sets the scores of classes that are too small to 0 everywhere.
    const at::Tensor stays = expected.flatten(1).amax(1) > 0;
    EXPECT_LT((every_7th - expected).index({stays}).abs().max().item<float>(), 5e-5) << name;
    const LabelMap labels = read_label_map(folder / ("label_" + name + ".png"));
    const LabelMap found = segment(encoded, model, words, options).labels;
    const at::Tensor margins = std::get<0>(scores.topk(2, 0)).diff(1, 0).abs().flatten();
    for (size_t i = 0; i < labels.size(); ++i) {
      if (found.labels[i] == labels.labels[i]) continue;
      ASSERT_LT(margins[static_cast<int64_t>(i)].item<float>(), 1e-4)
          << name << ", pixel " << i << ": scores agree to 5e-5 each";
    }
  }
}

}  // namespace
}  // namespace tagclip

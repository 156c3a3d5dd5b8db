#pragma once

#include <concepts>
#include <type_traits>

#include "base/fields.h"
#include "tagclip/options.h"

// The one list of the settings of inference, free of LibTorch. The program's options, the C++ API
// and the validations of a training run take names, help texts, ranges and allowed words from it.
// A new setting is a member of InferenceOptions (include/tagclip/options.h), an entry here, and the
// code that reads it.
namespace tagclip {

inline const Choices<Device> kDeviceNames = {
    {"auto", Device::kAuto}, {"cpu", Device::kCpu}, {"cuda", Device::kCuda}};
inline const Choices<Mode> kModeNames = {
    {"auto", Mode::kAuto},           {"trained", Mode::kTrained},
    {"clip", Mode::kClip},           {"quick", Mode::kQuick},
    {"maskclip", Mode::kMaskClip},   {"sclip", Mode::kSclip},
    {"clearclip", Mode::kClearClip}, {"naclip", Mode::kNaclip},
    {"scclip", Mode::kScClip},       {"sfp", Mode::kSfp},
    {"plain", Mode::kPlain}};
inline const Choices<Precision> kPrecisionNames = {{"auto", Precision::kAuto},
                                                   {"float32", Precision::kFloat32},
                                                   {"bfloat16x3", Precision::kBFloat16x3},
                                                   {"bfloat16", Precision::kBFloat16},
                                                   {"int8", Precision::kInt8}};
inline const Choices<Weighting> kWeightingNames = {{"none", Weighting::kNone},
                                                   {"seen", Weighting::kSeen},
                                                   {"unseen", Weighting::kUnseen},
                                                   {"both", Weighting::kBoth}};
inline const Choices<Synonyms> kSynonymsNames = {
    {"auto", Synonyms::kAuto}, {"mean", Synonyms::kMean}, {"max", Synonyms::kMax}};

inline const Choices<WindowAverage> kWindowAverageNames = {{"uniform", WindowAverage::kUniform},
                                                           {"tapered", WindowAverage::kTapered}};
inline const Choices<Refine> kRefineNames = {
    {"none", Refine::kNone}, {"guided", Refine::kGuided}, {"pamr", Refine::kPamr}};

// The list refers to `options`, constant or not, which must outlive it.
template <class Options>
  requires std::same_as<std::remove_const_t<Options>, InferenceOptions>
FieldsOf<Options> fields(Options& options) {
  constexpr Range kSide{0, 16384};
  FieldsOf<Options> list;
  list.add("device", options.device, kDeviceNames, "Where to compute");
  list.add(
      "mode", options.mode, kModeNames,
      "auto: trained where the weights have a decoder, plain for a CLIP whose patches were trained "
      "against words, clip for any other; trained: the weights' decoder; the others segment with a "
      "CLIP as it is: clip by the method with the best published results, which is scclip; quick "
      "by naclip on the whole photo in one pass");
  list.add("precision", options.precision, kPrecisionNames,
           "Number format of the image encoder's matrix products, on CPUs. auto: the fastest that "
           "labels at least 99.8% of the pixels as float32 does, measured on some of the photos, "
           "until six have been compared, and kept");
  list.add("text_weights", options.text_weights,
           "A CLIP whose text tower embeds the words, for weights that hold none");
  list.add(
      "short_side", options.short_side, kSide,
      "Photos are resized to this short side, pixels; 0 = the window, for a CLIP the mode's own");
  list.add("window", options.window, kSide,
           "Side of the sliding window, pixels; 0 = the model's own size");
  list.add("stride", options.stride, kSide,
           "Step of the sliding window, pixels; 0 = 426/512 of the window, for a CLIP half of it");
  list.add(
      "window_average", options.window_average, kWindowAverageNames,
      "How overlapping windows are averaged. uniform: all count the same, as published; tapered: a "
      "window counts the less, the nearer its own border is, so that no seam shows");
  list.add(
      "join_windows", options.join_windows,
      "Let the patches of all windows attend to each other in the last block, for a CLIP as it "
      "is");
  list.add("scales", options.scales, {0.1, 8},
           "Segment each photo at these multiples of the short side and average the scores "
           "(multi-scale testing), \"0.75,1,1.25\"; at most 8");
  list.add("flip", options.flip,
           "Segment the mirror image of each photo, too, and average the scores");
  list.add("logit_scale", options.logit_scale, {0, 1000},
           "What a CLIP's cosines are multiplied with before the softmax; 0 = the mode's own");
  list.add("weighting", options.weighting, kWeightingNames,
           "The classes whose scores the trusty map weights");
  list.add("seen_bias", options.seen_bias, {0, 1}, "auto",
           "Subtracted from the scores of seen classes (calibrated stacking); auto = 0.1 after "
           "inductive training, as released, and 0 otherwise");
  list.add("trusty_token", options.trusty_token,
           "Whether the trusty token joins the class queries; without it no score is weighted");
  list.add(
      "refine", options.refine, kRefineNames,
      "What sharpens borders by the photo's edges: guided, a fast filter of short reach; pamr, "
      "pixel-adaptive mask refinement");
  list.add(
      "presence", options.presence, {0, 1},
      "Classes that fit the photo as a whole less than this are left out of it and listed: 0.5 "
      "is the fit of an average word, 0.98 two standard deviations more; 0 = none is");
  list.add("calibrated", options.calibrated,
           "Whether scores are made as sure as they proved right, where `tagclip eval --calibrate` "
           "left MODEL.calibration.json beside the weights");
  list.add("threshold", options.threshold, {0, 1},
           "Pixels with a lower score stay unlabelled, or are background where that is a class");
  list.add("area_threshold", options.area_threshold, {0, 1},
           "Classes with no larger share of what is not background give way to others in a photo");
  list.add("max_pixels", options.max_pixels, {1, 0x1p40}, "Larger photos are refused");
  return list;
}

// Settings that say how a model in memory segments: what the validations of a training run have.
template <class Options>
  requires std::same_as<std::remove_const_t<Options>, InferenceOptions>
FieldsOf<Options> scoring_fields(Options& options) {
  return fields(options).where([](const Field& field) {
    return field.name != "device" && field.name != "mode" && field.name != "precision" &&
           field.name != "text_weights" && field.name != "presence" && field.name != "calibrated" &&
           field.name != "threshold" && field.name != "area_threshold" &&
           field.name != "max_pixels";
  });
}

// The words to look for, as a person writes them.
template <class Options>
  requires std::same_as<std::remove_const_t<Options>, VocabularyOptions>
FieldsOf<Options> fields(Options& options) {
  FieldsOf<Options> list;
  list.add("classes", options.classes,
           "Words (\"cat, grass, sky\"), or a file with one class per line and commas between "
           "synonyms (JSON, YAML and CSV, too); without it the classes the model was trained on");
  list.add("prompt", options.prompt,
           "Prompt templates: single, multi, imagenet, a file with one per line, or one holding "
           "{}; without it the model's own, for a CLIP imagenet");
  list.add("background", options.background,
           "Words (or a file) for whatever else is in the photos; together they are the class "
           "background; common is a list of what most photos show");
  list.add("synonyms", options.synonyms, kSynonymsNames,
           "mean: one embedding per class, the mean of its words'; max: each word is scored, and "
           "the class gets the largest score; auto: mean for a trained model, max for a CLIP");
  list.add("text_embeddings", options.text_embeddings,
           "Take the classes' embeddings from a file: .npy or what tagclip embed writes");
  list.add("no_cache", options.no_cache, "Neither read nor keep the embeddings of words");
  return list;
}

}  // namespace tagclip

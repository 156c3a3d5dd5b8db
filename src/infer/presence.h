#pragma once

#include <vector>

#include "infer/vocabulary.h"

namespace tagclip {

// Whether what a word means is in a photo at all. Labels alone cannot say: every pixel gets one of
// the words, whether one fits or not.

// Embeds the words that presence is measured against, [R, d], unit rows, in the vocabulary's
// templates. Throws Error(kUsage) where the model has no text tower, and as embed_vocabulary.
at::Tensor embed_everyday_words(const InferenceModel& model, const EmbeddedVocabulary& vocabulary,
                                const EmbedOptions& options = {});

// The presence of each class, 0 to 1: how well its best word fits the photo as a whole, next to
// everyday words (vocabulary.everyday). For each of K windows the cosine of image and word is
// measured in standard deviations from the mean over the everyday words; the best window counts,
// and its deviation becomes the share of a normal distribution that lies below it: 0.5 for a word
// that fits as the average one, 0.98 for two deviations more. Where there is a trusty map, the
// largest trust it has anywhere in words of the class's kind, seen or novel, is a factor where it
// is below 1/2, which is undecided: twice that trust. images: [K, d], unit rows. of_kind[c]: that
// factor; empty: there is no map.
std::vector<double> presence_scores(const at::Tensor& images, const EmbeddedVocabulary& vocabulary,
                                    const std::vector<double>& of_kind = {});

}  // namespace tagclip

#include "infer/thresholds.h"

#include "image/label_map.h"

namespace tagclip {

uint16_t background_of(const EmbeddedVocabulary& vocabulary) {
  for (size_t c = 0; c < vocabulary.classes.size(); ++c) {
    if (vocabulary.classes[c].name() == kBackground) return static_cast<uint16_t>(c);
  }
  return kIgnoreIndex;
}

void apply_threshold(double threshold, uint16_t background, BestClass& best) {
  if (threshold <= 0) return;
  for (size_t i = 0; i < best.labels.size(); ++i) {
    if (best.scores[i] < threshold) best.labels[i] = background;
  }
}

std::vector<bool> classes_above(double share, const std::vector<int64_t>& pixels,
                                uint16_t background) {
  int64_t all = 0;
  for (size_t c = 0; c < pixels.size(); ++c) all += c == background ? 0 : pixels[c];
  std::vector<bool> stays;
  for (size_t c = 0; c < pixels.size(); ++c) {
    stays.push_back(c == background ||
                    static_cast<double>(pixels[c]) > share * static_cast<double>(all));
  }
  return stays;
}

std::vector<int64_t> count_pixels(const BestClass& best, const std::vector<uint16_t>& classes,
                                  size_t count) {
  std::vector<int64_t> pixels(count);
  for (const uint16_t row : best.labels) ++pixels[classes[row]];
  return pixels;
}

}  // namespace tagclip

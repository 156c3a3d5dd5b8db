#pragma once

#include <cstdint>
#include <vector>

#include "kernels/common/bilinear.h"
#include "kernels/mask_loss/mask_maps.h"

namespace tagclip {

// The labels of an image as the loops read them.
struct PixelLabels {
  const int32_t* labels;  // [H, W]
  int32_t target;
  int32_t ignored;  // all others are background
};

// Goes over the pixels of one map from top to bottom. Only the two rows of logits that the current
// row of pixels lies between are kept, interpolated to the pixels' columns, with the gradients of
// both; when a row of logits is no longer needed, its gradients are scattered back to the map.
class MaskLossRowPass {
 public:
  // `rows` and `columns` resize map [h, w] to pixels [H, W]. logits [h, w]. Each sum's gradient is
  // added to `gradients`, [h, w].
  MaskLossRowPass(const BilinearTable& rows, const BilinearTable& columns, const float* logits,
                  LossSums<float*> gradients);

  // Returns the focal sum when every pixel is background. Leaves the other gradients alone.
  double background();
  LossSums<double> target(const PixelLabels& labels);

 private:
  struct LogitRow {
    std::vector<float> logits;               // [W]
    LossSums<std::vector<float>> gradients;  // [W]
  };

  // Calls add(upper row, lower row, fraction) for each row of pixels.
  template <typename AddRow>
  void for_each_row(const AddRow& add);
  LogitRow& acquire_row(int64_t row);
  void scatter_row(int64_t row, LogitRow& from);
  void scatter(std::vector<float>& gradient, float* map, int64_t row);
  // Returns the offset of a row in the map; the row after the last one is the last one again.
  int64_t offset(int64_t row) const;

  const BilinearTable &rows_, &columns_;
  const float* logits_;
  LossSums<float*> gradients_;
  TwoRowCache<LogitRow> cache_;
};

}  // namespace tagclip

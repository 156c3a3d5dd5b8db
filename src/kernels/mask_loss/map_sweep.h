#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/common/bilinear.h"
#include "kernels/mask_loss/mask_maps.h"
#include "kernels/mask_loss/simd_rows.h"

namespace tagclip {

// How maps [h, w] become pixels [H, W].
struct MapResize {
  int64_t height, width;  // of the map
  BilinearAxis rows, columns;

  int64_t pixel_width() const { return static_cast<int64_t>(columns.low.size()); }
  Columns across() const {
    return {columns.low.data(), columns.high.data(), columns.fraction.data(), pixel_width()};
  }
};

// Walks over the pixels of one map from top to bottom. Only two of the map's rows are at hand at a
// time, stretched to the pixels' width: those that the current row of pixels lies between.
class MapSweep {
 public:
  // logits [h, w]. Each sum's gradient is added to `gradients`, [h, w].
  MapSweep(const MapResize& resize, const float* logits, MapSums<float*> gradients);

  // The focal loss where every pixel is background. The other gradients are left alone.
  double background();
  // labels [H, W]
  MapSums<double> target(const RowLabels& labels);

 private:
  struct MapRow {
    int64_t row = -1;
    std::vector<float> logits;              // [W]
    MapSums<std::vector<float>> gradients;  // [W]
  };

  // Calls add(pixels, upper row, lower row) for each row of pixels.
  template <typename AddRow>
  void walk(const AddRow& add);
  MapRow& hold(int64_t row);
  void release(MapRow& place);
  void pass_on(std::vector<float>& gradient, float* sum, int64_t row);
  // Below the last row of the map lies the last row again.
  int64_t offset(int64_t row) const;

  const MapResize& resize_;
  const float* logits_;
  MapSums<float*> gradients_;
  std::array<MapRow, 2> ring_;
};

}  // namespace tagclip

#include "kernels/mask_loss/map_sweep.h"

#include <algorithm>

namespace tagclip {

MapSweep::MapSweep(const MapResize& resize, const float* logits, MapSums<float*> gradients)
    : resize_(resize), logits_(logits), gradients_(gradients) {
  const auto width = static_cast<size_t>(resize.pixel_width());
  for (MapRow& row : ring_) {
    row.logits.resize(width);
    row.gradients = {std::vector<float>(width), std::vector<float>(width),
                     std::vector<float>(width)};
  }
}

double MapSweep::background() {
  double sum = 0;
  gradients_.intersection = gradients_.prediction = nullptr;
  walk([&](const PixelRow& pixels, MapRow& upper, MapRow& lower) {
    sum += add_background(pixels, {upper.gradients.focal.data(), lower.gradients.focal.data()});
  });
  return sum;
}

MapSums<double> MapSweep::target(const RowLabels& labels) {
  MapSums<double> sums;
  RowLabels given = labels;
  walk([&](const PixelRow& pixels, MapRow& upper, MapRow& lower) {
    auto &a = upper.gradients, &b = lower.gradients;
    const RowSums row = add_target(pixels, given, {a.focal.data(), b.focal.data()},
                                   {a.intersection.data(), b.intersection.data()},
                                   {a.prediction.data(), b.prediction.data()});
    sums.focal += row.focal;
    sums.intersection += row.intersection;
    sums.prediction += row.prediction;
    given.labels += pixels.count;
  });
  return sums;
}

template <typename AddRow>
void MapSweep::walk(const AddRow& add) {
  const BilinearAxis& rows = resize_.rows;
  for (size_t y = 0; y < rows.low.size(); ++y) {
    MapRow &upper = hold(rows.low[y]), &lower = hold(rows.low[y] + 1);
    add({upper.logits.data(), lower.logits.data(), rows.fraction[y], resize_.pixel_width()}, upper,
        lower);
  }
  for (MapRow& place : ring_) release(place);
}

// Neighbours never share a place in the ring.
MapSweep::MapRow& MapSweep::hold(int64_t row) {
  MapRow& place = ring_[row % 2];
  if (place.row == row) return place;
  release(place);
  place.row = row;
  resize_row(logits_ + offset(row), resize_.across(), place.logits.data());
  return place;
}

void MapSweep::release(MapRow& place) {
  if (place.row < 0) return;
  pass_on(place.gradients.focal, gradients_.focal, place.row);
  pass_on(place.gradients.intersection, gradients_.intersection, place.row);
  pass_on(place.gradients.prediction, gradients_.prediction, place.row);
  place.row = -1;
}

void MapSweep::pass_on(std::vector<float>& gradient, float* sum, int64_t row) {
  if (sum == nullptr) return;
  add_resized_back(gradient.data(), resize_.across(), sum + offset(row));
  std::ranges::fill(gradient, 0.0f);
}

int64_t MapSweep::offset(int64_t row) const {
  return std::min(row, resize_.height - 1) * resize_.width;
}

}  // namespace tagclip

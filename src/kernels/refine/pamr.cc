#include "kernels/refine/pamr.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/platform.h"

namespace tagclip {
namespace {

// The values are those of the published code.
constexpr float kEpsilon = 1e-8F;
constexpr float kDeviations = 0.1F;
constexpr int64_t kDirections[8][2] = {{-1, -1}, {-1, 0}, {-1, 1}, {0, -1},
                                       {0, 1},   {1, -1}, {1, 0},  {1, 1}};  // row, column

// Holds a map with its border repeated on all sides, so that neighbours are a shift away.
class PaddedMap {
 public:
  PaddedMap(int64_t height, int64_t width, int64_t padding)
      : height_(height),
        width_(width),
        padding_(padding),
        stride_(width + 2 * padding),
        values_(static_cast<size_t>((height + 2 * padding) * stride_)) {}

  // Points to column 0 of a row; columns -padding .. width + padding - 1 are there.
  float* row(int64_t y) { return values_.data() + (y + padding_) * stride_ + padding_; }
  const float* row(int64_t y) const { return const_cast<PaddedMap*>(this)->row(y); }

  void repeat_border() {
    for (int64_t y = 0; y < height_; ++y) {
      float* own = row(y);
      std::fill(own - padding_, own, own[0]);
      std::fill(own + width_, own + width_ + padding_, own[width_ - 1]);
    }
    for (int64_t y = 1; y <= padding_; ++y) {
      std::copy_n(row(0) - padding_, stride_, row(-y) - padding_);
      std::copy_n(row(height_ - 1) - padding_, stride_, row(height_ - 1 + y) - padding_);
    }
  }

  void load(const float* map) {
    for (int64_t y = 0; y < height_; ++y) std::copy_n(map + y * width_, width_, row(y));
    repeat_border();
  }

 private:
  int64_t height_, width_, padding_, stride_;
  std::vector<float> values_;
};

// sum += values
TAGCLIP_MULTIVERSION void add_row(const float* values, int64_t n, float* sum) {
  for (int64_t x = 0; x < n; ++x) sum[x] += values[x];
}

// sum += (values - mean)^2
TAGCLIP_MULTIVERSION void add_squares_row(const float* values, const float* mean, int64_t n,
                                          float* sum) {
  for (int64_t x = 0; x < n; ++x) sum[x] += (values[x] - mean[x]) * (values[x] - mean[x]);
}

// out -= |centre - neighbour| / scale
TAGCLIP_MULTIVERSION void subtract_distances_row(const float* centre, const float* neighbour,
                                                 const float* scale, int64_t n, float* out) {
  for (int64_t x = 0; x < n; ++x) out[x] -= std::abs(centre[x] - neighbour[x]) / scale[x];
}

// sum += weights values
TAGCLIP_MULTIVERSION void add_weighted_row(const float* weights, const float* values, int64_t n,
                                           float* sum) {
  for (int64_t x = 0; x < n; ++x) sum[x] += weights[x] * values[x];
}

struct Neighbour {
  int64_t dy, dx;
};

std::vector<Neighbour> neighbours(const PamrOptions& options) {
  std::vector<Neighbour> all;
  for (const int dilation : options.dilations) {
    for (const auto& [dy, dx] : kDirections) all.push_back({dy * dilation, dx * dilation});
  }
  return all;
}

int64_t largest_dilation(const PamrOptions& options) {
  return *std::ranges::max_element(options.dilations);
}

// Affinities of row y before the softmax over neighbours, mean over the channels: out[p] is the row
// of neighbour p.
void affinity_row(const std::vector<PaddedMap>& channels, const std::vector<Neighbour>& around,
                  int64_t y, int64_t width, const std::vector<float*>& out) {
  const auto n = static_cast<size_t>(width);
  const auto dilations = static_cast<float>(around.size()) / 8;
  const float count = 9 * dilations;  // the pixel itself counts once per dilation
  for (float* row : out) std::fill_n(row, n, 0.0F);
  std::vector<float> mean(n), scale(n);
  for (const PaddedMap& channel : channels) {
    const float* own = channel.row(y);
    for (size_t x = 0; x < n; ++x) mean[x] = dilations * own[x];
    for (const auto& [dy, dx] : around) add_row(channel.row(y + dy) + dx, width, mean.data());
    for (float& value : mean) value /= count;
    for (size_t x = 0; x < n; ++x) scale[x] = dilations * (own[x] - mean[x]) * (own[x] - mean[x]);
    for (const auto& [dy, dx] : around) {
      add_squares_row(channel.row(y + dy) + dx, mean.data(), width, scale.data());
    }
    // The mean over channels is taken along the way.
    const auto channel_count = static_cast<float>(channels.size());
    for (float& value : scale) {
      value = channel_count * (kEpsilon + kDeviations * std::sqrt(value / (count - 1)));
    }
    for (size_t p = 0; p < around.size(); ++p) {
      const auto& [dy, dx] = around[p];
      subtract_distances_row(own, channel.row(y + dy) + dx, scale.data(), width, out[p]);
    }
  }
}

}  // namespace

int64_t Pamr::reach(const PamrOptions& options) {
  return options.steps * largest_dilation(options);
}

Pamr::Pamr(const at::Tensor& image, PamrOptions options) : options_(std::move(options)) {
  TAGCLIP_CHECK(image.dim() == 3 && options_.steps >= 0 && !options_.dilations.empty(),
                "an image [3, H, W], steps and dilations");
  const int64_t height = image.size(1), width = image.size(2);
  const at::Tensor values = image.to(at::kFloat).contiguous();
  const int64_t padding = largest_dilation(options_);
  std::vector<PaddedMap> channels;
  for (int64_t c = 0; c < image.size(0); ++c) {
    channels.emplace_back(height, width, padding);
    channels.back().load(values[c].const_data_ptr<float>());
  }
  const std::vector<Neighbour> around = neighbours(options_);
  affinity_ = at::empty({static_cast<int64_t>(around.size()), height, width});
  float* affinity = affinity_.mutable_data_ptr<float>();
  at::parallel_for(0, height, 16, [&](int64_t begin, int64_t end) {
    std::vector<float*> rows(around.size());
    for (int64_t y = begin; y < end; ++y) {
      for (size_t p = 0; p < rows.size(); ++p) {
        rows[p] = affinity + (static_cast<int64_t>(p) * height + y) * width;
      }
      affinity_row(channels, around, y, width, rows);
    }
  });
  affinity_ = affinity_.softmax(0);
}

at::Tensor Pamr::operator()(const at::Tensor& map) const {
  const int64_t height = affinity_.size(1), width = affinity_.size(2);
  TAGCLIP_CHECK(map.dim() == 2 && map.size(0) == height && map.size(1) == width,
                "a map of the image's size");
  at::Tensor result = map.to(at::kFloat).clone().contiguous();
  float* values = result.mutable_data_ptr<float>();
  const std::vector<Neighbour> around = neighbours(options_);
  const float* affinity = affinity_.const_data_ptr<float>();
  PaddedMap padded(height, width, largest_dilation(options_));
  for (int step = 0; step < options_.steps; ++step) {
    padded.load(values);
    at::parallel_for(0, height, 16, [&](int64_t begin, int64_t end) {
      std::fill(values + begin * width, values + end * width, 0.0F);
      for (int64_t y = begin; y < end; ++y) {
        for (size_t p = 0; p < around.size(); ++p) {
          const auto& [dy, dx] = around[p];
          add_weighted_row(affinity + (static_cast<int64_t>(p) * height + y) * width,
                           padded.row(y + dy) + dx, width, values + y * width);
        }
      }
    });
  }
  return result;
}

}  // namespace tagclip

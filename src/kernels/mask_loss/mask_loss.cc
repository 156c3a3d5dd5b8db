#include "kernels/mask_loss/mask_loss.h"

#include <ATen/Parallel.h>

#include "base/error.h"
#include "kernels/mask_loss/gpu.h"
#include "kernels/mask_loss/map_sweep.h"
#include "kernels/mask_loss/mask_maps.h"

namespace tagclip {
namespace {

// Whose pixel is whose, as the loops read it. The target of map c are the pixels of label c.
struct Targets {
  at::Tensor labels;  // [B, H, W] int32; below 0: of none
  at::Tensor counts;  // [B, C] int64, pixels of each target
};

constexpr int32_t kBackground = -1, kUncounted = -2;

// labels [B, H, W] of type Label, each as `narrow` turns it into a target of 0 .. classes - 1 or a
// constant above.
template <typename Label, typename Narrow>
Targets read_targets(const at::Tensor& labels, int64_t classes, const Narrow& narrow) {
  const at::Tensor given = labels.contiguous();
  const int64_t photos = labels.size(0), pixels = labels.size(1) * labels.size(2);
  Targets targets{at::empty(labels.sizes(), at::kInt), at::zeros({photos, classes}, at::kLong)};
  const Label* from = given.const_data_ptr<Label>();
  int32_t* to = targets.labels.mutable_data_ptr<int32_t>();
  int64_t* counts = targets.counts.mutable_data_ptr<int64_t>();
  at::parallel_for(0, photos, 1, [&](int64_t begin, int64_t end) {
    for (int64_t photo = begin; photo < end; ++photo) {
      for (int64_t i = photo * pixels; i < (photo + 1) * pixels; ++i) {
        to[i] = narrow(from[i]);
        if (to[i] >= 0) ++counts[photo * classes + to[i]];
      }
    }
  });
  return targets;
}

MapSums<at::Tensor> zeros(at::IntArrayRef shape, at::ScalarType type) {
  return {at::zeros(shape, type), at::zeros(shape, type), at::zeros(shape, type)};
}

// Where map `map` begins, each map being of `size` numbers.
template <typename T>
MapSums<T*> of_map(const MapSums<at::Tensor>& all, int64_t map, int64_t size) {
  const auto begin = [&](const at::Tensor& sums) {
    return sums.mutable_data_ptr<T>() + map * size;
  };
  return {begin(all.focal), begin(all.intersection), begin(all.prediction)};
}

// What has no target has a focal sum alone, unless `all_maps` are to have all.
MaskMaps compute(const at::Tensor& logits, const Targets& targets, bool all_maps) {
  const int64_t photos = logits.size(0), classes = logits.size(1);
  const int64_t height = targets.labels.size(1), width = targets.labels.size(2);
  const MapResize resize{logits.size(2), logits.size(3), BilinearAxis(logits.size(2), height),
                         BilinearAxis(logits.size(3), width)};
  const int64_t map_size = resize.height * resize.width;
  const float* maps = logits.const_data_ptr<float>();
  const int32_t* labels = targets.labels.const_data_ptr<int32_t>();
  const int64_t* counts = targets.counts.const_data_ptr<int64_t>();

  const MaskMaps result{zeros({photos, classes}, at::kDouble), zeros(logits.sizes(), at::kFloat),
                        targets.counts};
  at::parallel_for(0, photos * classes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t map = begin; map < end; ++map) {
      const MapSums<double*> sums = of_map<double>(result.sums, map, 1);
      MapSweep sweep(resize, maps + map * map_size, of_map<float>(result.gradients, map, map_size));
      if (counts[map] == 0 && !all_maps) {
        *sums.focal = sweep.background();
        continue;
      }
      const auto target = static_cast<int32_t>(map % classes);
      const MapSums<double> found =
          sweep.target({labels + map / classes * height * width, target, kUncounted});
      *sums.focal = found.focal;
      *sums.intersection = found.intersection;
      *sums.prediction = found.prediction;
    }
  });
  return result;
}

// values [B, C] with their gradient [B, C, h, w] to the logits: what is added to them is zero.
at::Tensor with_gradient(const at::Tensor& values, const at::Tensor& logits,
                         const at::Tensor& gradient) {
  return values.to(at::kFloat) + ((logits - logits.detach()) * gradient).sum({2, 3});
}

void check(const at::Tensor& logits, const at::Tensor& labels, at::ScalarType type) {
  TAGCLIP_CHECK((logits.is_cpu() || logits.is_cuda()) && labels.device() == logits.device(),
                "mask_sums takes logits and labels on the CPU or a GPU");
  TAGCLIP_CHECK(logits.scalar_type() == at::kFloat && labels.scalar_type() == type,
                "mask_sums takes float32 logits");
  TAGCLIP_CHECK(logits.dim() == 4 && logits.size(2) > 0 && logits.size(3) > 0,
                "mask_sums: logits [B, C, h, w]");
  TAGCLIP_CHECK(labels.dim() == 3 && labels.size(0) == logits.size(0),
                "mask_sums: labels [B, H, W] of the same photos");
}

}  // namespace

MaskSums with_gradients(const at::Tensor& logits, const MaskMaps& maps) {
  const auto& [sums, gradients, counts] = maps;
  return {.focal = with_gradient(sums.focal, logits, gradients.focal),
          .intersection = with_gradient(sums.intersection, logits, gradients.intersection),
          .prediction = with_gradient(sums.prediction, logits, gradients.prediction),
          .target = counts.to(at::kFloat)};
}

MaskSums mask_sums(const at::Tensor& logits, const at::Tensor& labels) {
  check(logits, labels, at::kLong);
  if (logits.is_cuda()) return gpu_mask_sums(logits, labels);
  const int64_t classes = logits.size(1);
  const Targets targets = read_targets<int64_t>(labels, classes, [&](int64_t label) {
    return label >= 0 && label < classes ? static_cast<int32_t>(label) : kBackground;
  });
  return with_gradients(logits, compute(logits.detach().contiguous(), targets, /*all_maps=*/false));
}

MaskSums binary_mask_sums(const at::Tensor& logits, const at::Tensor& given) {
  check(logits, given, at::kChar);
  TAGCLIP_CHECK(logits.size(1) == 1, "binary_mask_sums: one map a photo");
  if (logits.is_cuda()) return gpu_mask_sums(logits, given);
  const Targets targets = read_targets<int8_t>(given, 1, [](int8_t target) {
    return target == 1 ? 0 : target < 0 ? kUncounted : kBackground;
  });
  return with_gradients(logits, compute(logits.detach().contiguous(), targets, /*all_maps=*/true));
}

}  // namespace tagclip

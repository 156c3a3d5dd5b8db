#include "kernels/mask_loss/mask_loss.h"

#include <ATen/Parallel.h>

#include "base/error.h"
#include "kernels/mask_loss/device_buffers.h"
#include "kernels/mask_loss/mask_maps.h"
#include "kernels/mask_loss/row_pass.h"

namespace tagclip {
namespace {

// Labels in the form that the loops read.
struct TargetMaps {
  at::Tensor labels;  // [B, H, W] int32: the map whose target the pixel is, or one of the two below
  at::Tensor counts;  // [B, C] int64: pixels of each target
};

constexpr int32_t kBackground = -1, kIgnored = -2;

// Converts labels [B, H, W] of type Label: convert(label) is a map 0 .. classes - 1, kBackground or
// kIgnored.
template <typename Label, typename Convert>
TargetMaps read_targets(const at::Tensor& labels, int64_t classes, const Convert& convert) {
  const at::Tensor given = labels.contiguous();
  const int64_t images = labels.size(0), pixels = labels.size(1) * labels.size(2);
  TargetMaps targets{at::empty(labels.sizes(), at::kInt), at::zeros({images, classes}, at::kLong)};
  const Label* from = given.const_data_ptr<Label>();
  int32_t* to = targets.labels.mutable_data_ptr<int32_t>();
  int64_t* counts = targets.counts.mutable_data_ptr<int64_t>();
  at::parallel_for(0, images, 1, [&](int64_t begin, int64_t end) {
    for (int64_t image = begin; image < end; ++image) {
      for (int64_t i = image * pixels; i < (image + 1) * pixels; ++i) {
        to[i] = convert(from[i]);
        if (to[i] >= 0) ++counts[image * classes + to[i]];
      }
    }
  });
  return targets;
}

LossSums<at::Tensor> zeros(at::IntArrayRef shape, at::ScalarType type) {
  return {at::zeros(shape, type), at::zeros(shape, type), at::zeros(shape, type)};
}

// Points at the beginning of map number `map` in each tensor, with `size` values per map.
template <typename T>
LossSums<T*> of_map(const LossSums<at::Tensor>& all, int64_t map, int64_t size) {
  const auto begin = [&](const at::Tensor& sums) {
    return sums.mutable_data_ptr<T>() + map * size;
  };
  return {begin(all.focal), begin(all.intersection), begin(all.prediction)};
}

// Maps without a target get their focal sum only, unless `all_maps`.
MaskMaps compute(const at::Tensor& logits, const TargetMaps& targets, bool all_maps) {
  const int64_t images = logits.size(0), classes = logits.size(1);
  const int64_t height = targets.labels.size(1), width = targets.labels.size(2);
  const BilinearTable rows(logits.size(2), height), columns(logits.size(3), width);
  const int64_t map_size = rows.inputs * columns.inputs;
  const float* maps = logits.const_data_ptr<float>();
  const int32_t* labels = targets.labels.const_data_ptr<int32_t>();
  const int64_t* counts = targets.counts.const_data_ptr<int64_t>();

  const MaskMaps result{zeros({images, classes}, at::kDouble), zeros(logits.sizes(), at::kFloat),
                        targets.counts};
  at::parallel_for(0, images * classes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t map = begin; map < end; ++map) {
      const LossSums<double*> sums = of_map<double>(result.sums, map, 1);
      MaskLossRowPass pass(rows, columns, maps + map * map_size,
                           of_map<float>(result.gradients, map, map_size));
      if (counts[map] == 0 && !all_maps) {
        *sums.focal = pass.background();
        continue;
      }
      const auto target = static_cast<int32_t>(map % classes);
      const LossSums<double> found =
          pass.target({labels + map / classes * height * width, target, kIgnored});
      *sums.focal = found.focal;
      *sums.intersection = found.intersection;
      *sums.prediction = found.prediction;
    }
  });
  return result;
}

void check(const at::Tensor& logits, const at::Tensor& labels, at::ScalarType type) {
  TAGCLIP_CHECK((logits.is_cpu() || logits.is_cuda()) && labels.device() == logits.device(),
                "mask_sums: logits and labels must be on the same device, the CPU or a GPU");
  TAGCLIP_CHECK(logits.scalar_type() == at::kFloat && labels.scalar_type() == type,
                "mask_sums: logits must be float32, labels int64 (binary: int8)");
  TAGCLIP_CHECK(logits.dim() == 4 && logits.size(2) > 0 && logits.size(3) > 0,
                "mask_sums: logits must be [B, C, h, w]");
  TAGCLIP_CHECK(labels.dim() == 3 && labels.size(0) == logits.size(0),
                "mask_sums: labels must be [B, H, W] with the batch size of the logits");
}

}  // namespace

MaskSums mask_sums(const at::Tensor& logits, const at::Tensor& labels) {
  check(logits, labels, at::kLong);
  if (logits.is_cuda()) return gpu_mask_sums(logits, labels);
  const int64_t classes = logits.size(1);
  const TargetMaps targets = read_targets<int64_t>(labels, classes, [&](int64_t label) {
    return label >= 0 && label < classes ? static_cast<int32_t>(label) : kBackground;
  });
  return with_gradients(logits, compute(logits.detach().contiguous(), targets, /*all_maps=*/false));
}

MaskSums binary_mask_sums(const at::Tensor& logits, const at::Tensor& given) {
  check(logits, given, at::kChar);
  TAGCLIP_CHECK(logits.size(1) == 1, "binary_mask_sums: logits must be [B, 1, h, w]");
  if (logits.is_cuda()) return gpu_mask_sums(logits, given);
  const TargetMaps targets = read_targets<int8_t>(given, 1, [](int8_t target) {
    return target == 1 ? 0 : target < 0 ? kIgnored : kBackground;
  });
  return with_gradients(logits, compute(logits.detach().contiguous(), targets, /*all_maps=*/true));
}

}  // namespace tagclip

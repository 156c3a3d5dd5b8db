#include "model/dense_recipe.h"

#include <algorithm>

#include "base/error.h"

namespace tagclip {

DenseRecipe dense_recipe(DenseMethod method, bool whole_photo, double resolution) {
  if (method == DenseMethod::kClearClip) {
    return {{.window = 2 * resolution, .stride = 0.5, .short_side = 1}, 50};
  }
  if (method == DenseMethod::kPlain) {
    return {{.window = resolution, .stride = 0.5, .short_side = 1}, 40};
  }
  return {{.window = resolution, .stride = 0.5, .short_side = 1.5, .whole_photo = whole_photo}, 40};
}

TrunkBlocks::TrunkBlocks(int64_t layers)
    : last(layers - 1),
      early(std::min(last, (layers + 1) / 3)),
      late(std::max(early, layers - 3)),
      middle_end(std::max(early, layers - 2)) {
  TAGCLIP_CHECK(layers > 0, "a tower has blocks");
}

}  // namespace tagclip

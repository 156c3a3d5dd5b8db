#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data_check/image_hash.h"

namespace tagclip {

// The number of each photo's group: photos that are nearly the same, directly or through others,
// share one.
std::vector<size_t> near_duplicate_groups(const std::vector<ImageHash>& hashes);

// Chooses about `share` of the photos for validation, whole groups only, so that each class has
// about that share of its photos there; a class of one group stays in training. `classes` lists
// the classes of each photo. The same arguments give the same choice. Returns a mark a photo.
std::vector<bool> choose_validation(const std::vector<size_t>& groups,
                                    const std::vector<std::vector<uint16_t>>& classes, double share,
                                    uint64_t seed);

}  // namespace tagclip

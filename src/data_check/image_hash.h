#pragma once

#include <array>
#include <cstdint>

#include "image/image.h"

namespace tagclip {

// What is left of a photo to find copies of it: the same picture at another size or quality, or
// mirrored.
struct ImageHash {
  static constexpr int kSide = 16;

  uint64_t hash = 0;           // difference hash: which of two neighbours is brighter
  uint64_t mirrored_hash = 0;  // of the mirror image
  std::array<uint8_t, kSide * kSide> grey{};  // the photo as a thumbnail
};

ImageHash image_hash(const Image& photo);

// Bits in which a photo's hash differs from that of another, of 64; the better of straight and
// mirrored.
int hash_distance(uint64_t hash, const ImageHash& other);

// Whether the hashes leave it possible that they are copies: quick, and rarely wrong to say no.
bool may_be_duplicates(uint64_t hash, const ImageHash& other);

// Correlation of the thumbnails' brightness, -1 to 1; the better of straight and mirrored. -1 when
// one is next to blank: nothing tells blank photos apart.
double correlation(const ImageHash& a, const ImageHash& b);

// Whether both say so, which chance hardly manages.
bool are_near_duplicates(const ImageHash& a, const ImageHash& b);

}  // namespace tagclip

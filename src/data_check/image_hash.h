#pragma once

#include <array>
#include <cstdint>

#include "image/image.h"

namespace tagclip {

// A perceptual hash of an image, which finds the same image at another size or quality, or
// mirrored.
struct ImageHash {
  static constexpr int kSide = 16;

  uint64_t dhash = 0;           // difference hash: which of two neighbouring cells is brighter
  uint64_t mirrored_dhash = 0;  // of the mirrored image
  std::array<uint8_t, kSide * kSide> thumbnail{};  // grey levels
};

ImageHash image_hash(const Image& image);

// Returns the number of bits, of 64, in which a dHash differs from that of another image or of its
// mirror image, whichever is nearer.
int hash_distance(uint64_t dhash, const ImageHash& other);

// A quick test that rarely misses duplicates: the dHashes are near.
bool may_be_duplicates(uint64_t dhash, const ImageHash& other);

// Returns the correlation of the thumbnails, -1 to 1, of the image or of its mirror image,
// whichever is larger; -1 when one is almost blank, as nothing tells blank images apart.
double correlation(const ImageHash& a, const ImageHash& b);

// True if both the dHashes and the thumbnails agree, which hardly happens by chance.
bool are_near_duplicates(const ImageHash& a, const ImageHash& b);

}  // namespace tagclip

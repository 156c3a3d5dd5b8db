#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace tagclip {

// A photo with the texts that describe it.
struct CaptionedPhoto {
  std::string key;
  std::vector<std::byte> encoded;     // the JPEG, PNG or WebP file
  std::vector<std::string> captions;  // at least one
};

// Reads WebDataset tar shards: members <key>.jpg|jpeg|png|webp and <key>.txt (UTF-8, one caption a
// line), side by side; members with other endings are passed over. Photos stay encoded.
// Throws Error(kBadInput) naming the shard and member: not a tar, truncated, a photo without
// caption or the other way round, an empty caption list or one that is not UTF-8, a member larger
// than 64 MiB, a key twice, no photo.
std::vector<CaptionedPhoto> read_caption_shards(const std::vector<std::filesystem::path>& shards);

}  // namespace tagclip

#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tagclip {

// An image with the texts that describe it.
struct CaptionedPhoto {
  std::string key;
  std::vector<std::byte> encoded;     // the JPEG, PNG or WebP file
  std::vector<std::string> captions;  // at least one
};

// Whether a caption is of up to three words: the name of what the photo shows, rather than a
// sentence.
bool is_short_caption(std::string_view caption);

// Reads WebDataset tar shards: members <key>.jpg|jpeg|png|webp and <key>.txt (UTF-8, one caption
// per line), side by side; members with other endings are skipped. Images stay encoded. Throws
// Error(kBadInput) naming the shard and member: not a tar, truncated, an image without caption or a
// caption without image, an empty caption list or one that is not UTF-8, a member larger than 64
// MiB, a repeated key, no image.
std::vector<CaptionedPhoto> read_caption_shards(const std::vector<std::filesystem::path>& shards);

}  // namespace tagclip

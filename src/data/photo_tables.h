#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

namespace tagclip {

// Tables of what is known about photos: a line for each, its key, a tab, the rest. They are UTF-8;
// empty lines are skipped. Reading throws Error(kBadInput) with file and line: unreadable, above
// 512 MiB, UTF-16, invalid UTF-8, a control character, an empty key or one of more than 1,000
// bytes, a key that comes twice, no line at all, and as each says below.

template <class Value>
using PhotoTable = std::unordered_map<std::string, Value>;

// Captions, with tabs between them. Throws also for a photo without one, and for one of more than
// 10,000 bytes.
PhotoTable<std::vector<std::string>> read_captions(const std::filesystem::path& path);

// A name out of a list that a photo has with a probability.
struct SoftName {
  int32_t name = 0;
  float probability = 0;  // above 0, at most 1
};

// What a classifier says a photo shows: its likeliest names. What is missing to 1 is spread evenly
// over the other names of the list.
using SoftNames = std::vector<SoftName>;

// Soft names: NAME:PROBABILITY, with spaces or tabs between them; NAME counts the lines of the list
// from 0. Throws also for a photo without one, a name that is none of the `names` or comes twice,
// a probability outside (0, 1], and for probabilities whose sum is above 1.01 (they are rounded).
PhotoTable<SoftNames> read_soft_names(const std::filesystem::path& path, size_t names);

}  // namespace tagclip

#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tagclip {

// The things that a photo's results were made from, by name: digests of the photo's file ("photo"),
// of the words and what embeds them ("words") and of the weights ("weights"), and the settings that
// change labels as text. It is kept in the class file beside the labels, so that results of another
// photo of the same name, or of other words, are not taken for those that are wanted.
using MadeFrom = std::map<std::string, std::string>;

inline constexpr const char* kMadeFromPhoto = "photo";

// A digest of a photo file's bytes, as hexadecimal digits.
std::string file_digest(std::span<const std::byte> bytes);

// Reads from a class file of this program (NAME_classes.json) what its labels were made from: empty
// where it does not say, as those of older versions. Nothing where it is no such file, or cannot be
// read.
std::optional<MadeFrom> read_made_from(const std::filesystem::path& class_file);

// The names of what differs, in alphabetical order.
std::vector<std::string> differences(const MadeFrom& a, const MadeFrom& b);

}  // namespace tagclip

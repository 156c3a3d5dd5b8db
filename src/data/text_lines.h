#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tagclip {

// The lines of a text without surrounding white space (CRLF too) and without a byte order mark.
// Empty lines stay, except at the end.
std::vector<std::string> split_lines(std::string_view text);

// A list file: one entry a line. Throws Error(kBadInput), naming the file and line, when it cannot
// be read, is empty, is larger than 256 MiB, or holds an empty line, an entry twice, one of more
// than 1,000 bytes or one that is not UTF-8.
std::vector<std::string> read_list(const std::filesystem::path& path);

}  // namespace tagclip

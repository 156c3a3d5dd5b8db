#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tagclip {

// A line of a list that the user wrote.
struct ListLine {
  std::string where;  // `FILE, line 3`, for error texts
  std::string text;   // valid UTF-8, no control characters, no white space at the ends, not empty
};

// The lines of a text file, without the empty ones and those that begin with #. A byte order mark
// and CRLF are accepted. Throws Error(kBadInput) naming file and line: unreadable, above 64 MiB,
// UTF-16, invalid UTF-8, a control character.
std::vector<ListLine> read_list_file(const std::filesystem::path& path);

// The entries of a list of names: its lines, without a byte order mark and with either line ending;
// where there are NUL characters, what stands before each, as `find -print0` writes names that may
// hold line feeds. Throws Error(kBadInput) naming `source` for UTF-16.
struct SplitNames {
  std::vector<std::string_view> names;  // parts of the text
  bool nul_separated = false;
};
SplitNames split_names(std::string_view text, const std::string& source);

// The entries of a data set's list: each is a name, and its number may matter. Throws as
// read_list_file, but above 256 MiB, and for no name at all, an empty line, a name that was there
// before or one of more than 1,000 bytes.
std::vector<std::string> read_names(const std::filesystem::path& path);

// True if `text` is the path of something that can be read: a file or a pipe, but no folder. Throws
// Error(kBadInput) where the system does not let one look at what looks like a path.
bool names_file(const std::string& text);

// True if the user must have meant a path: it ends in .txt, or holds a slash and is no list.
bool looks_like_path(std::string_view text);

// `text` without the white space (any of Unicode's) at its ends.
// Throws Error(kBadInput) beginning with `where` for invalid UTF-8 or a control character inside.
std::string checked_trim(std::string_view text, const std::string& where);

}  // namespace tagclip

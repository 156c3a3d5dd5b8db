#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagclip {

// True if `url` is http:// or https:// and a host.
bool is_web_address(const std::string& url);
// `url` for messages: without a user's name and password and without the query, which may hold
// secrets.
std::string without_secrets(const std::string& url);

struct CheckpointFile {
  std::string name;             // under which it is kept
  std::string url;              // http or https; empty where it can only be downloaded by hand
  std::string sha256;           // 64 lower-case hexadecimal digits; empty: not published
  std::optional<int64_t> size;  // bytes; empty: not published
};

enum class CheckpointUse { kClip, kModel };

struct PublishedCheckpoint {
  std::string name;
  std::string about;
  std::string licence;
  CheckpointUse use = CheckpointUse::kClip;
  std::string page;                   // for people: where to download by hand; may be empty
  std::vector<CheckpointFile> files;  // one is kept as a file, several in a folder of that name

  bool is_folder() const { return files.size() > 1; }
  const std::string& kept_as() const { return is_folder() ? name : files.front().name; }
  // All of its files; empty where one is not published.
  std::optional<int64_t> size() const;
};

using CheckpointTable = std::vector<PublishedCheckpoint>;

// Reads a table as checkpoints.toml is one. `source` names it in messages. Throws Error(kBadInput)
// with line and column: not TOML, unknown or missing keys, names that are no plain file names or
// come twice, addresses other than http and https, malformed checksums, sizes below 1.
CheckpointTable parse_table(std::string_view toml, const std::string& source);

// The table that is compiled in.
CheckpointTable builtin_table();

// The table in the file that TAGCLIP_CHECKPOINTS names, else the built-in one.
CheckpointTable known_checkpoints();

// Throws Error(kUsage) listing the names there are, the nearest one suggested.
const PublishedCheckpoint& find_checkpoint(const CheckpointTable& table, const std::string& name);

}  // namespace tagclip

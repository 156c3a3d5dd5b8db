#include "fetch/table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace tagclip {
namespace {

constexpr uint64_t kMaxTableBytes = uint64_t{1} << 20;
constexpr const char* kFormat = "src/fetch/checkpoints.toml in the sources shows the format";

// Reads a table; messages name the place in it.
class TableReader {
 public:
  explicit TableReader(const std::string& source) : source_(source) {}

  [[noreturn]] void reject(const toml::node& node, const std::string& why) const {
    const auto at = node.source().begin;
    throw bad_input(fmt::format("{}:{}:{}: {}", source_, at.line, at.column, why), kFormat);
  }

  CheckpointTable read(const toml::table& root) const {
    check_keys(root, {"checkpoint"});
    CheckpointTable table;
    for (const toml::table* entry : tables(root, "checkpoint")) {
      PublishedCheckpoint checkpoint = read_checkpoint(*entry);
      if (std::ranges::find(table, checkpoint.name, &PublishedCheckpoint::name) != table.end()) {
        reject(*entry, "a second checkpoint is called " + checkpoint.name);
      }
      const auto same_place = [&](const PublishedCheckpoint& other) {
        return other.kept_as() == checkpoint.kept_as();
      };
      if (std::ranges::any_of(table, same_place)) {
        reject(*entry, checkpoint.kept_as() + " is kept for two checkpoints");
      }
      table.push_back(std::move(checkpoint));
    }
    return table;
  }

 private:
  PublishedCheckpoint read_checkpoint(const toml::table& entry) const {
    check_keys(entry, {"name", "about", "licence", "use", "page", "files"});
    PublishedCheckpoint checkpoint{.name = file_name(entry),
                                   .about = required(entry, "about"),
                                   .licence = required(entry, "licence"),
                                   .use = read_use(entry),
                                   .page = address(entry, "page"),
                                   .files = {}};
    for (const toml::table* file : tables(entry, "files")) {
      CheckpointFile read = read_file(*file);
      if (std::ranges::find(checkpoint.files, read.name, &CheckpointFile::name) !=
          checkpoint.files.end()) {
        reject(*file, "a second file is called " + read.name);
      }
      if (read.url.empty() && checkpoint.page.empty()) {
        reject(*file, "neither the file has a url nor the checkpoint a page");
      }
      checkpoint.files.push_back(std::move(read));
    }
    return checkpoint;
  }

  CheckpointFile read_file(const toml::table& entry) const {
    check_keys(entry, {"name", "url", "sha256", "size"});
    return {.name = file_name(entry),
            .url = address(entry, "url"),
            .sha256 = checksum(entry),
            .size = size(entry)};
  }

  void check_keys(const toml::table& table, const std::vector<std::string>& known) const {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (std::ranges::find(known, name) != known.end()) continue;
      const auto meant = nearest(name, known);
      reject(node, fmt::format("there is no key {}{}", name,
                               meant ? fmt::format("; did you mean {}?", *meant) : ""));
    }
  }

  // [[key]]: at least one.
  std::vector<const toml::table*> tables(const toml::table& parent, const char* key) const {
    const toml::array* array = parent[key].as_array();
    if (array == nullptr || array->empty()) reject(parent, fmt::format("no [[{}]] here", key));
    std::vector<const toml::table*> found;
    for (const toml::node& node : *array) {
      if (!node.is_table()) reject(node, fmt::format("{} is not a list of tables", key));
      found.push_back(node.as_table());
    }
    return found;
  }

  std::string optional(const toml::table& table, const char* key) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return {};
    if (!node->is_string()) reject(*node, fmt::format("{} is not a text", key));
    return node->as_string()->get();
  }

  std::string required(const toml::table& table, const char* key) const {
    std::string text = optional(table, key);
    if (text.empty()) reject(table, fmt::format("{} is missing", key));
    return text;
  }

  std::string file_name(const toml::table& table) const {
    std::string name = required(table, "name");
    const auto plain = [](unsigned char c) {
      return std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '@';
    };
    if (!std::ranges::all_of(name, plain) || name.starts_with('.') || name.starts_with('-')) {
      reject(table, fmt::format("name: expected letters, digits and - _ . @, found '{}'", name));
    }
    return name;
  }

  CheckpointUse read_use(const toml::table& table) const {
    const std::string use = required(table, "use");
    if (use == "clip") return CheckpointUse::kClip;
    if (use == "model") return CheckpointUse::kModel;
    reject(table, fmt::format("use: expected clip or model, found '{}'", use));
  }

  std::string address(const toml::table& table, const char* key) const {
    std::string url = optional(table, key);
    if (!url.empty() && !is_web_address(url)) {
      reject(table, fmt::format("{}: expected https:// or http://, found '{}'", key, url));
    }
    return url;
  }

  std::string checksum(const toml::table& table) const {
    std::string hex = optional(table, "sha256");
    const bool digits = hex.find_first_not_of("0123456789abcdef") == hex.npos;
    if (!hex.empty() && (hex.size() != 64 || !digits)) {
      reject(table, fmt::format("sha256: expected 64 digits of 0-9 a-f, found '{}'", hex));
    }
    return hex;
  }

  std::optional<int64_t> size(const toml::table& table) const {
    const toml::node* node = table.get("size");
    if (node == nullptr) return {};
    if (!node->is_integer() || node->as_integer()->get() < 1) {
      reject(*node, "size: expected a number of bytes above 0");
    }
    return node->as_integer()->get();
  }

  const std::string& source_;
};

std::string read_table_file(const std::filesystem::path& path) {
  try {
    return read_text(path, kMaxTableBytes);
  } catch (const Error& error) {
    throw Error(error.kind(), error.what(), "TAGCLIP_CHECKPOINTS names this table of checkpoints");
  }
}

// Returns the position behind "scheme://"; 0 if the scheme is neither http nor https.
size_t start_of_host(const std::string& url) {
  for (const char* scheme : {"https://", "http://"}) {
    const std::string prefix = scheme;
    if (url.starts_with(prefix)) return prefix.size();
  }
  return 0;
}

}  // namespace

std::string_view embedded_checkpoints();  // checkpoints.toml

bool is_web_address(const std::string& url) {
  const size_t host = start_of_host(url);
  if (host == 0 || host == url.size()) return false;
  for (unsigned char c : url) {
    if (c <= ' ' || c == 0x7f) return false;
  }
  return url[host] != '/' && url[host] != '?' && url[host] != '#';
}

std::string without_secrets(const std::string& url) {
  std::string shown = url.substr(0, url.find_first_of("?#"));
  const size_t host = start_of_host(shown);
  const size_t at = shown.substr(0, shown.find('/', host)).rfind('@');
  if (host > 0 && at != shown.npos && at > host) shown.erase(host, at + 1 - host);
  return shown;
}

std::optional<int64_t> PublishedCheckpoint::size() const {
  int64_t sum = 0;
  for (const CheckpointFile& file : files) {
    if (!file.size) return {};
    sum += *file.size;
  }
  return sum;
}

CheckpointTable parse_table(std::string_view toml, const std::string& source) {
  try {
    return TableReader(source).read(toml::parse(toml));
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    throw bad_input(fmt::format("{}:{}:{}: {}", source, at.line, at.column, error.description()),
                    kFormat);
  }
}

CheckpointTable builtin_table() { return parse_table(embedded_checkpoints(), "checkpoints.toml"); }

CheckpointTable known_checkpoints() {
  const char* own = std::getenv("TAGCLIP_CHECKPOINTS");
  if (own == nullptr || *own == '\0') return builtin_table();
  return parse_table(read_table_file(own), own);
}

const PublishedCheckpoint& find_checkpoint(const CheckpointTable& table, const std::string& name) {
  const auto found = std::ranges::find(table, name, &PublishedCheckpoint::name);
  if (found != table.end()) return *found;
  std::vector<std::string> names;
  for (const PublishedCheckpoint& checkpoint : table) names.push_back(checkpoint.name);
  throw usage_error(fmt::format("there is no checkpoint called '{}'; there are\n    {}", name,
                                fmt::join(names, "\n    ")),
                    did_you_mean(name, names, "`list` tells more"));
}

}  // namespace tagclip

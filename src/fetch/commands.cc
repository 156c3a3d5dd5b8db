#include "fetch/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "fetch/address.h"
#include "fetch/cache.h"
#include "fetch/fetch.h"
#include "fetch/interruption.h"
#include "fetch/table.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

fs::path destination(const FetchOptions& options) {
  const fs::path folder = options.to.empty() ? cache_folder() : options.to;
  std::error_code unknown;
  const fs::path absolute = fs::absolute(folder, unknown);
  return (unknown ? folder : absolute).lexically_normal();
}

std::string mirror(const FetchOptions& options) {
  const char* usual = std::getenv("TAGCLIP_MIRROR");
  const std::string base = !options.mirror.empty() ? options.mirror : usual ? usual : "";
  if (base.empty() || is_web_address(base)) return base;
  throw usage_error(fmt::format("the mirror '{}' is no web address", base),
                    "it begins with https:// or http://");
}

FetchPlan plan(const FetchOptions& options) {
  return {.folder = destination(options),
          .from = options.from,
          .mirror = mirror(options),
          .limits = {.tries = options.tries, .timeout = options.timeout}};
}

std::vector<const Checkpoint*> chosen(const CheckpointTable& table, const FetchOptions& options) {
  if (options.names.empty()) {
    throw usage_error("no checkpoint is named", "tagclip fetch --list tells which there are");
  }
  if (!options.from.empty() && options.names.size() > 1) {
    throw usage_error("--from goes with one checkpoint", "fetch them one after the other");
  }
  std::vector<const Checkpoint*> checkpoints;
  for (const std::string& name : options.names) {
    checkpoints.push_back(&find_checkpoint(table, name));
  }
  return checkpoints;
}

// JSON is UTF-8, paths need not be.
std::string line(const ordered_json& object) {
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

// For a shell, in quotes where it needs them.
std::string quoted(const std::string& text) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./@+=:,";
  if (text.find_first_not_of(kPlain) == text.npos) return text;
  std::string result = "'";
  for (char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string next_command(const Checkpoint& checkpoint, const fs::path& path) {
  const char* mode = checkpoint.use == CheckpointUse::kClip ? " --mode clip" : "";
  return fmt::format("try: tagclip segment photo.jpg --weights {}{} --classes \"cat, grass\"",
                     quoted(path.string()), mode);
}

void report(const Checkpoint& checkpoint, const fs::path& folder, bool fetched, bool as_json,
            Console& console) {
  const fs::path path = path_in(folder, checkpoint);
  const int64_t bytes = kept_bytes(folder, checkpoint);
  console.note(fmt::format("{} {} ({}, licence {})", checkpoint.name,
                           fetched ? "is fetched" : "is there already", format_bytes(bytes),
                           checkpoint.licence));
  for (const CheckpointFile& file : checkpoint.files) {
    if (!file.sha256.empty()) continue;
    console.note(
        fmt::format("  {} could not be checked: its publisher gives no SHA-256", file.name));
  }
  if (as_json) {
    console.print(line({{"checkpoint", checkpoint.name},
                        {"path", path.string()},
                        {"bytes", bytes},
                        {"licence", checkpoint.licence},
                        {"fetched", fetched}}));
  } else {
    console.print(path.string());
  }
  console.note(next_command(checkpoint, path));
}

ordered_json to_json(const Checkpoint& checkpoint, const fs::path& folder) {
  ordered_json files = ordered_json::array();
  for (const CheckpointFile& file : checkpoint.files) {
    files.push_back({{"name", file.name},
                     {"url", file.url.empty() ? ordered_json() : ordered_json(file.url)},
                     {"sha256", file.sha256.empty() ? ordered_json() : ordered_json(file.sha256)},
                     {"bytes", file.size ? ordered_json(*file.size) : ordered_json()}});
  }
  const bool kept = kept_bytes(folder, checkpoint) > 0;
  return {{"checkpoint", checkpoint.name},
          {"about", checkpoint.about},
          {"licence", checkpoint.licence},
          {"page", checkpoint.page.empty() ? ordered_json() : ordered_json(checkpoint.page)},
          {"path", kept ? ordered_json(path_in(folder, checkpoint).string()) : ordered_json()},
          {"files", files}};
}

// "335.0 MiB" of one that is kept or whose publisher tells.
std::string size_column(const Checkpoint& checkpoint, int64_t kept) {
  if (kept > 0) return format_bytes(kept);
  if (const auto size = checkpoint.size()) return format_bytes(*size);
  const bool by_hand =
      std::ranges::any_of(checkpoint.files, [](const auto& file) { return file.url.empty(); });
  return by_hand ? "by hand" : "unknown";
}

std::string list_text(const CheckpointTable& table, const fs::path& folder) {
  size_t width = 0;
  for (const Checkpoint& checkpoint : table) width = std::max(width, checkpoint.name.size());
  std::string text =
      fmt::format("  {:<{}}  {:<9}  {:<7}  {}\n", "NAME", width, "SIZE", "LICENCE", "WHAT");
  for (const Checkpoint& checkpoint : table) {
    const int64_t kept = kept_bytes(folder, checkpoint);
    text += fmt::format("{} {:<{}}  {:<9}  {:<7}  {}\n", kept > 0 ? '*' : ' ', checkpoint.name,
                        width, size_column(checkpoint, kept), checkpoint.licence, checkpoint.about);
  }
  return text;
}

int fetch(const FetchOptions& options, Console& console) {
  const CheckpointTable table = known_checkpoints();
  const FetchPlan to_do = plan(options);
  try {
    for (const Checkpoint* checkpoint : chosen(table, options)) {
      const bool fetched = fetch_checkpoint(*checkpoint, to_do, console);
      report(*checkpoint, to_do.folder, fetched, options.json, console);
    }
  } catch (const Stopped&) {
    console.note("stopped; the same command goes on from there");
    return kStopped;
  }
  return 0;
}

int list_checkpoints(const FetchOptions& options, Console& console) {
  const CheckpointTable table = known_checkpoints();
  const fs::path folder = destination(options);
  if (options.json) {
    for (const Checkpoint& checkpoint : table) console.print(line(to_json(checkpoint, folder)));
    return 0;
  }
  console.print(list_text(table, folder));
  console.note(fmt::format("* = in {} already", folder.string()));
  return 0;
}

}  // namespace
}  // namespace tagclip

const char* tagclip_interface() { return TAGCLIP_INTERFACE; }

int tagclip_fetch(const tagclip::FetchOptions& options, tagclip::Console& console) {
  return options.list ? tagclip::list_checkpoints(options, console)
                      : tagclip::fetch(options, console);
}

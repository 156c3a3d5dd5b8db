#include "fetch/fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "fetch/cache.h"
#include "fetch/checked_file.h"
#include "fetch/download.h"
#include "fetch/part_file.h"
#include "fetch/table.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

struct FetchPlan {
  std::filesystem::path folder;  // where checkpoints are kept; made where it is missing
  std::filesystem::path from;    // a file (a folder, for a checkpoint of several files) to copy
  std::string mirror;            // base address to which the names in the cache are appended
  DownloadLimits limits;
};

// Fetches one checkpoint into one folder, under its lock.
class Fetch {
 public:
  Fetch(const PublishedCheckpoint& checkpoint, const FetchPlan& plan, Console& console)
      : checkpoint_(checkpoint), plan_(plan), console_(console) {}

  bool run() {
    const fs::path place = path_in(plan_.folder, checkpoint_);
    if (is_there(place)) return false;
    check_reachable();
    if (!checkpoint_.is_folder()) {
      obtain(checkpoint_.files.front(), place);
      return true;
    }
    const fs::path staging = place.string() + ".part";
    create_folders(staging);
    for (const CheckpointFile& file : checkpoint_.files) {
      if (!is_right(file, staging / file.name)) obtain(file, staging / file.name);
    }
    move_folder(staging, place);
    return true;
  }

 private:
  bool is_there(const fs::path& place) const {
    for (const CheckpointFile& file : checkpoint_.files) {
      if (!is_right(file, checkpoint_.is_folder() ? place / file.name : place)) return false;
    }
    return true;
  }

  bool is_right(const CheckpointFile& file, const fs::path& path) const {
    if (!path_exists(path)) return false;
    const auto wrong = mismatch(file, path, console_);
    if (wrong) console_.warn(fmt::format("{} is damaged: {}", path.string(), *wrong));
    return !wrong;
  }

  void check_reachable() const {
    if (!plan_.from.empty() || !plan_.mirror.empty()) return;
    for (const CheckpointFile& file : checkpoint_.files) {
      if (!file.url.empty()) continue;
      throw failure(
          fmt::format("{} can only be downloaded by hand, where its authors put it:\n    {}",
                      checkpoint_.name, checkpoint_.page),
          "then name it: `from` takes a file that you have");
    }
  }

  void obtain(const CheckpointFile& file, const fs::path& target) const {
    if (!plan_.from.empty()) return copy_checked(file, source(file), target, console_);
    download(file, plan_.mirror.empty() ? file.url : mirrored(file), target, plan_.limits,
             console_);
  }

  fs::path source(const CheckpointFile& file) const {
    if (!checkpoint_.is_folder()) return plan_.from;
    if (is_folder(plan_.from)) return plan_.from / file.name;
    throw bad_input(plan_.from.string() + ": there is no such folder",
                    fmt::format("{} has {} files: name the folder they are in", checkpoint_.name,
                                checkpoint_.files.size()));
  }

  // Returns the file's place in a mirror, the same as in the cache: a copied cache is a mirror.
  std::string mirrored(const CheckpointFile& file) const {
    const std::string base = plan_.mirror.substr(0, plan_.mirror.find_last_not_of('/') + 1);
    return checkpoint_.is_folder() ? fmt::format("{}/{}/{}", base, checkpoint_.name, file.name)
                                   : fmt::format("{}/{}", base, file.name);
  }

  void move_folder(const fs::path& staging, const fs::path& place) const {
    if (!path_exists(place)) {
      rename_path(staging, place);
    } else {  // a damaged one, in which the user may keep other files
      for (const CheckpointFile& file : checkpoint_.files) {
        rename_path(staging / file.name, place / file.name);
      }
      remove_path(staging);
    }
    sync_folder(place.parent_path());
  }

  const PublishedCheckpoint& checkpoint_;
  const FetchPlan& plan_;
  Console& console_;
};

// Makes sure that the checkpoint is in the folder, whole and checked; false where it was there.
// Lets one process work at a time; others wait. Throws Stopped; Error(kFailure) where it cannot be
// fetched, Error(kBadInput) where `from` is not what is expected.
bool fetch_checkpoint(const PublishedCheckpoint& checkpoint, const FetchPlan& plan,
                      Console& console) {
  create_folders(plan.folder);
  const NameLock lock(path_in(plan.folder, checkpoint), console);
  return Fetch(checkpoint, plan, console).run();
}

fs::path destination(const FetchOptions& options) {
  return absolute_path(options.to.empty() ? cache_folder() : options.to);
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

std::vector<const PublishedCheckpoint*> chosen(const CheckpointTable& table,
                                               const FetchOptions& options) {
  if (options.names.empty()) {
    throw usage_error("no checkpoint is named", "`list` tells which there are");
  }
  if (!options.from.empty() && options.names.size() > 1) {
    throw usage_error("`from` goes with one checkpoint", "fetch them one after the other");
  }
  std::vector<const PublishedCheckpoint*> checkpoints;
  for (const std::string& name : options.names) {
    checkpoints.push_back(&find_checkpoint(table, name));
  }
  return checkpoints;
}

// Quotes the text for a shell if it needs quotes.
std::string shell_quoted(const std::string& text) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./@+=:,";
  if (text.find_first_not_of(kPlain) == text.npos) return text;
  std::string result = "'";
  for (char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string next_command(const PublishedCheckpoint& checkpoint, const fs::path& path) {
  const char* mode = checkpoint.use == CheckpointUse::kClip ? " --mode clip" : "";
  return fmt::format("try: tagclip segment photo.jpg --weights {}{} --classes \"cat, grass\"",
                     shell_quoted(path.string()), mode);
}

void report(const PublishedCheckpoint& checkpoint, const fs::path& folder, bool fetched,
            bool as_json, Console& console) {
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
    console.print(json_text({{"checkpoint", checkpoint.name},
                             {"path", path.string()},
                             {"bytes", bytes},
                             {"licence", checkpoint.licence},
                             {"fetched", fetched}}));
  } else {
    console.print(path.string());
  }
  console.note(next_command(checkpoint, path));
}

ordered_json to_json(const PublishedCheckpoint& checkpoint, const fs::path& folder) {
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
std::string size_column(const PublishedCheckpoint& checkpoint, int64_t kept) {
  if (kept > 0) return format_bytes(kept);
  if (const auto size = checkpoint.size()) return format_bytes(*size);
  const bool by_hand =
      std::ranges::any_of(checkpoint.files, [](const auto& file) { return file.url.empty(); });
  return by_hand ? "by hand" : "unknown";
}

std::string list_text(const CheckpointTable& table, const fs::path& folder) {
  size_t width = 0;
  for (const PublishedCheckpoint& checkpoint : table)
    width = std::max(width, checkpoint.name.size());
  std::string text =
      fmt::format("  {:<{}}  {:<9}  {:<7}  {}\n", "NAME", width, "SIZE", "LICENCE", "WHAT");
  for (const PublishedCheckpoint& checkpoint : table) {
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
    for (const PublishedCheckpoint* checkpoint : chosen(table, options)) {
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
    for (const PublishedCheckpoint& checkpoint : table)
      console.print(json_text(to_json(checkpoint, folder)));
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

#include "fetch/fetch.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "fetch/cache.h"
#include "fetch/copy.h"
#include "fetch/expected.h"
#include "fetch/name_lock.h"
#include "fetch/part_file.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

// One checkpoint into one folder, under its lock.
class Fetch {
 public:
  Fetch(const Checkpoint& checkpoint, const FetchPlan& plan, Console& console)
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
    std::error_code unknown;
    if (!fs::exists(path, unknown)) return false;
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
          fmt::format("then: tagclip fetch {} --from FILE", checkpoint_.name));
    }
  }

  void obtain(const CheckpointFile& file, const fs::path& target) const {
    if (!plan_.from.empty()) return copy_checked(file, source(file), target, console_);
    download(file, plan_.mirror.empty() ? file.url : mirrored(file), target, plan_.limits,
             console_);
  }

  fs::path source(const CheckpointFile& file) const {
    if (!checkpoint_.is_folder()) return plan_.from;
    std::error_code unknown;
    if (fs::is_directory(plan_.from, unknown)) return plan_.from / file.name;
    throw bad_input(plan_.from.string() + ": there is no such folder",
                    fmt::format("{} has {} files: name the folder they are in", checkpoint_.name,
                                checkpoint_.files.size()));
  }

  // As in the cache, so that a copy of somebody's cache is a mirror.
  std::string mirrored(const CheckpointFile& file) const {
    const std::string base = plan_.mirror.substr(0, plan_.mirror.find_last_not_of('/') + 1);
    return checkpoint_.is_folder() ? fmt::format("{}/{}/{}", base, checkpoint_.name, file.name)
                                   : fmt::format("{}/{}", base, file.name);
  }

  void move_folder(const fs::path& staging, const fs::path& place) const {
    std::error_code problem;
    if (!fs::exists(place, problem)) {
      fs::rename(staging, place, problem);
    } else {  // a damaged one, in which the user may keep other files
      for (const CheckpointFile& file : checkpoint_.files) {
        if (!problem) fs::rename(staging / file.name, place / file.name, problem);
      }
      if (!problem) fs::remove(staging, problem);
    }
    if (problem) throw failure("cannot write " + place.string() + ": " + problem.message());
    sync_folder(place.parent_path());
  }

  const Checkpoint& checkpoint_;
  const FetchPlan& plan_;
  Console& console_;
};

}  // namespace

bool fetch_checkpoint(const Checkpoint& checkpoint, const FetchPlan& plan, Console& console) {
  create_folders(plan.folder);
  const NameLock lock(path_in(plan.folder, checkpoint), console);
  return Fetch(checkpoint, plan, console).run();
}

}  // namespace tagclip

#include "commands/run_files.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "outputs/stored_result.h"

namespace tagclip {
namespace {

bool is_made_as(const MadeFrom& wanted, const std::filesystem::path& class_file) {
  auto stored = read_made_from(class_file);
  if (!stored) return false;
  stored->erase(kMadeFromPhoto);
  return differences(*stored, wanted).empty();
}

std::string names_of(const OutputSet& outputs) {
  std::string names;
  for (const OutputFormat* format : outputs.formats) {
    for (const RunFile& file : format->run_files) {
      names += (names.empty() ? "" : ", ") + std::string(file.name);
    }
  }
  return names;
}

}  // namespace

bool write_run_files(const OutputRun& run, const OutputSet& outputs, const MadeFrom& made_from,
                     const SegmentPlan& plan, const SegmentOptions& options, Console& console) {
  constexpr int64_t kMany = 1000;
  RunFiles files(run, outputs.formats, options.overwrite);
  const auto all = std::ssize(plan.whole_list);
  int64_t used = 0, looked = 0;
  bool is_whole = true;
  for (const SegmentJob& job : plan.whole_list) {
    if (console.stop_requested()) return is_whole;
    if (all >= kMany) console.progress("collecting", ++looked, all);
    if (!is_made_as(made_from, class_file_of(job.files))) continue;
    try {
      const StoredResult result = read_stored_result(
          photo_path(*parse_output_formats("labels").front(), run.folder, job.stem),
          class_file_of(job.files), run);
      files.add({job.photo, job.stem, result.labels, result.regions});
      ++used;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput) throw;
      report_failure(job.photo.string(), error, options.json, console);
      is_whole = false;
    }
  }
  if (used == 0) return is_whole;
  files.commit();
  console.note(fmt::format("{} of {} in {}: {}", counted(used, "photo"), all, run.folder.string(),
                           names_of(outputs)));
  return is_whole;
}

}  // namespace tagclip

#include "outputs/stored_result.h"

#include <fmt/format.h>
#include <zlib.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "image/image.h"

namespace tagclip {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::filesystem::path& class_file, const std::string& why) {
  throw bad_input(class_file.string() + ": " + why, "set `overwrite` to make the results again");
}

// The scores of regions in their order, or of classes, as the class file says.
void set_stored_scores(const json& stored, const std::filesystem::path& class_file, bool instances,
                       Regions& regions) {
  const char* key = instances ? "regions" : "classes";
  if (!stored.is_object() || !stored.contains(key) || !stored[key].is_array()) {
    refuse(class_file, fmt::format("it has no list of {}", key));
  }
  std::map<int64_t, double> score_of;  // by place, or by class
  int64_t place = 0;
  for (const json& entry : stored[key]) {
    const bool whole = entry.is_object() && entry.contains("index") &&
                       entry["index"].is_number_integer() && entry.contains("mean_score") &&
                       entry["mean_score"].is_number();
    if (!whole) refuse(class_file, fmt::format("an entry of its {} is broken", key));
    const auto label = entry["index"].get<int64_t>();
    const bool fits = !instances || (place < std::ssize(regions.all) &&
                                     regions.all[static_cast<size_t>(place)].label == label);
    if (!fits) refuse(class_file, "it does not fit the label file beside it");
    score_of[instances ? place : label] = entry["mean_score"].get<double>();
    ++place;
  }
  for (size_t r = 0; r < regions.all.size(); ++r) {
    const auto score = score_of.find(instances ? static_cast<int64_t>(r) : regions.all[r].label);
    if (score == score_of.end()) refuse(class_file, "it does not fit the label file beside it");
    regions.all[r].score = score->second;
  }
}

// A mark of what was written last, in a hidden file beside it: a file that was changed since, or
// never was this program's, is not replaced.
std::filesystem::path mark_of(const std::filesystem::path& file) {
  return file.parent_path() / fmt::format(".{}.crc", file.filename().string());
}

std::string checksum_text(uint64_t size, uint64_t crc) {
  return fmt::format("{} {:08x}", size, crc);
}

std::string checksum_of(const std::filesystem::path& file) {
  const MappedFile mapped(file);
  const auto bytes = mapped.bytes();
  return checksum_text(bytes.size(),
                       crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void check_place(const std::filesystem::path& file, bool overwrite) {
  const PathStatus status = path_status(file);
  if (status.kind == PathKind::kNothing && status.error == 0) return;
  if (status.kind == PathKind::kFile && overwrite) return;
  if (status.kind == PathKind::kFile && path_exists(mark_of(file))) {
    const std::string marks = read_text(mark_of(file)), own = checksum_of(file);
    for (const std::string_view mark : split_lines(marks)) {
      if (mark == own) return;
    }
  }
  throw failure(
      fmt::format("{} is there already, and is not as this program wrote it", file.string()),
      "set `overwrite` to replace it, or `output` to another folder");
}

std::filesystem::path place_of(const std::filesystem::path& folder, const RunFile& file) {
  return folder / std::string(file.name);
}

}  // namespace

StoredResult read_stored_result(const std::filesystem::path& label_file,
                                const std::filesystem::path& class_file, const OutputRun& run) {
  StoredResult result{read_label_map(label_file, {.max_pixels = int64_t{1} << 40}), {}};
  for (const uint16_t label : result.labels.labels) {
    if (label == kIgnoreIndex || label < run.classes.size()) continue;
    throw bad_input(fmt::format("{}: label {} is of no class", label_file.string(), label),
                    "set `overwrite` to make the results again");
  }
  result.regions = find_regions(result.labels, run.instances, background_label(run.classes));
  const std::string text = read_text(class_file);
  const auto stored = parse_bounded_json(text, kMaxReadBytes);
  if (!stored) refuse(class_file, json_fault(text));
  set_stored_scores(*stored, class_file, run.instances, result.regions);
  return result;
}

struct RunFiles::Open {
  Open(const OutputRun& run, const RunFile& of, std::filesystem::path place)
      : path(std::move(place)), file(path), writer(of.open(run, sink)) {}

  std::filesystem::path path;
  AtomicFile file;
  uint64_t size = 0, crc = 0;
  ByteSink sink = [this](std::span<const std::byte> bytes) {
    file.write(bytes);
    size += bytes.size();
    crc = crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  };
  std::unique_ptr<RunFileWriter> writer;
};

RunFiles::RunFiles(const OutputRun& run, const std::vector<const OutputFormat*>& formats,
                   bool overwrite) {
  check_run_files(run.folder, formats, overwrite);
  for (const OutputFormat* format : formats) {
    for (const RunFile& file : format->run_files) {
      const auto place = place_of(run.folder, file);
      create_folders(place.parent_path());
      files_.push_back(std::make_unique<Open>(run, file, place));
    }
  }
}

RunFiles::~RunFiles() = default;

void RunFiles::add(const LabelledPhoto& photo) {
  for (const auto& file : files_) file->writer->add(photo);
}

void RunFiles::commit() {
  for (const auto& file : files_) file->writer->finish();
  for (const auto& file : files_) {
    // Whenever this is broken off, one of the two marks is the file's.
    std::string before;
    if (is_file(file->path)) before = checksum_of(file->path) + "\n";
    const std::string now = checksum_text(file->size, file->crc) + "\n";
    write_file(mark_of(file->path), before + now);
    file->file.commit();
    if (before != now) write_file(mark_of(file->path), now);
  }
}

void check_run_files(const std::filesystem::path& folder,
                     const std::vector<const OutputFormat*>& formats, bool overwrite) {
  for (const OutputFormat* format : formats) {
    for (const RunFile& file : format->run_files) check_place(place_of(folder, file), overwrite);
  }
}

}  // namespace tagclip

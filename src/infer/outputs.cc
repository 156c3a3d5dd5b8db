#include "infer/outputs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <unordered_set>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "draw/overlay.h"
#include "image/palette.h"
#include "image/png.h"
#include "infer/summary.h"

namespace tagclip {
namespace {

constexpr const char* kClassFileEnding = "_classes.json";

std::vector<LegendEntry> legend_of(const PhotoResult& result, const std::vector<Colour>& palette) {
  std::vector<LegendEntry> legend;
  for (const FoundClass& found : result.segmented.found) {
    if (found.share < kWorthNaming && !legend.empty()) break;
    legend.push_back({palette[found.index], result.vocabulary.classes[found.index].name(),
                      percent(found.share)});
  }
  const double unlabelled = result.segmented.unlabelled;
  if (unlabelled > 0) legend.push_back({kUnlabelledColour, "unlabelled", percent(unlabelled)});
  return legend;
}

// A folder that appears under its name whole or not at all.
class AtomicFolder {
 public:
  AtomicFolder(std::filesystem::path target, const std::vector<NamedFile>& files)
      : target_(std::move(target)), temporary_(target_) {
    temporary_ += fmt::format(".tmp-{}", ::getpid());
    try {
      create_folders(temporary_);
      for (const NamedFile& file : files) {
        write_file(temporary_ / file.name, std::span<const std::byte>(file.bytes));
      }
    } catch (const Error&) {
      remove_folder(temporary_);
      throw;
    }
  }
  ~AtomicFolder() { remove_folder(temporary_); }
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  // Replaces an existing target.
  void commit() {
    remove_folder(target_);
    rename_path(temporary_, target_);
  }

 private:
  std::filesystem::path target_, temporary_;
};

// A file or folder that is written, and waits for its name.
struct Pending {
  std::filesystem::path path;
  std::unique_ptr<AtomicFile> file;
  std::unique_ptr<AtomicFolder> folder;

  void commit() { file ? file->commit() : folder->commit(); }
};

Pending written(const OutputFormat& format, const PhotoOutput& output,
                const std::filesystem::path& path) {
  create_folders(path.parent_path());
  Pending pending{.path = path, .file = {}, .folder = {}};
  if (format.is_folder()) {
    pending.folder = std::make_unique<AtomicFolder>(path, format.photo_folder(output));
    return pending;
  }
  pending.file = std::make_unique<AtomicFile>(path);
  format.write_photo(output, [&](std::span<const std::byte> bytes) { pending.file->write(bytes); });
  return pending;
}

// The formats that have a file or folder per photo, in the order of output_files.
std::vector<const OutputFormat*> photo_formats(const OutputSet& set) {
  std::vector<const OutputFormat*> formats;
  for (const OutputFormat* format : set.formats) {
    if (!format->photo_file.empty()) formats.push_back(format);
  }
  return formats;
}

std::vector<std::string> class_names(const EmbeddedVocabulary& vocabulary) {
  std::vector<std::string> names;
  for (const ClassWords& entry : vocabulary.classes) names.push_back(entry.name());
  return names;
}

}  // namespace

Image draw_overlay(const PhotoResult& result) {
  Image overlay = result.photo;
  colour_classes(overlay, result.segmented.labels,
                 result_palette(result.vocabulary.classes.size()));
  return overlay;
}

OutputSet output_set(const OutputOptions& options) {
  std::string list = options.output_format;
  if (needs_labels(parse_output_formats(list))) list += ",labels";
  return {parse_output_formats(list), options.instances, options.min_region, options.small_regions,
          options.simplify};
}

void add_made_from(const OutputSet& set, MadeFrom& made_from) {
  if (set.instances) made_from["instances"] = "true";
  if (set.simplify > 0) made_from["simplify"] = fmt::to_string(set.simplify);
  if (set.min_region <= 1) return;
  made_from["min_region"] = fmt::to_string(set.min_region);
  if (set.small_regions != SmallRegions::kMerge) made_from["small_regions"] = "drop";
}

void clean_small_regions(const OutputSet& set, const EmbeddedVocabulary& vocabulary,
                         SegmentedPhoto& segmented) {
  if (set.min_region <= 1) return;
  if (set.small_regions == SmallRegions::kMerge) {
    merge_small_regions(set.min_region, segmented.labels);
  } else {
    drop_small_regions(set.min_region, background_label(class_names(vocabulary)), segmented.labels);
  }
  Regions regions = find_regions(segmented.labels, false);
  set_mean_scores(segmented.scores, regions);
  const auto pixels = static_cast<double>(segmented.labels.size());
  segmented.found.clear();
  segmented.unlabelled = 1;
  for (const LabelRegion& region : regions.all) {
    const double share = static_cast<double>(region.area) / pixels;
    segmented.found.push_back({region.label, share, region.score});
    segmented.unlabelled -= share;
  }
  if (std::ranges::find(segmented.labels.labels, kIgnoreIndex) == segmented.labels.labels.end()) {
    segmented.unlabelled = 0;
  }
  std::ranges::stable_sort(segmented.found, std::greater(), &FoundClass::share);
}

OutputRun output_run(const std::filesystem::path& folder, const EmbeddedVocabulary& vocabulary,
                     const std::string& weights_name, const OutputSet& set) {
  return {.folder = folder,
          .classes = class_names(vocabulary),
          .palette = result_palette(vocabulary.classes.size()),
          .model = weights_name,
          .instances = set.instances,
          .simplify = set.simplify};
}

FormatInput::FormatInput(const PhotoResult& result, const OutputRun& run)
    : regions_(find_regions(result.segmented.labels, run.instances, background_label(run.classes))),
      output_{run,
              {result.photo_file, result.stem, result.segmented.labels, regions_},
              result.photo,
              legend_of(result, run.palette),
              result.class_scores} {
  set_mean_scores(result.segmented.scores, regions_);
}

std::vector<std::byte> encode(const OutputFormat& format, const PhotoOutput& output) {
  std::vector<std::byte> bytes;
  format.write_photo(output, [&](std::span<const std::byte> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
  });
  return bytes;
}

std::vector<std::filesystem::path> output_files(const std::filesystem::path& folder,
                                                const std::string& stem, const OutputSet& set) {
  std::vector<std::filesystem::path> files = {class_file(folder, stem)};
  for (const OutputFormat* format : photo_formats(set)) {
    files.push_back(photo_path(*format, folder, stem));
  }
  return files;
}

std::vector<std::string> output_names(const OutputSet& set) {
  std::vector<std::string> names = {"classes"};
  for (const OutputFormat* format : photo_formats(set)) names.emplace_back(format->name);
  return names;
}

void check_places(const std::vector<std::filesystem::path>& files, const OutputSet& set) {
  const std::vector<const OutputFormat*> formats = photo_formats(set);
  for (size_t i = 0; i < files.size(); ++i) {
    const PathStatus status = path_status(files[i]);
    const bool wants_folder = i > 0 && formats[i - 1]->is_folder();
    int error = status.error;
    if (error == 0 && status.kind == PathKind::kFolder && !wants_folder) error = EISDIR;
    if (error == 0 && status.kind == PathKind::kFile && wants_folder) error = ENOTDIR;
    if (error != 0) throw bad_input(cannot_write(files[i], error).what(), "rename the photo");
    if (!wants_folder || status.kind != PathKind::kFolder) continue;
    for (const FolderEntry& entry : list_folder(files[i])) {
      if (entry.kind == PathKind::kFile && entry.name.ends_with(".png")) continue;
      throw bad_input(
          fmt::format("{} holds {}, which is no result", files[i].string(), in_quotes(entry.name)),
          "move it away, or set `output` to another folder");
    }
  }
}

void write_outputs(const std::vector<std::filesystem::path>& files, const PhotoResult& result,
                   const OutputRun& run, const OutputSet& set) {
  const std::vector<const OutputFormat*> formats = photo_formats(set);
  TAGCLIP_CHECK(files.size() == formats.size() + 1, "a file per output");
  const FormatInput input(result, run);
  AtomicFile classes(class_file_of(files));
  classes.write(to_json(result.segmented, result.vocabulary, result.photo_name, result.weights_name,
                        result.made_from,
                        run.instances ? &input.output().labelled.regions : nullptr));
  std::vector<Pending> pending;
  for (size_t i = 0; i < formats.size(); ++i) {
    pending.push_back(written(*formats[i], input.output(), files[i + 1]));
  }
  for (const Pending& output : pending) {
    if (output.file) remove_path(output.path);
    if (output.folder) remove_folder(output.path);
  }
  classes.commit();
  for (Pending& output : pending) output.commit();
}

std::filesystem::path class_file(const std::filesystem::path& folder, const std::string& stem) {
  return folder / (stem + kClassFileEnding);
}

std::optional<std::string> stem_of_image(std::string_view file_name) {
  for (const OutputFormat& format : output_formats()) {
    if (!format.photo_file.starts_with("{}") || !format.photo_file.ends_with(".png")) continue;
    const std::string_view ending = format.photo_file.substr(2);
    if (!file_name.ends_with(ending)) continue;
    file_name.remove_suffix(ending.size());
    return std::string(file_name);
  }
  return {};
}

bool is_result(const std::filesystem::path& folder, const std::string& stem) {
  return read_made_from(class_file(folder, stem)).has_value();
}

std::string output_stem(const std::filesystem::path& photo) {
  constexpr size_t kMaxName = 255;  // bytes, of a file
  constexpr size_t kRoom = 32;      // for a number and the longest ending
  constexpr size_t kDigits = 8;
  std::string stem = photo.stem().string();
  if (stem.size() <= kMaxName - kRoom) return stem;
  size_t end = kMaxName - kRoom - kDigits - 1;
  while (end > 0 && (static_cast<uint8_t>(stem[end]) & 0xC0) == 0x80) --end;  // inside a character
  const std::string digest = file_digest(std::as_bytes(std::span(stem)));
  return stem.substr(0, end) + "-" + digest.substr(0, kDigits);
}

std::vector<std::string> output_stems(const std::vector<std::filesystem::path>& photos) {
  std::unordered_set<std::string> taken;
  for (const auto& photo : photos) taken.insert(output_stem(photo));
  std::unordered_set<std::string> used;
  std::vector<std::string> stems;
  for (const auto& photo : photos) {
    const std::string own = output_stem(photo);
    std::string stem = own;
    // A number may not lead to another photo's own name either.
    for (int n = 2; used.contains(stem) || (stem != own && taken.contains(stem)); ++n) {
      stem = own + "-" + std::to_string(n);
    }
    used.insert(stem);
    stems.push_back(stem);
  }
  return stems;
}

}  // namespace tagclip

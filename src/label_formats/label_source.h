#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/image_ops.h"
#include "image/exif.h"
#include "image/label_map.h"
#include "label_formats/source_files.h"

namespace tagclip {

// A photo as its labels must fit it.
struct PhotoFrame {
  Size size;                                        // upright
  Orientation orientation = Orientation::kTopLeft;  // of the stored pixels
};

// What an annotation tool knows about one photo. `draw` gives the class of every pixel of the
// upright photo: an index into LabelSource::classes, kUnlabelled or kIgnoreIndex. It throws
// Error(kBadInput) for an annotation that cannot be drawn, and may be called from several threads.
struct SourceItem {
  std::string name;             // the photo's path in the source, without ending
  std::filesystem::path photo;  // empty: `embedded` gives the file's bytes
  std::function<std::vector<std::byte>()> embedded = {};
  std::string split = {};  // as the source says: train, val, test, ...; empty: it does not
  std::function<LabelMap(const PhotoFrame&)> draw;
};

// Names a photo or an annotation that takes no part.
struct LeftOutItem {
  std::string name;
  std::string why;
  bool is_failure = true;  // false: the source says that it has no labels
};

// Holds all annotations of a source.
struct LabelSource {
  std::vector<std::string> classes;  // without background
  std::vector<SourceItem> items;
  std::vector<LeftOutItem> left_out;
  std::vector<std::string> notes;  // what the user should know: "3 lines and points have no area"
};

// One way of storing labels.
struct LabelFormat {
  std::string_view name;     // what the user types
  std::string_view meaning;  // for messages: "LabelMe's JSON files"
  // Whether the source holds files of this kind. May look into some of them.
  bool (*recognise)(const SourceFiles& files);
  // Reads the annotations. `class_list` is the user's own list of classes or colours, where there
  // is one (see label_formats/class_colours.h). Throws Error(kBadInput) when nothing can be read.
  LabelSource (*open)(const SourceFiles& files, const std::filesystem::path& class_list);
};

// Returns all formats; each is in a file of its own.
const std::vector<LabelFormat>& label_formats();

// Returns "auto" and the names of the formats.
std::vector<std::string> label_format_names();

// Returns the format called `name`, or for "auto" the one that recognises the files. Throws Error:
// kUsage for an unknown name, kBadInput when none or several fit.
const LabelFormat& find_label_format(const SourceFiles& files, const std::string& name);

// --- What the formats share ---

// Draws in the frame in which a tool saw the photo, of size `seen` (0 x 0: it does not say), and
// turns the result upright. Tools show photos upright; some forget to. Throws Error(kBadInput)
// when the size is neither that of the upright photo nor that of the stored one.
LabelMap draw_in_frame(const PhotoFrame& photo, Size seen,
                       const std::function<LabelMap(Size)>& draw);

// A map that is unlabelled everywhere.
LabelMap unlabelled_map(Size size);

// The label map itself, as draw_in_frame would have it.
LabelMap fit_to_frame(const PhotoFrame& photo, LabelMap map);

// The split that a folder's or a list's name stands for: valid and validation are val, training is
// train, testing is test; others as they are.
std::string usual_split(std::string_view name);

}  // namespace tagclip

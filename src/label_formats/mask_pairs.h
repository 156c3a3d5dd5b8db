#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "label_formats/class_colours.h"
#include "label_formats/class_names.h"
#include "label_formats/label_source.h"

namespace tagclip {

// What all formats share that store the classes as pictures.

// Maps a picture's pixels to classes.
struct MaskCoding {
  std::map<Colour, uint16_t> by_colour;   // not empty: the colours count
  std::map<uint16_t, uint16_t> by_value;  // of palette or grey pictures; 255 is void without it
};

// `names` collects the classes of `list`.
MaskCoding coding_of(const std::vector<MaskClass>& list, const std::filesystem::path& path,
                     ClassNames& names);

// Reads a picture as a map of classes. Throws Error(kBadInput): unreadable, larger than `limits`, a
// JPEG, a colour or value that is none of the coding's (with its share and first place).
LabelMap read_mask(const std::filesystem::path& mask, const MaskCoding& coding,
                   const ImageLimits& limits);

// Where the masks of 0 and 255 mean two classes, 255 becomes the second of them, or the only one:
// nobody means a set in which all but one class is void. Looks into some of the masks.
void explain_255(const std::vector<std::string>& masks, const SourceFiles& files,
                 MaskCoding& coding, std::vector<std::string>& notes);

// A mask and what it is called after: its name without what only says that it is a mask.
struct MaskFile {
  std::string file;
  std::string name;  // "b" of masks/site/b_mask.png
};

// Finds a source's masks: in a folder such as masks/ or SegmentationClass/, or called NAME_mask.
std::vector<MaskFile> find_masks(const SourceFiles& files);

// Adds one item per mask, with the only photo of its name, or the one in the same folders. Left out
// are masks without a photo, and photos without a mask.
void pair_masks(const SourceFiles& files, const std::vector<MaskFile>& masks,
                const MaskCoding& coding, LabelSource& source);

}  // namespace tagclip

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/class_words.h"

namespace tagclip {

using NameList = std::span<const std::string_view>;

// Class names in the order of the data sets' labels, without "background".
NameList voc_classes();          // PASCAL VOC 2012, 20
NameList context_classes();      // PASCAL Context, the 59 of mmsegmentation, alphabetically
NameList coco_stuff_classes();   // COCO-Stuff 164K, 171: 80 things, 91 kinds of stuff
NameList coco_object_classes();  // its things
NameList ade20k_classes();       // the scene parsing benchmark, 150, first words

// Classes that published work hides from training on a data set.
struct UnseenSplit {
  std::string_view name;
  NameList classes;
};
const std::vector<UnseenSplit>& unseen_splits();

// The built-in split of that name, nullptr when there is none.
const UnseenSplit* find_unseen_split(std::string_view name);

// Classes of one word each.
std::vector<ClassWords> as_classes(const std::vector<std::string>& names);

// Marks the `classes` that are seen, given those that are not (DatasetOptions::unseen; not empty):
// by a name or a synonym, or by an index. A word that is a class wins over a file of its name.
// Throws an Error that names the entry, its place and the nearest class: kBadInput for a list file,
// kUsage otherwise.
std::vector<bool> seen_classes(const std::string& unseen, const std::vector<ClassWords>& classes);

}  // namespace tagclip

#pragma once

#include <span>
#include <string_view>

namespace tagclip {

using NameList = std::span<const std::string_view>;

// Class names in the order of the data sets' labels, without "background".
NameList voc_classes();         // PASCAL VOC 2012, 20
NameList context_classes();     // PASCAL Context, the 59 of mmsegmentation, alphabetically
NameList coco_stuff_classes();  // COCO-Stuff 164K, 171: 80 things, 91 kinds of stuff

}  // namespace tagclip

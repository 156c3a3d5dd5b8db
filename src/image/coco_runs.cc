#include "image/coco_runs.h"

namespace tagclip {

std::string pack_runs(std::span<const uint32_t> runs) {
  // Groups of five bits, lowest first, with a sixth where more follow; from the fourth run on the
  // difference to the last but one.
  constexpr int kFirst = 48, kMore = 0x20, kSign = 0x10, kBits = 5, kGroup = 0x1F;
  std::string text;
  for (size_t i = 0; i < runs.size(); ++i) {
    int64_t number = runs[i];
    if (i > 2) number -= runs[i - 2];
    for (bool more = true; more;) {
      int group = static_cast<int>(number & kGroup);
      number >>= kBits;
      more = (group & kSign) != 0 ? number != -1 : number != 0;
      if (more) group |= kMore;
      text += static_cast<char>(group + kFirst);
    }
  }
  return text;
}

}  // namespace tagclip

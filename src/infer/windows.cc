#include "infer/windows.h"

#include <algorithm>

#include "base/error.h"

namespace tagclip {
namespace {

std::vector<int> starts(int length, int window, int stride) {
  std::vector<int> result;
  int64_t at = 0;
  for (; at + window < length; at += stride) result.push_back(static_cast<int>(at));
  result.push_back(std::max(0, length - window));
  return result;
}

}  // namespace

std::vector<CropBox> window_grid(Size picture, int window, int stride) {
  TAGCLIP_CHECK(window > 0 && stride > 0, "windows have a size and a stride");
  std::vector<CropBox> boxes;
  for (const int y : starts(picture.height, window, stride)) {
    for (const int x : starts(picture.width, window, stride)) {
      boxes.push_back({x, y, std::min(window, picture.width), std::min(window, picture.height)});
    }
  }
  return boxes;
}

WindowLayout layout_of(const std::vector<CropBox>& windows, Size picture) {
  WindowLayout layout{.resized = {picture.height, picture.width},
                      .window = {windows.at(0).height, windows.at(0).width}};
  for (const CropBox& box : windows) {
    TAGCLIP_CHECK(box.width == windows[0].width && box.height == windows[0].height,
                  "windows of one size");
    layout.corners.push_back({box.y, box.x});
  }
  return layout;
}

}  // namespace tagclip

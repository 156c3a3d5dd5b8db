#include "outputs/regions.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <queue>
#include <utility>

#include "base/check.h"

namespace tagclip {
namespace {

// Numbers that stand for sets, which can be joined.
class DisjointSets {
 public:
  uint32_t add() {
    parents_.push_back(static_cast<uint32_t>(parents_.size()));
    return parents_.back();
  }
  // The smallest number of the set.
  uint32_t root(uint32_t number) {
    while (parents_[number] != number) {
      parents_[number] = parents_[parents_[number]];
      number = parents_[number];
    }
    return number;
  }
  void join(uint32_t a, uint32_t b) {
    a = root(a), b = root(b);
    parents_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<uint32_t> parents_;
};

// Numbers the connected parts of all classes in the order of their first pixels, from 1; 0 is
// unlabelled. Returns their count.
uint32_t number_parts(const LabelMap& map, std::vector<uint32_t>& part,
                      uint16_t left_out = kIgnoreIndex) {
  DisjointSets sets;
  sets.add();  // of the unlabelled pixels
  part.assign(map.size(), 0);
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      const size_t i = static_cast<size_t>(y) * map.width + x;
      const uint16_t label = map.labels[i];
      if (label == kIgnoreIndex || label == left_out) continue;
      const auto look = [&](bool exists, size_t neighbour) {
        if (!exists || map.labels[neighbour] != label) return;
        if (part[i] == 0) {
          part[i] = part[neighbour];
        } else {
          sets.join(part[i], part[neighbour]);
        }
      };
      const size_t above = i - map.width;
      look(x > 0, i - 1);
      look(y > 0 && x > 0, above - 1);
      look(y > 0, above);
      look(y > 0 && x + 1 < map.width, above + 1);
      if (part[i] == 0) part[i] = sets.add();
    }
  }
  std::vector<uint32_t> number;  // of a root
  uint32_t count = 0;
  for (uint32_t& p : part) {
    if (p == 0) continue;
    p = sets.root(p);
    if (p >= number.size()) number.resize(p + 1);
    if (number[p] == 0) number[p] = ++count;
    p = number[p];
  }
  return count;
}

uint64_t pair_key(uint32_t a, uint32_t b) { return (static_cast<uint64_t>(a) << 32) | b; }

// A connected part with the lengths of its borders to others, in pixels' sides.
struct Part {
  uint16_t label = 0;
  int64_t area = 0;
  std::map<uint32_t, int64_t> borders;
};

std::vector<Part> parts_with_borders(const LabelMap& map, const std::vector<uint32_t>& part,
                                     uint32_t count) {
  std::vector<Part> parts(count + 1);
  std::vector<uint64_t> touching;
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      const size_t i = static_cast<size_t>(y) * map.width + x;
      parts[part[i]].label = map.labels[i];
      ++parts[part[i]].area;
      for (const size_t next :
           {x + 1 < map.width ? i + 1 : i, y + 1 < map.height ? i + map.width : i}) {
        if (part[next] != part[i]) touching.push_back(pair_key(part[i], part[next]));
      }
    }
  }
  for (const uint64_t key : touching) {
    const auto a = static_cast<uint32_t>(key >> 32), b = static_cast<uint32_t>(key);
    ++parts[a].borders[b];
    ++parts[b].borders[a];
  }
  return parts;
}

}  // namespace

Regions find_regions(const LabelMap& labels, bool instances, uint16_t left_out) {
  Regions regions{labels.width, labels.height, {}, {}};
  uint32_t count = 0;
  if (instances) {
    count = number_parts(labels, regions.of_pixel, left_out);
  } else {
    regions.of_pixel.resize(labels.size());
    for (size_t i = 0; i < labels.size(); ++i) {
      const uint16_t label = labels.labels[i];
      if (label == kIgnoreIndex || label == left_out) continue;
      regions.of_pixel[i] = label + 1U;
      count = std::max(count, label + 1U);
    }
  }
  std::vector<LabelRegion> found(count + 1);
  for (int y = 0; y < labels.height; ++y) {
    for (int x = 0; x < labels.width; ++x) {
      const size_t i = static_cast<size_t>(y) * labels.width + x;
      if (regions.of_pixel[i] == 0) continue;
      LabelRegion& region = found[regions.of_pixel[i]];
      const bool first = region.area++ == 0;
      const int right = first ? x + 1 : std::max(region.left + region.width, x + 1);
      region.label = labels.labels[i];
      region.left = first ? x : std::min(region.left, x);
      region.top = first ? y : region.top;
      region.width = right - region.left;
      region.height = y + 1 - region.top;
    }
  }
  std::vector<uint32_t> order;
  for (uint32_t p = 1; p <= count; ++p) {
    if (found[p].area > 0) order.push_back(p);
  }
  std::ranges::stable_sort(order, {}, [&](uint32_t p) { return found[p].label; });
  std::vector<uint32_t> place(count + 1);
  for (const uint32_t p : order) {
    regions.all.push_back(found[p]);
    place[p] = static_cast<uint32_t>(regions.all.size());
  }
  for (uint32_t& p : regions.of_pixel) p = place[p];
  return regions;
}

void set_mean_scores(const std::vector<float>& scores, Regions& regions) {
  TAGCLIP_CHECK_EQ(scores.size(), regions.of_pixel.size(), "a score per pixel");
  std::vector<double> sums(regions.all.size() + 1);
  for (size_t i = 0; i < scores.size(); ++i) sums[regions.of_pixel[i]] += scores[i];
  for (size_t r = 0; r < regions.all.size(); ++r) {
    regions.all[r].score = sums[r + 1] / static_cast<double>(regions.all[r].area);
  }
}

RegionMask mask_of(const Regions& regions, size_t index) {
  const LabelRegion& region = regions.all.at(index);
  RegionMask mask{region.left, region.top, region.width, region.height, {}};
  mask.inside.reserve(static_cast<size_t>(mask.width) * mask.height);
  for (int y = 0; y < mask.height; ++y) {
    const size_t row = static_cast<size_t>(mask.top + y) * regions.width + mask.left;
    for (int x = 0; x < mask.width; ++x) {
      mask.inside.push_back(regions.of_pixel[row + x] == index + 1 ? 1 : 0);
    }
  }
  return mask;
}

void merge_small_regions(int64_t min_pixels, LabelMap& labels) {
  std::vector<uint32_t> part;
  const uint32_t count = number_parts(labels, part);
  std::vector<Part> parts = parts_with_borders(labels, part, count);
  DisjointSets sets;
  for (uint32_t p = 0; p <= count; ++p) sets.add();

  using Entry = std::pair<int64_t, uint32_t>;  // area and part, smallest first
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> small;
  for (uint32_t p = 1; p <= count; ++p) {
    if (parts[p].area < min_pixels) small.emplace(parts[p].area, p);
  }
  while (!small.empty()) {
    const auto [area, p] = small.top();
    small.pop();
    if (sets.root(p) != p || parts[p].area != area) continue;  // it has grown meanwhile
    std::map<uint16_t, int64_t> length;                        // of the border to each class
    std::map<uint32_t, int64_t> borders;                       // to what the parts are now
    for (const auto& [other, sides] : parts[p].borders) {
      const uint32_t now = sets.root(other);
      if (now == p) continue;
      borders[now] += sides;
      if (now != 0) length[parts[now].label] += sides;
    }
    if (length.empty()) continue;
    const uint16_t label =
        std::ranges::max_element(length, {}, [](const auto& entry) { return entry.second; })->first;
    // It joins all its neighbours of that class, which become one part.
    uint32_t whole = p;
    Part joined{label, parts[p].area, std::move(borders)};
    std::vector<uint32_t> members;
    for (const auto& [now, sides] : joined.borders) {
      if (now != 0 && parts[now].label == label) members.push_back(now);
    }
    for (const uint32_t member : members) {
      joined.area += parts[member].area;
      for (const auto& [other, sides] : parts[member].borders) joined.borders[other] += sides;
      parts[member] = {};
      sets.join(whole, member);
      whole = sets.root(whole);
    }
    parts[p] = {};
    if (joined.area < min_pixels) small.emplace(joined.area, whole);
    parts[whole] = std::move(joined);
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    if (part[i] != 0) labels.labels[i] = parts[sets.root(part[i])].label;
  }
}

void drop_small_regions(int64_t min_pixels, uint16_t instead, LabelMap& labels) {
  std::vector<uint32_t> part;
  std::vector<int64_t> area(number_parts(labels, part) + 1);
  for (const uint32_t p : part) ++area[p];
  for (size_t i = 0; i < labels.size(); ++i) {
    if (part[i] != 0 && area[part[i]] < min_pixels) labels.labels[i] = instead;
  }
}

}  // namespace tagclip

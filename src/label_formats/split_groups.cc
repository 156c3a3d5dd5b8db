#include "label_formats/split_groups.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <numeric>
#include <random>
#include <set>
#include <utility>

#include "data_check/parallel_for.h"

namespace tagclip {
namespace {

size_t root_of(std::vector<size_t>& parents, size_t i) {
  while (parents[i] != i) i = parents[i] = parents[parents[i]];
  return i;
}

// A group of photos: how many it has of each class.
struct PhotoGroup {
  size_t photos = 0;
  std::map<uint16_t, size_t> classes;
};

std::vector<PhotoGroup> gather(const std::vector<size_t>& groups,
                               const std::vector<std::vector<uint16_t>>& classes) {
  std::vector<PhotoGroup> gathered(groups.empty() ? 0 : std::ranges::max(groups) + 1);
  for (size_t i = 0; i < groups.size(); ++i) {
    PhotoGroup& group = gathered[groups[i]];
    ++group.photos;
    for (const uint16_t c : classes[i]) ++group.classes[c];
  }
  return gathered;
}

// Distributes groups between training and validation, the classes of fewest groups first
// (Sechidis et al., On the Stratification of Multi-Label Data, 2011).
class Stratification {
 public:
  Stratification(std::vector<PhotoGroup> groups, double share, uint64_t seed)
      : groups_(std::move(groups)), chosen_(groups_.size()), placed_(groups_.size()) {
    order_.resize(groups_.size());
    std::iota(order_.begin(), order_.end(), size_t{0});
    std::mt19937_64 random(seed);
    for (size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random() % i]);
    for (const PhotoGroup& group : groups_) {
      photos_wanted_ += share * static_cast<double>(group.photos);
      for (const auto& [c, count] : group.classes) {
        wanted_[c] += share * static_cast<double>(count);
        ++groups_of_[c];
      }
    }
  }

  std::vector<bool> run() {
    std::vector<std::pair<size_t, uint16_t>> rarest;
    for (const auto& [c, count] : groups_of_) rarest.emplace_back(count, c);
    std::ranges::sort(rarest);
    for (const auto& [count, c] : rarest) place_class(c, count);
    for (const size_t i : order_) place(i, photos_wanted_ >= groups_[i].photos / 2.0);
    return chosen_;
  }

 private:
  void place_class(uint16_t c, size_t count) {
    for (const size_t i : order_) {
      const auto own = groups_[i].classes.find(c);
      if (placed_[i] || own == groups_[i].classes.end()) continue;
      // A class of two groups or more is to be learnt and measured.
      const bool is_first = count > 1 && !measured_.contains(c);
      const bool fits = photos_wanted_ >= groups_[i].photos / 2.0;
      place(i, count > 1 && fits && (is_first || wanted_[c] >= own->second / 2.0));
    }
  }

  void place(size_t i, bool into_validation) {
    if (placed_[i]) return;
    placed_[i] = true;
    chosen_[i] = into_validation;
    if (!into_validation) return;
    photos_wanted_ -= static_cast<double>(groups_[i].photos);
    for (const auto& [c, count] : groups_[i].classes) {
      wanted_[c] -= static_cast<double>(count);
      measured_.insert(c);
    }
  }

  std::vector<PhotoGroup> groups_;
  std::vector<size_t> order_;  // drawn
  std::vector<bool> chosen_, placed_;
  std::map<uint16_t, double> wanted_;  // photos of a class that validation still lacks
  std::map<uint16_t, size_t> groups_of_;
  std::set<uint16_t> measured_;
  double photos_wanted_ = 0;
};

}  // namespace

std::vector<size_t> near_duplicate_groups(const std::vector<ImageHash>& hashes) {
  std::vector<std::pair<size_t, size_t>> pairs;
  std::mutex mutex;
  std::vector<uint64_t> dhashes;  // dense: all pairs are compared
  for (const ImageHash& hash : hashes) dhashes.push_back(hash.dhash);
  const auto compare = [&](size_t j) {
    for (size_t i = 0; i < j; ++i) {
      if (!may_be_duplicates(dhashes[i], hashes[j])) continue;
      if (!are_near_duplicates(hashes[i], hashes[j])) continue;
      const std::lock_guard lock(mutex);
      pairs.emplace_back(i, j);
    }
  };
  parallel_for(hashes.size(), compare, [](size_t) { return true; });
  std::vector<size_t> parents(hashes.size());
  std::iota(parents.begin(), parents.end(), size_t{0});
  std::ranges::sort(pairs);
  for (const auto& [i, j] : pairs) {
    const size_t a = root_of(parents, i), b = root_of(parents, j);
    parents[std::max(a, b)] = std::min(a, b);
  }
  std::vector<size_t> groups(hashes.size());
  std::map<size_t, size_t> numbers;
  for (size_t i = 0; i < groups.size(); ++i) {
    groups[i] = numbers.emplace(root_of(parents, i), numbers.size()).first->second;
  }
  return groups;
}

std::vector<bool> choose_validation(const std::vector<size_t>& groups,
                                    const std::vector<std::vector<uint16_t>>& classes, double share,
                                    uint64_t seed) {
  const auto by_group = Stratification(gather(groups, classes), share, seed).run();
  std::vector<bool> chosen(groups.size());
  for (size_t i = 0; i < groups.size(); ++i) chosen[i] = by_group[groups[i]];
  return chosen;
}

}  // namespace tagclip

#include "data_check/label_census.h"

namespace tagclip {
namespace {

// 255 in files of 8 bits and, where no class is called so, of 16.
bool is_void(int value) { return value == kIgnore || value == 255; }

void add(Count& count, uint64_t pixels, const std::string& name) {
  if (count.files++ == 0) count.first = name;
  count.pixels += pixels;
}

double ratio(uint64_t part, uint64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

}  // namespace

double ValueCensus::share(int value) const {
  const auto count = values.find(value);
  return count == values.end() ? 0 : ratio(count->second.pixels, pixels);
}

double ValueCensus::void_share() const { return ratio(void_pixels.pixels, pixels); }

void add_values(ValueCensus& census, const std::vector<LabelledFile>& pairs,
                const std::vector<PairFacts>& facts, size_t label_files) {
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].label_files != label_files) continue;
    for (const auto& [value, pixels] : facts[i].values) {
      add(is_void(value) ? census.void_pixels : census.values[value], pixels, pairs[i].name);
      census.pixels += pixels;
    }
  }
}

ClassCensus count_classes(const DatasetInfo& info, const std::vector<LabelledFile>& pairs,
                          const std::vector<PairFacts>& facts) {
  ClassCensus census{std::vector<Count>(info.classes.size())};
  for (size_t i = 0; i < pairs.size(); ++i) {
    const LabelMapping& mapping = info.mappings[pairs[i].label_files];
    for (const auto& [value, pixels] : facts[i].values) {
      census.pixels += pixels;
      const int label = mapping[value];
      if (label == kIgnore || label == LabelMapping::kNoClass) continue;
      add(census.classes[label], pixels, pairs[i].name);
      census.labelled += pixels;
    }
  }
  return census;
}

}  // namespace tagclip

// Photos that are in two splits: validation would ask for what training has shown.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "data/parallel_for.h"
#include "data_check/split_findings.h"

namespace tagclip {
namespace {

using Names = std::vector<std::string>;

// "a = b" for each photo of `a` that looks like one of `b`; those of one name do not count.
Names copies_between(const CheckedSplit& a, const CheckedSplit& b) {
  // By themselves they stay in the cache: COCO's are compared half a billion times.
  std::vector<uint64_t> hashes;
  for (const PairFacts& facts : a.facts) hashes.push_back(facts.print.hash);
  std::vector<std::string> copy_of(b.facts.size());
  const auto find_copy = [&](size_t j) {
    const PhotoPrint& print = b.facts[j].print;
    if (!b.facts[j].photo_error.empty()) return;
    for (size_t i = 0; i < hashes.size(); ++i) {
      if (!may_be_copies(hashes[i], print) || !a.facts[i].photo_error.empty()) continue;
      const std::string& name = a.files.pairs[i].name;
      if (name == b.files.pairs[j].name || !are_copies(a.facts[i].print, print)) continue;
      copy_of[j] = name;
      return;
    }
  };
  parallel_for(b.facts.size(), find_copy, [](size_t) { return true; });
  Names names;
  for (size_t j = 0; j < copy_of.size(); ++j) {
    if (!copy_of[j].empty()) {
      names.push_back(fmt::format("{} = {}", copy_of[j], b.files.pairs[j].name));
    }
  }
  return names;
}

Names shared_names(const CheckedSplit& a, const CheckedSplit& b) {
  std::unordered_set<std::string> known;
  for (const LabelledFile& pair : a.files.pairs) known.insert(pair.name);
  Names names;
  for (const LabelledFile& pair : b.files.pairs) {
    if (known.contains(pair.name)) names.push_back(pair.name);
  }
  return names;
}

}  // namespace

void find_copies(const std::vector<CheckedSplit>& splits, std::vector<Finding>& findings) {
  const auto add = [&](const char* code, const CheckedSplit& a, const CheckedSplit& b,
                       const char* what, const Names& names) {
    if (names.empty()) return;
    findings.push_back(
        {Severity::kWarning, code,
         fmt::format("{} photo{} of {} {} {}: {}", names.size(), names.size() == 1 ? "" : "s",
                     b.name, what, a.name, some_of(names)),
         "scores would be too good: keep each in one of the lists"});
  };
  for (size_t a = 0; a < splits.size(); ++a) {
    for (size_t b = a + 1; b < splits.size(); ++b) {
      add("shared-between-splits", splits[a], splits[b], "also in",
          shared_names(splits[a], splits[b]));
      add("near-duplicates", splits[a], splits[b], "nearly the same as one of",
          copies_between(splits[a], splits[b]));
    }
  }
}

}  // namespace tagclip

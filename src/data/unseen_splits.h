#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/builtin_classes.h"

namespace tagclip {

// Classes that published work hides from training on a data set.
struct UnseenSplit {
  std::string_view name;
  NameList classes;
};
const std::vector<UnseenSplit>& unseen_splits();

// The built-in split of that name, nullptr when there is none.
const UnseenSplit* find_unseen_split(std::string_view name);

// Which of `classes` are seen, as `unseen` says (DatasetOptions::unseen; not empty). Throws an
// Error that names the entry, where it stands and the nearest name: kBadInput for a list file,
// kUsage otherwise.
std::vector<bool> seen_classes(const std::string& unseen, const std::vector<std::string>& classes);

}  // namespace tagclip

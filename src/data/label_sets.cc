#include "data/label_sets.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> parts_of(const std::string& folder) {
  std::vector<std::string> parts;
  for (const fs::path& part : fs::path(folder).lexically_normal()) {
    if (!part.empty()) parts.push_back(part.string());
  }
  return parts;
}

// The last `count` parts with slashes between them.
std::string tail(const std::vector<std::string>& parts, size_t count) {
  count = std::min(count, parts.size());
  return fmt::format("{}",
                     fmt::join(parts.end() - static_cast<ptrdiff_t>(count), parts.end(), "/"));
}

}  // namespace

LabelSets::LabelSets(const std::vector<LabelSetOptions>& sets, const std::string& split,
                     const std::vector<ListedClass>& synonyms, const std::string& unseen,
                     MissingFiles missing) {
  std::vector<size_t> photos;
  for (const LabelSetOptions& set : sets) {
    entries_.push_back({.name = set.name, .data = Dataset(set.data, split, missing), .seen = {}});
    photos.push_back(entries_.back().data.size());
  }
  classes_ = join_classes(infos(), synonyms);
  if (!unseen.empty()) {
    const std::vector<bool> others = seen_classes(unseen, classes_.words);
    for (size_t c = 0; c < others.size(); ++c) classes_.seen[c] = classes_.seen[c] && others[c];
  }
  const std::vector<double> shares = shares_of(sets, photos);
  for (size_t s = 0; s < size(); ++s) {
    entries_[s].share = shares[s];
    entries_[s].seen = classes_.seen_in(s);
  }
}

std::vector<std::string> LabelSets::class_names() const {
  std::vector<std::string> names;
  for (const ClassWords& entry : classes_.words) names.push_back(entry.name());
  return names;
}

std::vector<const DatasetInfo*> LabelSets::infos() const {
  std::vector<const DatasetInfo*> infos;
  for (const Entry& entry : entries_) infos.push_back(&entry.data.info());
  return infos;
}

std::string LabelSets::photo_name(size_t set, size_t photo) const {
  const Entry& entry = entries_[set];
  return (single() ? "" : entry.name + "/") + entry.data.name(photo);
}

size_t LabelSets::photos() const {
  size_t photos = 0;
  for (const Entry& entry : entries_) photos += entry.data.size();
  return photos;
}

std::vector<double> shares_of(const std::vector<LabelSetOptions>& sets,
                              const std::vector<size_t>& photos) {
  double given = 0, roots = 0;
  for (size_t s = 0; s < sets.size(); ++s) {
    if (sets[s].share) {
      given += *sets[s].share;
    } else {
      roots += std::sqrt(static_cast<double>(photos[s]));
    }
  }
  if (roots > 0 && given >= 1) {
    throw usage_error(fmt::format("share: the data sets that have one take {:g} of the steps, "
                                  "which leaves the others nothing",
                                  given),
                      "lower them to less than 1 together, or give every set a share");
  }
  std::vector<double> shares;
  for (size_t s = 0; s < sets.size(); ++s) {
    if (roots == 0) {
      shares.push_back(*sets[s].share / given);
    } else {
      shares.push_back(
          sets[s].share.value_or((1 - given) * std::sqrt(static_cast<double>(photos[s])) / roots));
    }
  }
  return shares;
}

std::vector<std::string> names_of_folders(const std::vector<std::string>& folders) {
  std::vector<std::vector<std::string>> parts;
  for (const std::string& folder : folders) parts.push_back(parts_of(folder));
  std::vector<std::string> names;
  for (size_t i = 0; i < folders.size(); ++i) {
    size_t count = 1;
    const auto is_shared = [&] {
      for (size_t j = 0; j < folders.size(); ++j) {
        if (j == i || tail(parts[j], count) != tail(parts[i], count)) continue;
        if (parts[j] == parts[i]) {
          throw usage_error(fmt::format("the data set {} is given twice", folders[i]));
        }
        return true;
      }
      return false;
    };
    while (is_shared()) ++count;
    names.push_back(tail(parts[i], count));
  }
  return names;
}

}  // namespace tagclip

#include "data/joined_classes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "data/class_lists.h"
#include "text/same_words.h"

namespace tagclip {
namespace {

// A class of a set.
struct Member {
  size_t set, index;
};

// The classes and groups of synonyms that share words, directly or through each other.
struct Component {
  std::vector<Member> members;  // in the order of the sets
  std::vector<std::string> words;
  std::set<std::string> spellings;
};

class Joiner {
 public:
  explicit Joiner(std::span<const DatasetInfo* const> sets) : sets_(sets) {}

  void add(const std::vector<std::string>& words, std::optional<Member> member) {
    size_t target = components_.size();
    for (const std::string& word : words) {
      const auto known = component_of_.find(spelling(word));
      if (known != component_of_.end()) target = std::min(target, known->second);
    }
    if (target == components_.size()) components_.emplace_back();
    for (const std::string& word : words) {
      const auto known = component_of_.find(spelling(word));
      if (known != component_of_.end() && known->second != target) merge(known->second, target);
    }
    Component& component = components_[target];
    if (member) component.members.push_back(*member);
    // The words of one class stay as its list has them.
    const std::set<std::string> before = component.spellings;
    for (const std::string& word : words) {
      std::string spelt = spelling(word);
      component_of_[spelt] = target;
      component.spellings.insert(spelt);
      if (!before.contains(spelt)) component.words.push_back(word);
    }
    check(component);
  }

  // Components of classes, in the order of their first ones.
  std::vector<Component> take() {
    std::erase_if(components_, [](const Component& c) { return c.members.empty(); });
    return std::move(components_);
  }

 private:
  void merge(size_t from, size_t into) {
    Component moved = std::move(components_[from]);
    components_[from] = {};
    Component& target = components_[into];
    target.members.insert(target.members.end(), moved.members.begin(), moved.members.end());
    std::ranges::stable_sort(target.members, {}, &Member::set);
    target.words.insert(target.words.end(), moved.words.begin(), moved.words.end());
    target.spellings.merge(moved.spellings);
    for (auto& [spelt, component] : component_of_) {
      if (component == from) component = into;
    }
  }

  std::string describe(const Member& member) const {
    const DatasetInfo& set = *sets_[member.set];
    return fmt::format("{} of {}",
                       in_quotes(fmt::format("{}", fmt::join(set.words[member.index].words, ", "))),
                       set.folder.string());
  }

  void check(const Component& component) const {
    const auto& members = component.members;
    for (size_t i = 0; i < members.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (members[i].set != members[j].set) continue;
        throw bad_input(
            fmt::format(
                "{} and {} are two classes, but words that the data sets and synonyms share "
                "make them one: {}",
                describe(members[j]), describe(members[i]), fmt::join(component.words, ", ")),
            "a word may stand for one class only: take it out of the class list or the synonyms "
            "where it joins the two");
      }
    }
  }

  std::span<const DatasetInfo* const> sets_;
  std::vector<Component> components_;  // emptied where they were merged into others
  std::map<std::string, size_t> component_of_;
};

// Names that published sets use for the same class. They join no classes by themselves: in a set of
// one's own a plane may be a tool.
const std::vector<std::vector<std::string>>& published_names() {
  static const std::vector<std::vector<std::string>> names = {
      {"aeroplane", "airplane", "plane"},
      {"bicycle", "bike"},
      {"cow", "cattle"},
      {"diningtable", "dining table"},
      {"motorbike", "motorcycle"},
      {"person", "people", "pedestrian"},
      {"pottedplant", "potted plant"},
      {"sofa", "couch"},
      {"tvmonitor", "tv", "television", "tv monitor"}};
  return names;
}

// A spelling by which names of published sets are compared: "potted plant" is pottedplant.
std::string published_key(const std::string& word) {
  std::string spelt = spelling(word);
  for (const auto& group : published_names()) {
    const auto same = [&](const std::string& name) { return spelling(name) == spelt; };
    if (std::ranges::any_of(group, same)) return spelling(group.front());
  }
  return spelt;
}

std::vector<Component> components_of(std::span<const DatasetInfo* const> sets,
                                     std::span<const ListedClass> synonyms) {
  Joiner joiner(sets);
  for (size_t s = 0; s < sets.size(); ++s) {
    for (size_t c = 0; c < sets[s]->words.size(); ++c) {
      joiner.add(sets[s]->words[c].words, Member{s, c});
    }
  }
  for (const ListedClass& group : synonyms) joiner.add(group.words, {});
  return joiner.take();
}

bool is_seen(std::span<const DatasetInfo* const> sets, const Member& member) {
  return sets[member.set]->seen[member.index];
}

const std::string& name_of(std::span<const DatasetInfo* const> sets, const Member& member) {
  return sets[member.set]->classes[member.index];
}

}  // namespace

std::vector<bool> JoinedClasses::seen_in(size_t set) const {
  std::vector<bool> result;
  for (const int64_t index : of_set[set]) result.push_back(seen[index]);
  return result;
}

JoinedClasses join_classes(std::span<const DatasetInfo* const> sets,
                           std::span<const ListedClass> synonyms) {
  JoinedClasses joined;
  for (const DatasetInfo* set : sets) joined.of_set.emplace_back(set->words.size());
  for (const Component& component : components_of(sets, synonyms)) {
    bool seen = true;
    for (const Member& member : component.members) {
      joined.of_set[member.set][member.index] = std::ssize(joined.words);
      seen = seen && is_seen(sets, member);
    }
    joined.words.push_back({component.words});
    joined.seen.push_back(seen);
  }
  return joined;
}

std::vector<HiddenAndLabelled> hidden_and_labelled(std::span<const DatasetInfo* const> sets,
                                                   std::span<const ListedClass> synonyms) {
  const std::vector<Component> components = components_of(sets, synonyms);
  std::vector<HiddenAndLabelled> found;
  const auto compare = [&](const Component& a, const Component& b, bool same) {
    for (const Member& hidden : a.members) {
      if (is_seen(sets, hidden)) continue;
      for (const Member& labelled : b.members) {
        if (labelled.set == hidden.set || !is_seen(sets, labelled)) continue;
        found.push_back(
            {hidden.set, labelled.set, name_of(sets, hidden), name_of(sets, labelled), same});
      }
    }
  };
  std::vector<std::set<std::string>> keys;
  for (const Component& component : components) {
    keys.emplace_back();
    for (const std::string& word : component.words) keys.back().insert(published_key(word));
  }
  for (size_t a = 0; a < components.size(); ++a) {
    compare(components[a], components[a], true);
    for (size_t b = 0; b < components.size(); ++b) {
      const bool common = std::ranges::any_of(
          keys[a], [&](const std::string& key) { return keys[b].contains(key); });
      if (a != b && common) compare(components[a], components[b], false);
    }
  }
  std::ranges::stable_sort(found, {}, &HiddenAndLabelled::hiding);
  return found;
}

}  // namespace tagclip

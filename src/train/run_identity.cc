#include "train/run_identity.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/text.h"
#include "clip/fingerprint.h"

namespace tagclip {
namespace {

constexpr const char* kPhotos = "tagclip.train.photos";
constexpr const char* kStart = "tagclip.train.start";
constexpr const char* kShares = "tagclip.train.shares";

using Names = std::vector<std::string>;

// Names with line breaks between them. Metadata are UTF-8, which names of files need not be.
std::string joined(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  return is_utf8(text) ? text : nlohmann::json::parse(json_text(text)).get<std::string>();
}

Names lines_of(const std::string& text) {
  Names names;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

std::vector<double> stored_shares(const Checkpoint& checkpoint) {
  if (!checkpoint.metadata.contains(kShares)) return {};  // a single data set
  std::vector<double> shares;
  for (const std::string& line : lines_of(stored_text(checkpoint, kShares))) {
    const auto share = parse_number<double>(line);
    if (!share)
      throw bad_input(checkpoint.path.string() + ": the shares of the data sets are damaged");
    shares.push_back(*share);
  }
  return shares;
}

class Differences {
 public:
  void add(std::string text) {
    constexpr size_t kShown = 4;
    if (texts_.size() < kShown) {
      texts_.push_back(std::move(text));
    } else {
      ++more_;
    }
  }
  // `what` of a list: "class", "prompt template". Entries are counted from `first`.
  void compare(const Names& before, const Names& now, const std::string& what,
               const std::string& plural, size_t first) {
    if (before.size() != now.size()) {
      add(fmt::format("there were {} {}, there are {}", before.size(), plural, now.size()));
    }
    for (size_t i = 0; i < std::min(before.size(), now.size()); ++i) {
      if (before[i] != now[i]) {
        add(fmt::format("{} {} was {}, is {}", what, i + first, before[i], now[i]));
      }
    }
  }

  Names words() const {
    Names all = texts_;
    if (more_ > 0) all.push_back(fmt::format("and {} more", more_));
    return all;
  }

 private:
  Names texts_;
  size_t more_ = 0;
};

const char* of_flag(bool flag, const char* yes, const char* no) { return flag ? yes : no; }

Names synonyms_of(const TrainedOn& trained_on, size_t c) {
  return c < trained_on.synonyms.size() ? trained_on.synonyms[c] : Names();
}

// Several data sets: how each of them calls and stores its classes.
void compare_sets(const TrainedOn& before, const TrainedOn& now, Differences& found) {
  if (before.sets.size() != now.sets.size()) {
    found.add(fmt::format("there were {}, there are {}",
                          counted(before.all_sets().size(), "data set"), now.all_sets().size()));
    return;
  }
  for (size_t s = 0; s < now.sets.size(); ++s) {
    const TrainedSet &was = before.sets[s], &is = now.sets[s];
    if (was.reduce_zero_label != is.reduce_zero_label) {
      const bool is_void = is.reduce_zero_label.value_or(false);
      found.add(fmt::format("label 0 of data set {} was {}, is {}", s + 1,
                            of_flag(!is_void, "void", "a class"),
                            of_flag(is_void, "void", "a class")));
      continue;  // all classes have moved by one
    }
    const std::string what = fmt::format("of data set {}: class", s + 1);
    found.compare(was.names, is.names, what, what + "es",
                  is.reduce_zero_label.value_or(false) ? 1 : 0);
  }
}

void compare_classes(const TrainedOn& before, const TrainedOn& now, Differences& found) {
  const bool was_void = before.reduce_zero_label.value_or(false);
  const bool is_void = now.reduce_zero_label.value_or(false);
  if (was_void != is_void) {
    found.add(fmt::format("label 0 was {}, is {}", of_flag(was_void, "void", "a class"),
                          of_flag(is_void, "void", "a class")));
    return;  // all classes have moved by one
  }
  // A class has the number that it has in the label files.
  const size_t first = is_void ? 1 : 0;
  found.compare(before.classes, now.classes, "class", "classes", first);
  if (before.classes != now.classes) return;
  for (size_t c = 0; c < now.classes.size(); ++c) {
    const Names was = synonyms_of(before, c), are = synonyms_of(now, c);
    if (was == are) continue;
    found.add(fmt::format("class {}, {}, had the synonyms \"{}\", has \"{}\"", c + first,
                          now.classes[c], fmt::join(was, ", "), fmt::join(are, ", ")));
  }
  for (size_t c = 0; c < now.seen.size(); ++c) {
    if (before.seen[c] == now.seen[c]) continue;
    found.add(fmt::format("class {}, {}, was {}, is {}", c + first, now.classes[c],
                          of_flag(before.seen[c], "seen", "unseen"),
                          of_flag(now.seen[c], "seen", "unseen")));
  }
}

void compare_shares(const std::vector<double>& before, const std::vector<double>& now,
                    Differences& found) {
  if (before.size() != now.size()) return;  // there are more or fewer sets, which is said already
  for (size_t s = 0; s < now.size(); ++s) {
    if (before[s] == now[s]) continue;
    found.add(
        fmt::format("the share of data set {} was {:.4g}, is {:.4g}", s + 1, before[s], now[s]));
  }
}

// One difference, the first: a line that was taken out moves all others.
void compare_photos(const Names& before, const Names& now, Differences& found) {
  if (before == now) return;
  const size_t common = std::min(before.size(), now.size());
  size_t i = 0;
  while (i < common && before[i] == now[i]) ++i;
  std::string text = "the list of training photos is another one: ";
  if (before.size() != now.size()) {
    text += fmt::format("it had {}, has {}; ", counted(before.size(), "photo"), now.size());
  }
  const auto name_in = [i](const Names& names) { return i < names.size() ? names[i] : "nothing"; };
  found.add(text + fmt::format("line {} was {}, is {}", i + 1, name_in(before), name_in(now)));
}

}  // namespace

std::string text_fingerprint(std::string text) {
  return fingerprint({at::from_blob(text.data(), {static_cast<int64_t>(text.size())}, at::kByte)});
}

RunIdentity RunIdentity::of(const Trainer& trainer) {
  RunIdentity identity{trainer.trained_on(), {}, trainer.start_fingerprint()};
  const LabelSets& data = trainer.data();
  Names names;
  for (size_t s = 0; s < data.size(); ++s) {
    const std::string set = data.single() ? "" : fmt::format(" of set {}", s + 1);
    for (size_t i = 0; i < data[s].data.size(); ++i) names.push_back(data[s].data.name(i) + set);
    if (!data.single()) identity.shares.push_back(data[s].share);
  }
  identity.photos = lines_of(joined(names));
  return identity;
}

Metadata RunIdentity::metadata(const ModelConfig& model) const {
  Metadata entries = describe(model, trained_on);
  entries[kPhotos] = joined(photos);
  entries[kStart] = start;
  for (const double share : shares) entries[kShares] += exact(share) + "\n";
  return entries;
}

std::string RunIdentity::text() const {
  std::string text;
  for (const auto& [name, value] : metadata(ModelConfig())) text += name + "\n" + value + "\n";
  return text;
}

bool RunIdentity::stored_in(const Checkpoint& checkpoint) {
  return checkpoint.metadata.contains(kPhotos);
}

RunIdentity RunIdentity::read(const Checkpoint& checkpoint) {
  return {read_trained_on(checkpoint.metadata, checkpoint.path.string()),
          lines_of(stored_text(checkpoint, kPhotos)), stored_text(checkpoint, kStart),
          stored_shares(checkpoint)};
}

std::vector<std::string> differences(const RunIdentity& before, const RunIdentity& now) {
  Differences found;
  compare_sets(before.trained_on, now.trained_on, found);
  if (found.words().empty()) compare_classes(before.trained_on, now.trained_on, found);
  compare_shares(before.shares, now.shares, found);
  found.compare(before.trained_on.templates, now.trained_on.templates, "prompt template",
                "prompt templates", 1);
  compare_photos(before.photos, now.photos, found);
  if (before.start != now.start) found.add("it began with another trained model");
  return found.words();
}

}  // namespace tagclip

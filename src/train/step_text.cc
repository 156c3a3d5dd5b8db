#include "train/step_text.h"

#include <algorithm>

#include "base/error.h"
#include "data/random.h"

namespace tagclip {
namespace {

constexpr int64_t kWordSlot = -4;  // of sample_random

// Each word as a class of its own.
std::vector<ClassWords> words_apart(const std::vector<ClassWords>& classes) {
  std::vector<ClassWords> words;
  for (const ClassWords& entry : classes) {
    for (const std::string& word : entry.words) words.push_back({{word}});
  }
  return words;
}

at::Tensor rows_of(const at::Tensor& rows, const std::vector<int64_t>& classes) {
  return rows.index_select(0, at::tensor(classes, at::kLong).to(rows.device()));
}

}  // namespace

StepText::StepText(const TrainConfig& config, const JoinedClasses& classes, const at::Tensor& rows,
                   const Embed& embed)
    : config_(config) {
  if (config.synonyms == StepWords::kMean) {
    for (const auto& of_set : classes.of_set) means_.push_back(rows_of(rows, of_set));
    return;
  }
  const auto has_synonyms = [](const ClassWords& entry) { return entry.words.size() > 1; };
  if (std::ranges::none_of(classes.words, has_synonyms)) {
    throw usage_error("synonyms = drawn has no effect: no class has several words",
                      "name them in classes.txt (sofa, couch) or in a synonym_list");
  }
  words_ = embed(words_apart(classes.words));
  std::vector<Span> spans;
  for (const ClassWords& entry : classes.words) {
    const int64_t first = spans.empty() ? 0 : spans.back().first + spans.back().count;
    spans.push_back({first, std::ssize(entry.words)});
  }
  for (const auto& of_set : classes.of_set) {
    spans_.emplace_back();
    for (const int64_t c : of_set) spans_.back().push_back(spans[c]);
  }
}

at::Tensor StepText::operator()(size_t set, int64_t iteration) const {
  if (!means_.empty()) return means_[set];
  std::mt19937_64 random = sample_random(config_.seed, iteration, kWordSlot);
  std::vector<int64_t> drawn;
  for (const auto& [first, count] : spans_[set]) {
    drawn.push_back(first + static_cast<int64_t>(uniform_index(random, count)));
  }
  return rows_of(words_, drawn);
}

}  // namespace tagclip

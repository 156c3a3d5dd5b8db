#include "metrics/confusion_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/error.h"

namespace tagclip {
namespace {

size_t cells(int classes) {
  constexpr int kMaxClasses = 10'000;
  TAGCLIP_CHECK(classes > 0, "a confusion matrix needs classes");
  if (classes > kMaxClasses) {
    throw bad_input(
        fmt::format("{} classes cannot be evaluated together; at most {}", classes, kMaxClasses));
  }
  return static_cast<size_t>(classes) * (classes + 1);
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(int classes) : classes_(classes), counts_(cells(classes)) {}

void ConfusionMatrix::add(std::span<const uint16_t> truth, std::span<const uint16_t> prediction) {
  TAGCLIP_CHECK(truth.size() == prediction.size(), "truth and prediction differ in size");
  const size_t columns = classes_ + 1;
  for (size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] >= classes_) continue;
    const size_t column = std::min<int>(prediction[i], classes_);
    ++counts_[truth[i] * columns + column];
  }
}

void ConfusionMatrix::merge(const ConfusionMatrix& other) {
  TAGCLIP_CHECK(other.classes_ == classes_, "confusion matrices of different classes");
  std::ranges::transform(counts_, other.counts_, counts_.begin(), std::plus<>());
}

int64_t ConfusionMatrix::at(int truth, int prediction) const {
  TAGCLIP_CHECK(truth >= 0 && truth < classes_ && prediction >= 0 && prediction < classes_,
                "no such class");
  return counts_[static_cast<size_t>(truth) * (classes_ + 1) + prediction];
}

int64_t ConfusionMatrix::missed(int truth) const {
  TAGCLIP_CHECK(truth >= 0 && truth < classes_, "no such class");
  return counts_[static_cast<size_t>(truth) * (classes_ + 1) + classes_];
}

}  // namespace tagclip

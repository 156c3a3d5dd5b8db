#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "data/joined_classes.h"
#include "train/train_config.h"

namespace tagclip {

// The text embeddings of the classes of a training step. Training leaves the text tower unchanged:
// they are made once.
class StepText {
 public:
  // Embeds classes as unit rows, [C, d].
  using Embed = std::function<at::Tensor(const std::vector<ClassWords>&)>;

  // `rows` [classes, d] of all classes. `config` must outlive it. Throws Error(kUsage) when
  // words are to be drawn and no class has several.
  StepText(const TrainConfig& config, const JoinedClasses& classes, const at::Tensor& rows,
           const Embed& embed);

  // [C, d], unit rows: a data set's classes in a step.
  at::Tensor operator()(size_t set, int64_t iteration) const;

 private:
  const TrainConfig& config_;
  std::vector<at::Tensor> means_;  // per set [C, d]; empty where words are drawn
  at::Tensor words_;               // [words of all classes, d]
  // Per set and class: the first of its words in words_, and how many they are.
  struct Span {
    int64_t first, count;
  };
  std::vector<std::vector<Span>> spans_;
};

}  // namespace tagclip

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weights/stored_weights.h"

namespace tagclip {

// The facts that a file of weights tells: its names and shapes, and whether its numbers can be
// computed with.
struct WeightsSummary {
  struct Group {
    std::string name;
    int64_t tensors = 0;
    int64_t parameters = 0;
  };

  std::string kind;        // in words, see describe_weights
  std::string missing;     // what a use may lack, and what to do; may be empty
  std::string assumption;  // what a use would have to assume; may be empty
  std::string unread;      // that the numbers were not looked through, and why; may be empty
  int64_t parameters = 0;
  std::vector<Group> groups;  // backbone, decode_head, ...: in the order of their first tensor
  std::vector<Group> types;   // likewise by element type
  // The sizes of each part of a known model: {"vision tower", "width 768, 12 layers, ..."}.
  std::vector<std::pair<std::string, std::string>> architecture;
};

// Looks through the numbers of CLIPs and segmentation models of up to 2 GiB.
WeightsSummary summarise(const StoredWeights& weights);

}  // namespace tagclip

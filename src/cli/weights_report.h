#pragma once

#include <string>

#include "cli/weights_summary.h"

namespace tagclip {

// The two ways `tagclip info` tells what a file holds: text for people, JSON for programs. Names
// and metadata come from strangers: the text holds no control characters of theirs. `all_tensors`:
// every tensor with type and shape, too.
std::string format_report(const StoredWeights& weights, const WeightsSummary& summary,
                          bool all_tensors);
std::string to_json(const StoredWeights& weights, const WeightsSummary& summary, bool all_tensors);

}  // namespace tagclip

#pragma once

#include <string_view>
#include <vector>

#include "model/dense_model.h"

namespace tagclip {

// Whose scores the trusty map reweighs at inference (spec section 7.3).
enum class Weighting { kNone, kSeen, kUnseen, kBoth };

// "none", "seen", "unseen", "both". Throws Error(kUsage) for another word.
Weighting parse_weighting(std::string_view word);

// What an inductive model takes off the scores of seen classes.
inline constexpr float kSeenDeduction = 0.1f;

// How the logits of classes become scores (spec sections 7.2 and 9). `seen` by class: the model was
// trained on its labels.
ScoreRule score_rule(const std::vector<bool>& seen, bool inductive, Weighting weighting,
                     const ScoreSemantics& scoring);

}  // namespace tagclip

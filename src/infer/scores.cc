#include "infer/scores.h"

#include <c10/util/StringUtil.h>

#include "base/error.h"

namespace tagclip {

Weighting parse_weighting(std::string_view word) {
  if (word == "none") return Weighting::kNone;
  if (word == "seen") return Weighting::kSeen;
  if (word == "unseen") return Weighting::kUnseen;
  if (word == "both") return Weighting::kBoth;
  throw usage_error(c10::str("there is no weighting called '", word, "'"),
                    "one of none, seen, unseen, both");
}

ScoreRule score_rule(const std::vector<bool>& seen, bool inductive, Weighting weighting,
                     const ScoreSemantics& scoring) {
  const bool weigh_seen = weighting == Weighting::kSeen || weighting == Weighting::kBoth;
  const bool weigh_novel = weighting == Weighting::kUnseen || weighting == Weighting::kBoth;
  ScoreRule rule{.activation = scoring.activation, .trusty_means_seen = scoring.trusty_means_seen};
  for (const bool is_seen : seen) {
    rule.seen_bias.push_back(is_seen && inductive && scoring.may_deduct ? kSeenDeduction : 0);
    const bool weighted = is_seen ? weigh_seen : weigh_novel;
    const TrustyWeight weight = is_seen ? TrustyWeight::kSeen : TrustyWeight::kNovel;
    rule.weight.push_back(weighted ? weight : TrustyWeight::kNone);
  }
  return rule;
}

}  // namespace tagclip

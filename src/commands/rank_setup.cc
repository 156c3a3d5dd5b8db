#include "commands/rank_setup.h"

namespace tagclip {

Ranks meet_ranks() { return {read_rank_environment(), std::chrono::minutes(10)}; }

bool stop_wanted(const Ranks& ranks, const Console& console) {
  return ranks.sum(console.stop_requested() ? 1 : 0) > 0;
}

}  // namespace tagclip

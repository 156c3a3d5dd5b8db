#include "bench/paired_runs.h"

#include <algorithm>

#include "base/error.h"
#include "infer/stage_times.h"

namespace tagclip::bench {

Spread spread_of(std::vector<double> values) {
  TAGCLIP_CHECK(!values.empty(), "nothing was measured");
  std::ranges::sort(values);
  const double upper = values[values.size() / 2], lower = values[(values.size() - 1) / 2];
  return {values.front(), (lower + upper) / 2, values.back()};
}

Spread PairedRuns::ratio() const {
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.size(); ++i) ratios.push_back(plain.at(i) / ours[i]);
  return spread_of(std::move(ratios));
}

PairedRuns run_by_turns(const std::function<void()>& ours, const std::function<void()>& plain,
                        int64_t pairs, const PairProgress& progress) {
  const auto seconds = [](const std::function<void()>& run) {
    Stopwatch watch;
    run();
    return watch.lap();
  };
  PairedRuns result;
  for (int64_t done = 0; done < pairs;) {
    result.ours.push_back(seconds(ours));
    result.plain.push_back(seconds(plain));
    if (!progress(++done)) break;
  }
  return result;
}

}  // namespace tagclip::bench

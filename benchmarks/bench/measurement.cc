#include "bench/measurement.h"

#include <algorithm>

#include "base/error.h"

namespace tagclip::bench {

Spread spread_of(std::vector<double> values) {
  TAGCLIP_CHECK(!values.empty(), "nothing was measured");
  std::ranges::sort(values);
  const double upper = values[values.size() / 2], lower = values[(values.size() - 1) / 2];
  return {values.front(), (lower + upper) / 2, values.back()};
}

Spread in_milliseconds(const Spread& seconds) {
  return {1000 * seconds.min, 1000 * seconds.median, 1000 * seconds.max};
}

Spread AbRuns::speedup() const {
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.size(); ++i) ratios.push_back(reference.at(i) / ours[i]);
  return spread_of(std::move(ratios));
}

Spread AbRuns::added_seconds() const {
  std::vector<double> added;
  for (size_t i = 0; i < ours.size(); ++i) added.push_back(ours[i] - reference.at(i));
  return spread_of(std::move(added));
}

AbRuns interleave(const std::function<void()>& ours, const std::function<void()>& reference,
                  int64_t pairs, const PairProgress& progress) {
  const auto seconds = [](const std::function<void()>& run) {
    Stopwatch watch;
    run();
    return watch.lap();
  };
  AbRuns result;
  for (int64_t done = 0; done < pairs;) {
    result.ours.push_back(seconds(ours));
    result.reference.push_back(seconds(reference));
    if (!progress(++done)) break;
  }
  return result;
}

std::vector<Stage> median_stages(const std::vector<StageTimes>& times) {
  const auto median = [&](double StageTimes::* stage) {
    std::vector<double> seconds;
    for (const StageTimes& run : times) seconds.push_back(run.*stage);
    return spread_of(std::move(seconds)).median;
  };
  return {{"prepare", median(&StageTimes::prepare)},
          {"encode", median(&StageTimes::encode)},
          {"decode", median(&StageTimes::decode)},
          {"blend", median(&StageTimes::blend)}};
}

std::string Measurement::name() const {
  return workload + " " + task + (precision == "float32" ? "" : " " + precision);
}

std::optional<double> Measurement::memory_ratio() const {
  if (!our_peak || !reference_peak || *our_peak <= 0) return {};
  return static_cast<double>(*reference_peak) / static_cast<double>(*our_peak);
}

bool Measurement::agrees() const {
  // A NaN is no agreement.
  return std::ranges::all_of(differences, [](const Difference& d) { return d.value <= d.limit; });
}

}  // namespace tagclip::bench

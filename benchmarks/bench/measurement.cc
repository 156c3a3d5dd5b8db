#include "bench/measurement.h"

#include <algorithm>

namespace tagclip::bench {

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
  if (!our_peak || !plain_peak || *our_peak <= 0) return {};
  return static_cast<double>(*plain_peak) / static_cast<double>(*our_peak);
}

bool Measurement::agrees() const {
  // A NaN is no agreement.
  return std::ranges::all_of(differences, [](const Difference& d) { return d.value <= d.limit; });
}

}  // namespace tagclip::bench

#include "commands/segment_tally.h"

#include <c10/util/StringUtil.h>

#include "base/text.h"
#include "commands/run_config.h"

namespace tagclip {

double PhotoTimes::total() const {
  return read + compute.prepare + compute.encode + compute.decode + compute.blend + write;
}

PhotoTimes& PhotoTimes::operator+=(const PhotoTimes& other) {
  read += other.read;
  write += other.write;
  compute.prepare += other.compute.prepare;
  compute.encode += other.compute.encode;
  compute.decode += other.compute.decode;
  compute.blend += other.compute.blend;
  return *this;
}

SegmentTally add_up(const SegmentTally& own, const Ranks& ranks) {
  const auto sum = [&](double value) { return ranks.sum(value); };
  const auto count = [&](int64_t value) {
    return static_cast<int64_t>(ranks.sum(static_cast<double>(value)));
  };
  const StageTimes& compute = own.times.compute;
  return {.done = count(own.done),
          .failed = count(own.failed),
          .times = {.read = sum(own.times.read),
                    .write = sum(own.times.write),
                    .compute = {.prepare = sum(compute.prepare),
                                .encode = sum(compute.encode),
                                .decode = sum(compute.decode),
                                .blend = sum(compute.blend)}}};
}

std::string milliseconds(double seconds) { return fixed(1000 * seconds, 1); }

std::string describe_times(const SegmentTally& tally) {
  const auto mean = [&](double seconds) {
    return milliseconds(seconds / static_cast<double>(tally.done));
  };
  const PhotoTimes& times = tally.times;
  return c10::str("ms a photo: read ", mean(times.read), ", resize ", mean(times.compute.prepare),
                  ", encode ", mean(times.compute.encode), ", decoder ", mean(times.compute.decode),
                  ", masks ", mean(times.compute.blend), ", write ", mean(times.write));
}

}  // namespace tagclip

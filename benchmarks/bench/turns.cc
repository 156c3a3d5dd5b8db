#include "bench/turns.h"

#include <nlohmann/json.hpp>
#include <string>

#include "infer/stage_times.h"

namespace tagclip::bench {

void segment_by_turns(const SlidingSegmenter& segmenter, const Image& photo, std::istream& turns,
                      const std::function<void(const Turn&)>& answer) {
  segmenter(photo);
  for (std::string line; std::getline(turns, line);) {
    Stopwatch watch;
    const StageTimes stages = segmenter(photo).times;
    answer({watch.lap(), stages});
  }
}

std::string to_json(const Turn& turn) {
  const nlohmann::ordered_json line = {{"ms", 1000 * turn.seconds},
                                       {"prepare", 1000 * turn.stages.prepare},
                                       {"encode", 1000 * turn.stages.encode},
                                       {"decode", 1000 * turn.stages.decode},
                                       {"blend", 1000 * turn.stages.blend}};
  return line.dump();
}

}  // namespace tagclip::bench

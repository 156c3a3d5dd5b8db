#include "bench/measurement.h"

#include <algorithm>

namespace tagclip {

bool Measurement::agrees() const {
  // A NaN is no agreement.
  return std::ranges::all_of(differences, [](const Difference& d) { return d.value <= d.limit; });
}

}  // namespace tagclip

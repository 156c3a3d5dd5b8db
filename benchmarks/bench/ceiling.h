#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace tagclip::bench {

// Operations a second that matrix products reach on this machine, by the precision of their
// factors ("float32", "bfloat16x3", "bfloat16", "int8"), the fastest of several; two operations a
// multiply-add. No int8 in a LibTorch without oneDNN.
using Ceilings = std::map<std::string, double>;

// Multiplies matrices of up to side x side; takes about a second a precision.
Ceilings measure_ceilings(int64_t side = 2048);

}  // namespace tagclip::bench

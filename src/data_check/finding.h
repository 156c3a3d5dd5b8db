#pragma once

#include <string>

namespace tagclip {

enum class Severity {
  kError,    // training or evaluation would stop, or learn and measure the wrong thing
  kWarning,  // probably not what was meant
};

// Something wrong with a data set.
struct Finding {
  Severity severity;
  std::string code;  // for programs: "ids-off-by-one"
  std::string what;
  std::string advice;
};

}  // namespace tagclip

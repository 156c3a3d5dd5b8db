#pragma once

#include <string>

namespace tagclip {

enum class Severity {
  kError,    // training or evaluation would stop, or use wrong labels
  kWarning,  // probably unintended
};

// A mistake found in a data set.
struct Finding {
  Severity severity;
  std::string code;  // stable name: "ids-off-by-one"
  std::string what;
  std::string advice;
};

}  // namespace tagclip

#include "base/error.h"

#include <string_view>

namespace tagclip {

void check_failed(const char* condition, const char* file, int line, const std::string& message) {
  std::string_view path = file;
  if (auto src = path.rfind("src/"); src != std::string_view::npos) path.remove_prefix(src);
  throw InternalError("internal error at " + std::string(path) + ":" + std::to_string(line) + ": " +
                      message + " (" + condition + " does not hold)");
}

}  // namespace tagclip

#include "io/printable.h"

#include <nlohmann/json.hpp>

namespace tagclip {

std::string printable(std::string_view name) {
  constexpr size_t kMaxLength = 100;
  const bool cut = name.size() > kMaxLength;
  const std::string shown = std::string(name.substr(0, kMaxLength)) + (cut ? "..." : "");
  return nlohmann::json(shown).dump(-1, ' ', /*ensure_ascii=*/true,
                                    nlohmann::json::error_handler_t::replace);
}

}  // namespace tagclip

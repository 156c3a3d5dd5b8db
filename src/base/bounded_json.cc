#include "base/bounded_json.h"

namespace tagclip {
namespace {

constexpr size_t kMaxLength = 4 << 20;
constexpr int kMaxDepth = 32;

struct TooDeep {};

bool check_depth(int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
  if (depth > kMaxDepth) throw TooDeep();
  return true;
}

}  // namespace

std::optional<nlohmann::json> parse_bounded_json(std::string_view text) {
  if (text.size() > kMaxLength) return std::nullopt;
  try {
    auto value = nlohmann::json::parse(text, check_depth, /*allow_exceptions=*/false);
    if (value.is_discarded()) return std::nullopt;
    return value;
  } catch (const TooDeep&) {
    return std::nullopt;
  }
}

std::string json_text(const nlohmann::ordered_json& value, int indent) {
  return value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace tagclip

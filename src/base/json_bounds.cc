#include "base/json_bounds.h"

#include <algorithm>
#include <climits>
#include <exception>
#include <utility>

namespace tagclip {
namespace {

struct OutOfBounds : std::exception {};

// What nlohmann-json asks while it reads: whether to go on, and whether to keep a value.
class BoundsCheck {
 public:
  explicit BoundsCheck(const JsonBounds& bounds) : bounds_(bounds) {}

  bool operator()(int depth, nlohmann::json::parse_event_t event, const nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > bounds_.depth) throw OutOfBounds();
    if (depth > dropped_at_) return true;  // not kept either way
    dropped_at_ = INT_MAX;
    if (event == Event::key) {
      dropping_ = std::ranges::find(bounds_.left_out, parsed.get_ref<const std::string&>()) !=
                  bounds_.left_out.end();
      return !dropping_;
    }
    const bool opens = event == Event::array_start || event == Event::object_start;
    if (!opens && event != Event::value) return true;
    if (std::exchange(dropping_, false)) {
      if (opens) dropped_at_ = depth;
      return !opens;  // of a value, the key was refused already
    }
    if (++values_ > bounds_.values) throw OutOfBounds();
    return true;
  }

 private:
  const JsonBounds& bounds_;
  bool dropping_ = false;     // the next value is of a member that is left out
  int dropped_at_ = INT_MAX;  // the depth of the list or object that is being left out
  size_t values_ = 0;
};

}  // namespace

std::optional<nlohmann::json> parse_json_within(const JsonBounds& bounds, std::string_view text) {
  if (text.size() > bounds.bytes) return std::nullopt;
  try {
    auto value = nlohmann::json::parse(text, BoundsCheck(bounds), /*allow_exceptions=*/false);
    if (value.is_discarded()) return std::nullopt;
    return value;
  } catch (const OutOfBounds&) {
    return std::nullopt;
  }
}

}  // namespace tagclip

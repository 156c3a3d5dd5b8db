#include "serve/http/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"

namespace tagclip {

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](unsigned char c) { return std::tolower(c); });
  return small;
}

const std::string* ClientRequest::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, [](const auto& h) { return h.first; });
  return found == headers.end() ? nullptr : &found->second;
}

Answer refusal(int status, const std::string& kind, const std::string& message,
               const std::string& hint) {
  nlohmann::ordered_json error = {{"kind", kind}, {"message", message}};
  if (!hint.empty()) error["hint"] = hint;
  Answer answer{.status = status, .body = json_text({{"error", error}}) + "\n"};
  if (status == 429 || status == 503) answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

Answer refusal_of(const Error& error, const std::string& id) {
  switch (error.kind()) {
    case ErrorKind::kUsage:
    case ErrorKind::kBadInput:
      return refusal(400, "bad_input", error.what(), error.hint());
    case ErrorKind::kStopped:
      return refusal(503, "not_ready", "the server is going down", "try again");
    case ErrorKind::kFailure:
      break;
  }
  if (std::string_view(error.what()).starts_with("out of memory")) {
    return refusal(503, "busy", "there is not enough memory for this request now",
                   "send a smaller photo, or try again");
  }
  return refusal(500, "internal", fmt::format("the server failed at this request, {}", id),
                 "its log says why");
}

}  // namespace tagclip

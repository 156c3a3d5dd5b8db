#include "label_formats/json_values.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bounded_json.h"
#include "base/files.h"

namespace tagclip {

nlohmann::json read_json(const std::filesystem::path& path) {
  std::string text = read_text(path);
  std::string_view content = text;
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);  // a byte order mark
  auto json = parse_bounded_json(content, kMaxReadBytes);
  if (!json) throw bad_input(path.string() + " is no JSON, or is cut off or nested too deep");
  return std::move(*json);
}

const nlohmann::json* find_key(const nlohmann::json& json, const char* key) {
  if (!json.is_object()) return nullptr;
  const auto entry = json.find(key);
  return entry == json.end() ? nullptr : &*entry;
}

std::optional<std::string> text_at(const nlohmann::json& json, const char* key) {
  const nlohmann::json* value = find_key(json, key);
  if (value == nullptr || !value->is_string()) return {};
  return value->get<std::string>();
}

std::optional<int64_t> integer_at(const nlohmann::json& json, const char* key) {
  const nlohmann::json* value = find_key(json, key);
  if (value == nullptr || !value->is_number()) return {};
  const auto number = value->get<double>();
  if (!(number >= -1e15 && number <= 1e15)) return {};
  return static_cast<int64_t>(number);
}

Size size_at(const nlohmann::json& json, const char* width, const char* height) {
  constexpr int64_t kMostSide = 1 << 20;
  const auto w = integer_at(json, width), h = integer_at(json, height);
  if (!w || !h) return {};
  if (*w <= 0 || *h <= 0 || *w > kMostSide || *h > kMostSide) {
    throw bad_input(fmt::format("it is for a photo of {}x{}", *w, *h));
  }
  return {static_cast<int>(*w), static_cast<int>(*h)};
}

bool any_json_with(const SourceFiles& files, std::initializer_list<std::string_view> keys) {
  constexpr size_t kLooks = 20;
  const auto names = files.with_ending(".json");
  for (size_t i = 0; i < std::min(names.size(), kLooks); ++i) {
    try {
      // Only the text is searched: parsing a large file once per format would be slow.
      const std::string text = read_text(files.path(names[i]));
      if (std::ranges::all_of(keys, [&](std::string_view key) {
            return text.find(fmt::format("\"{}\"", key)) != text.npos;
          })) {
        return true;
      }
    } catch (const Error&) {  // told when the file is needed
    }
  }
  return false;
}

std::string reason_of(const Error& error) {
  const std::string hint = error.hint().empty() ? "" : " (" + error.hint() + ")";
  return error.what() + hint;
}

void refuse_class_list(const std::filesystem::path& class_list, const std::string& why) {
  if (class_list.empty()) return;
  throw usage_error("classes: " + why, "leave `classes` out");
}

}  // namespace tagclip

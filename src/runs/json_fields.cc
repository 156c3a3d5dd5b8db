#include "runs/json_fields.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace tagclip {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxBytes = 4 << 20;
constexpr const char* kHint = "only what tagclip train wrote can be reported";

std::string describe(const json& value) {
  if (value.is_null()) return "nothing";
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  return value.is_string() ? in_quotes(value.get_ref<const std::string&>()) : value.dump();
}

json read_object(const std::filesystem::path& path) {
  json value = parse_bounded_json(read_text(path, kMaxBytes)).value_or(json());
  if (!value.is_object()) {
    throw bad_input(path.string() + ": expected a JSON object, found something else", kHint);
  }
  return value;
}

}  // namespace

JsonFields::JsonFields(const std::filesystem::path& path)
    : JsonFields(read_object(path), path.string(), "") {}

JsonFields::JsonFields(json object, std::string file, std::string prefix)
    : object_(std::move(object)), file_(std::move(file)), prefix_(std::move(prefix)) {}

const json& JsonFields::at(const std::string& key) const {
  static const json nothing;
  const auto found = object_.find(key);
  return found == object_.end() ? nothing : *found;
}

void JsonFields::refuse(const std::string& key, const std::string& expected) const {
  throw bad_input(fmt::format("{}: {}{}: expected {}, found {}", file_, prefix_, key, expected,
                              describe(at(key))),
                  kHint);
}

JsonFields JsonFields::object(const std::string& key) const {
  if (!at(key).is_object()) refuse(key, "an object");
  return {at(key), file_, prefix_ + key + "."};
}

std::vector<JsonFields> JsonFields::objects(const std::string& key) const {
  const json& list = at(key);
  if (!list.is_array()) refuse(key, "a list of objects");
  std::vector<JsonFields> result;
  for (const json& item : list) {
    if (!item.is_object()) refuse(key, "a list of objects");
    const std::string place = fmt::format("{}{}[{}].", prefix_, key, result.size());
    result.push_back({item, file_, place});
  }
  return result;
}

bool JsonFields::has(const std::string& key) const { return !at(key).is_null(); }

std::string JsonFields::text(const std::string& key) const {
  if (!at(key).is_string()) refuse(key, "a text");
  return at(key).get<std::string>();
}

bool JsonFields::flag(const std::string& key) const {
  if (!at(key).is_boolean()) refuse(key, "true or false");
  return at(key).get<bool>();
}

int64_t JsonFields::count(const std::string& key) const {
  const json& value = at(key);
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (!value.is_number_unsigned() || value.get<uint64_t>() > kMax) {
    refuse(key, "a whole number from 0 on");
  }
  return value.get<int64_t>();
}

double JsonFields::number(const std::string& key) const {
  const json& value = at(key);
  if (!value.is_number() || !std::isfinite(value.get<double>())) refuse(key, "a number");
  return value.get<double>();
}

double JsonFields::fraction_or_nan(const std::string& key) const {
  const auto found = object_.find(key);
  if (found != object_.end() && found->is_null()) return std::numeric_limits<double>::quiet_NaN();
  const double value = at(key).is_number() ? at(key).get<double>() : -1;
  if (!(value >= 0 && value <= 1)) refuse(key, "a number from 0 to 1, or null");
  return value;
}

std::vector<std::string> JsonFields::texts(const std::string& key) const {
  const json& list = at(key);
  if (!list.is_array()) refuse(key, "a list of texts");
  std::vector<std::string> result;
  for (const json& item : list) {
    if (!item.is_string()) refuse(key, "a list of texts");
    result.push_back(item.get<std::string>());
  }
  return result;
}

std::vector<bool> JsonFields::flags(const std::string& key) const {
  const json& list = at(key);
  if (!list.is_array()) refuse(key, "a list of true and false");
  std::vector<bool> result;
  for (const json& item : list) {
    if (!item.is_boolean()) refuse(key, "a list of true and false");
    result.push_back(item.get<bool>());
  }
  return result;
}

}  // namespace tagclip

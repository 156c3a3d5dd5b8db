#include "base/fields_json.h"

#include <nlohmann/json.hpp>

#include "base/bounded_json.h"

namespace tagclip {
namespace {

nlohmann::json to_json_value(const FieldValue& value) {
  return std::visit([](const auto& v) { return nlohmann::json(v); }, value);
}

FieldValue from_json_value(const nlohmann::json& value, const std::string& where) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number_float()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array() && std::ranges::all_of(value, [](const auto& v) { return v.is_string(); })) {
    return value.get<std::vector<std::string>>();
  }
  if (value.is_array() && std::ranges::all_of(value, [](const auto& v) { return v.is_number(); })) {
    return value.get<std::vector<double>>();
  }
  throw bad_input(where + ": neither a number, a text, true, false nor a list of texts or numbers");
}

}  // namespace

std::string to_json(const ConstFieldList& fields) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const Field& field : fields.all()) object[field.name] = to_json_value(field.get());
  return json_text(object);
}

void read_json(const std::string& json, FieldList& fields, const std::string& source) {
  const std::optional<nlohmann::json> object = parse_bounded_json(json);
  if (!object || !object->is_object()) {
    throw bad_input(source + ": the stored settings are not a JSON object");
  }
  for (const auto& [name, value] : object->items()) {
    try {
      fields.set(name, from_json_value(value, name));
    } catch (const Error& error) {
      throw bad_input(source + ": stored settings: " + error.what(), error.hint());
    }
  }
}

}  // namespace tagclip

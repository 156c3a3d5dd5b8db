#include "base/config_file.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <string>

#include "base/error.h"

namespace tagclip {
namespace {

std::string place(const std::filesystem::path& path, const toml::source_region& region) {
  return fmt::format("{}:{}:{}", path.string(), region.begin.line, region.begin.column);
}

FieldValue to_value(const toml::node& node, const std::string& where) {
  if (const auto* v = node.as_boolean()) return v->get();
  if (const auto* v = node.as_integer()) return v->get();
  if (const auto* v = node.as_floating_point()) return v->get();
  if (const auto* v = node.as_string()) return v->get();
  if (const auto* array = node.as_array()) {
    std::vector<std::string> items;
    for (const toml::node& item : *array) {
      if (!item.is_string()) throw bad_input(where + ": a list here may hold texts only");
      items.push_back(item.as_string()->get());
    }
    return items;
  }
  throw bad_input(where + ": dates and times are not used in a config");
}

void read_table(const toml::table& table, const std::string& prefix,
                const std::filesystem::path& path, FieldList& fields) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    const std::string where = place(path, node.source());
    if (node.is_table() && fields.contains_group(name)) {
      read_table(*node.as_table(), name + ".", path, fields);
      continue;
    }
    try {
      fields.set(name, node.is_table() ? FieldValue(std::string("a table")) : to_value(node, where));
    } catch (const Error& error) {
      throw bad_input(where + ": " + error.what(), error.hint());
    }
  }
}

}  // namespace

void read_config(const std::filesystem::path& path, FieldList& fields) {
  toml::table table;
  try {
    table = toml::parse_file(path.string());
  } catch (const toml::parse_error& error) {
    throw bad_input(fmt::format("{}: {}", place(path, error.source()), error.description()));
  }
  read_table(table, "", path, fields);
}

std::string to_toml(const FieldList& fields) {
  std::string text, group;
  for (const Field& field : fields.all()) {
    const auto dot = field.name.rfind('.');
    const std::string parent = dot == std::string::npos ? "" : field.name.substr(0, dot);
    if (parent != group) text += fmt::format("\n[{}]\n", group = parent);
    text += fmt::format("{} = {}  # {}\n", field.name.substr(dot + 1), to_string(field.get()), field.help);
  }
  return text;
}

}  // namespace tagclip

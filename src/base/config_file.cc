#include "base/config_file.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "base/error.h"

namespace tagclip {
namespace {

std::string place(const std::filesystem::path& path, const toml::source_region& region) {
  return fmt::format("{}:{}:{}", path.string(), region.begin.line, region.begin.column);
}

FieldValue to_value(const toml::node& node) {
  if (const auto* v = node.as_boolean()) return v->get();
  if (const auto* v = node.as_integer()) return v->get();
  if (const auto* v = node.as_floating_point()) return v->get();
  if (const auto* v = node.as_string()) return v->get();
  if (node.is_table()) return std::string("a table");
  if (const auto* array = node.as_array()) {
    std::vector<std::string> items;
    for (const toml::node& item : *array) {
      if (!item.is_string()) throw usage_error("a list here may hold texts only");
      items.push_back(item.as_string()->get());
    }
    return items;
  }
  throw usage_error("dates and times are not used in a config");
}

void read_table(const toml::table& table, const std::string& prefix,
                const std::filesystem::path& path, FieldList& fields) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (node.is_table() && fields.contains_group(name)) {
      read_table(*node.as_table(), name + ".", path, fields);
      continue;
    }
    try {
      fields.set(name, to_value(node));
    } catch (const Error& error) {
      throw bad_input(place(path, node.source()) + ": " + error.what(), error.hint());
    }
  }
}

std::string read_text(const std::filesystem::path& path) {
  constexpr size_t kMaxBytes = size_t{1} << 20;
  const auto cannot_read = [&](const std::string& reason) {
    return bad_input(fmt::format("cannot read the config {}: {}", path.string(), reason),
                     "give the TOML file with the settings of the run");
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) throw cannot_read("it is a folder");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw cannot_read(std::strerror(errno));
  std::string text(kMaxBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxBytes) throw cannot_read("it is larger than 1 MiB");
  return text;
}

}  // namespace

void read_config(const std::filesystem::path& path, FieldList& fields) {
  const std::string text = read_text(path);
  toml::table table;
  try {
    table = toml::parse(text, path.string());
  } catch (const toml::parse_error& error) {
    throw bad_input(fmt::format("{}: {}", place(path, error.source()), error.description()),
                    "a config is TOML: name = value, texts in quotes, [group] above its settings");
  }
  read_table(table, "", path, fields);
}

std::string to_toml(const FieldList& fields) {
  std::string text, group;
  for (const Field& field : fields.all()) {
    const auto dot = field.name.rfind('.');
    const std::string parent = dot == std::string::npos ? "" : field.name.substr(0, dot);
    if (parent != group) text += fmt::format("\n[{}]\n", group = parent);
    text += fmt::format("{} = {}  # {}\n", field.name.substr(dot + 1), to_string(field.get()),
                        field.help);
  }
  return text;
}

}  // namespace tagclip

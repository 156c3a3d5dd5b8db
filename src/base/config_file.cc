#include "base/config_file.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace tagclip {
namespace {

std::string place(const std::filesystem::path& path, const toml::source_region& region) {
  return fmt::format("{}:{}:{}", path.string(), region.begin.line, region.begin.column);
}

template <class Value>
std::vector<Value> values_of(const toml::array& array) {
  std::vector<Value> values;
  for (const toml::node& item : array) values.push_back(*item.value<Value>());
  return values;
}

FieldValue to_value(const toml::node& node) {
  if (const auto* v = node.as_boolean()) return v->get();
  if (const auto* v = node.as_integer()) return v->get();
  if (const auto* v = node.as_floating_point()) return v->get();
  if (const auto* v = node.as_string()) return v->get();
  if (node.is_table()) return std::string("a table");
  if (const auto* array = node.as_array()) {
    if (array->empty() || array->is_homogeneous<std::string>())
      return values_of<std::string>(*array);
    const auto is_number = [](const toml::node& item) { return item.is_number(); };
    if (std::ranges::all_of(*array, is_number)) return values_of<double>(*array);
    throw usage_error("a list here may hold texts only, or numbers only");
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

// The names of the tables in the table `parent`. A setting there is left for read_table to refuse.
std::vector<std::string> names_of_groups(const toml::table& config, std::string_view parent,
                                         const std::filesystem::path& path) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  const toml::node* node = config.get(parent);
  if (node == nullptr) return {};
  if (!node->is_table()) {
    throw bad_input(fmt::format("{}: {} is no group", place(path, node->source()), parent),
                    fmt::format("give each {} a name: [{}.NAME]", parent, parent));
  }
  std::vector<std::string> names;
  for (const auto& [key, group] : *node->as_table()) {
    if (!group.is_table()) continue;
    if (key.str().empty() || key.str().find_first_not_of(kAllowed) != key.str().npos) {
      throw bad_input(fmt::format("{}: {}: expected a name of letters, digits, - and _",
                                  place(path, group.source()), in_quotes(key.str())));
    }
    names.emplace_back(key.str());
  }
  return names;
}

void collect(const toml::table& table, const std::string& prefix, int depth,
             const std::filesystem::path& path, Settings& settings) {
  constexpr int kMaxDepth = 8;
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    try {
      if (!node.is_table()) {
        settings[name] = to_value(node);
      } else if (depth < kMaxDepth) {
        collect(*node.as_table(), name + ".", depth + 1, path, settings);
      } else {
        throw usage_error("groups are nested too deeply");
      }
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kBadInput) throw;
      throw bad_input(place(path, node.source()) + ": " + error.what(), error.hint());
    }
  }
}

std::string read_config_text(const std::filesystem::path& path, uint64_t limit) {
  try {
    return read_text(path, limit);
  } catch (const Error& error) {
    throw Error(error.kind(), error.what(), "give the TOML file with the settings of the run");
  }
}

toml::table parse(const std::filesystem::path& path, uint64_t limit) {
  const std::string text = read_config_text(path, limit);
  try {
    return toml::parse(text, path.string());
  } catch (const toml::parse_error& error) {
    throw bad_input(fmt::format("{}: {}", place(path, error.source()), error.description()),
                    "a config is TOML: name = value, texts in quotes, [group] above its settings");
  }
}

// A group's name above its settings. The parts of a bare name are letters, digits, _ and -.
std::string heading(std::string_view group) {
  std::string text;
  for (bool more = true; more;) {
    const size_t dot = group.find('.');
    const std::string_view part = group.substr(0, dot);
    const bool bare = !part.empty() && std::ranges::all_of(part, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-';
    });
    text += bare ? std::string(part) : in_quotes(part, part.size());
    more = dot != group.npos;
    if (more) {
      text += '.';
      group.remove_prefix(dot + 1);
    }
  }
  return text;
}

}  // namespace

void read_config(const std::filesystem::path& path, FieldList& fields) {
  read_table(parse(path, uint64_t{1} << 20), "", path, fields);
}

void read_config(const std::filesystem::path& path, std::string_view parent,
                 const std::function<FieldList(const std::vector<std::string>&)>& fields_of) {
  const toml::table config = parse(path, uint64_t{1} << 20);
  FieldList fields = fields_of(names_of_groups(config, parent, path));
  read_table(config, "", path, fields);
}

Settings read_settings(const std::filesystem::path& path) {
  // toml++ recurses into dotted keys without a limit: a longer file could exhaust the stack.
  constexpr uint64_t kLimit = uint64_t{32} << 10;
  Settings settings;
  collect(parse(path, kLimit), "", 0, path, settings);
  return settings;
}

std::string to_toml(const ConstFieldList& fields) {
  // All of a group stands together: a name behind another group's heading would belong to that one.
  std::vector<std::pair<std::string, std::string>> groups = {{"", ""}};
  for (const Field& field : fields.all()) {
    const auto dot = field.name.rfind('.');
    const std::string group = dot == std::string::npos ? "" : field.name.substr(0, dot);
    auto found = std::ranges::find(groups, group, &std::pair<std::string, std::string>::first);
    if (found == groups.end()) found = groups.insert(found, {group, ""});
    found->second += fmt::format("{} = {}  # {}\n", field.name.substr(dot + 1),
                                 to_string(field.get()), field.explanation());
  }
  std::string text;
  for (const auto& [group, lines] : groups) {
    if (!group.empty()) text += fmt::format("\n[{}]\n", heading(group));
    text += lines;
  }
  return text;
}

}  // namespace tagclip

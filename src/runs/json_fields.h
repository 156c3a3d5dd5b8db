#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tagclip {

// Gives typed access to a JSON object in an untrusted file. All accessors throw Error(kBadInput)
// naming the file, the field, what was expected and what was found.
class JsonFields {
 public:
  // Reads a file that holds one object, of at most 4 MiB.
  explicit JsonFields(const std::filesystem::path& path);

  JsonFields object(const std::string& key) const;
  std::vector<JsonFields> objects(const std::string& key) const;

  bool has(const std::string& key) const;  // whether it is there and not null
  std::string text(const std::string& key) const;
  bool flag(const std::string& key) const;
  int64_t count(const std::string& key) const;           // 0 or more
  double number(const std::string& key) const;           // finite
  double fraction_or_nan(const std::string& key) const;  // from 0 to 1; NaN for null
  std::vector<std::string> texts(const std::string& key) const;
  std::vector<bool> flags(const std::string& key) const;

 private:
  JsonFields(nlohmann::json object, std::string file, std::string prefix);
  const nlohmann::json& at(const std::string& key) const;
  [[noreturn]] void refuse(const std::string& key, const std::string& expected) const;

  nlohmann::json object_;
  std::string file_;
  std::string prefix_;  // of field names in messages: "data."
};

}  // namespace tagclip

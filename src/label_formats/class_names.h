#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tagclip {

// A pixel that no annotation covers, in the maps that formats draw. The user says what it becomes.
inline constexpr uint16_t kUnlabelled = 65534;

// A class name as classes.txt has it: "traffic_light" is "traffic light". Throws Error(kBadInput),
// beginning with `where`, for an empty name, control characters and text that is not UTF-8.
std::string class_name(std::string_view name, const std::string& where);

// Whether a name stands for pixels without a class: background, _background_, unlabeled, ...
bool means_unlabelled(std::string_view class_name);
// Whether it stands for pixels that nothing may be learnt from: void, __ignore__, ...
bool means_void(std::string_view class_name);

// Collects the classes of a source, in the order in which they come.
class ClassNames {
 public:
  // The value of that class in label maps: its index, kUnlabelled or kIgnoreIndex. Names that
  // differ in case alone are one class. Throws as class_name, and beyond 65,000 classes.
  uint16_t value_of(std::string_view name, const std::string& where);

  const std::vector<std::string>& names() const { return names_; }
  // What the user should know about changed names.
  std::vector<std::string> notes() const;

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, uint16_t> value_of_;   // by lower-case name
  std::unordered_map<std::string, std::string> merged_;  // spelling → the class it became
  std::vector<std::string> changes_;
};

}  // namespace tagclip

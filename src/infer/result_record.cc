#include "infer/result_record.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "clip/fingerprint.h"
#include "infer/summary.h"

namespace tagclip {

std::string file_digest(std::span<const std::byte> bytes) {
  return fingerprint({at::from_blob(const_cast<std::byte*>(bytes.data()),
                                    {static_cast<int64_t>(bytes.size())}, at::kByte)});
}

std::optional<MadeFrom> read_made_from(const std::filesystem::path& class_file) {
  std::optional<nlohmann::json> json;
  try {
    const std::vector<std::byte> bytes = read_bytes(class_file);
    json = parse_bounded_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                              kMaxReadBytes);
  } catch (const Error&) {
  }
  if (!json || !json->is_object() || !json->contains("classes") || !json->contains("unlabelled")) {
    return {};
  }
  MadeFrom made_from;
  const auto stored = json->find(kMadeFromKey);
  if (stored == json->end() || !stored->is_object()) return made_from;
  for (const auto& [name, value] : stored->items()) {
    if (value.is_string()) made_from[name] = value.get<std::string>();
  }
  return made_from;
}

std::vector<std::string> differences(const MadeFrom& a, const MadeFrom& b) {
  MadeFrom all = a;
  all.insert(b.begin(), b.end());
  std::vector<std::string> names;
  for (const auto& [name, value] : all) {
    const auto in_a = a.find(name), in_b = b.find(name);
    if (in_a == a.end() || in_b == b.end() || in_a->second != in_b->second) names.push_back(name);
  }
  return names;
}

}  // namespace tagclip

#include "weights/safetensors.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "weights/safetensors_header.h"

namespace tagclip {

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  auto mapping = std::make_shared<MappedFile>(path);
  SafetensorsFile file = parse(mapping->bytes(), path.string());
  file.mapping_ = std::move(mapping);
  return file;
}

SafetensorsFile SafetensorsFile::parse(std::span<const std::byte> bytes, const std::string& name) {
  SafetensorsHeader header = parse_safetensors_header(bytes, name);
  SafetensorsFile file;
  file.name_ = name;
  file.metadata_ = std::move(header.metadata);
  file.tensors_ = std::move(header.tensors);
  file.by_name_.resize(file.tensors_.size());
  std::iota(file.by_name_.begin(), file.by_name_.end(), size_t{0});
  std::ranges::sort(file.by_name_, {},
                    [&](size_t i) -> std::string_view { return file.tensors_[i].name; });
  return file;
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto name_of = [this](size_t i) -> std::string_view { return tensors_[i].name; };
  const auto found = std::ranges::lower_bound(by_name_, name, {}, name_of);
  if (found == by_name_.end() || name_of(*found) != name) return nullptr;
  return &tensors_[*found];
}

}  // namespace tagclip

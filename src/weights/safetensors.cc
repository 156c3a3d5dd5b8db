#include "weights/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <tuple>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "io/file_signature.h"
#include "weights/safetensors_header.h"

namespace tagclip {
namespace {

uint64_t little_endian_u64(std::span<const std::byte> bytes) {
  uint64_t value = 0;
  for (size_t i = 8; i-- > 0;) value = value << 8 | std::to_integer<uint64_t>(bytes[i]);
  return value;
}

// The error for a file that cannot be split into header and data.
Error no_header(std::span<const std::byte> bytes, const std::string& name,
                const std::string& detail) {
  const std::string kind = describe_bytes(bytes);
  if (kind == "a safetensors file" || kind.starts_with("binary data")) {
    return bad_input(name + ": damaged safetensors file: " + detail, "fetch the file again");
  }
  return bad_input(name + ": expected a safetensors file, found " + kind);
}

std::string_view header_text(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() < kSafetensorsLengthBytes) {
    throw no_header(bytes, name, fmt::format("it has only {} bytes", bytes.size()));
  }
  const uint64_t length = little_endian_u64(bytes);
  if (length > kMaxSafetensorsHeader) {
    throw no_header(bytes, name,
                    fmt::format("its header length is {}, at most {} are allowed", length,
                                kMaxSafetensorsHeader));
  }
  const auto rest = bytes.subspan(kSafetensorsLengthBytes);
  if (length > rest.size()) {
    throw no_header(
        bytes, name,
        fmt::format("its header has {} bytes, but only {} follow", length, rest.size()));
  }
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), length);
  if (!text.starts_with('{')) {
    throw no_header(bytes, name, "its header must be a JSON object and start with '{'");
  }
  return text;
}

Error bad_tensor(const std::string& file, const TensorFields& tensor, const std::string& what,
                 const std::string& hint = {}) {
  return bad_input(fmt::format("{}: tensor {}: {}", file, in_quotes(tensor.name), what), hint);
}

// Checks the layout rules of a single tensor; `data` is the size of the file after its header.
void check_tensor(const TensorFields& tensor, uint64_t data, const std::string& file) {
  const auto [begin, end] = tensor.offsets;
  if (begin > end) {
    throw bad_tensor(file, tensor, fmt::format("data_offsets [{}, {}] must rise", begin, end));
  }
  if (end > data) {
    throw bad_tensor(
        file, tensor,
        fmt::format("its data end at byte {}, the file holds only {} bytes of data", end, data),
        "the file may be cut off: fetch it again");
  }
  const std::optional<uint64_t> needed = checked_bytes(tensor.dtype, tensor.shape);
  if (needed != end - begin) {
    throw bad_tensor(file, tensor,
                     fmt::format("shape {} of {} needs {} bytes, data_offsets give {}",
                                 shape_text(tensor.shape), to_string(tensor.dtype),
                                 needed ? std::to_string(*needed) : "more than 2^63", end - begin));
  }
}

// Sorted by place, the tensors must follow each other without gap and fill the data.
void check_covers(const std::vector<TensorFields>& tensors, uint64_t data,
                  const std::string& file) {
  uint64_t covered = 0;
  for (const TensorFields& tensor : tensors) {
    const auto [begin, end] = tensor.offsets;
    if (begin != covered) {
      throw bad_tensor(
          file, tensor,
          fmt::format("its data begin at byte {}, the tensor before ends at {}: {}", begin, covered,
                      begin < covered ? "they overlap" : "there is a hole"));
    }
    covered = end;
  }
  if (covered != data) {
    throw bad_input(
        fmt::format("{}: {} bytes of data, but its tensors end at byte {}", file, data, covered),
        "fetch the file again");
  }
}

void check_unique(const std::vector<TensorFields>& tensors, const std::string& file) {
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  for (const TensorFields& tensor : tensors) names.push_back(tensor.name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) {
    throw bad_input(fmt::format("{}: tensor {} is there twice", file, in_quotes(*twice)));
  }
}

struct SafetensorsHeader {
  Metadata metadata;
  std::vector<TensorView> tensors;  // views into the file's bytes, in the order of their data
};

// See SafetensorsFile for the rules.
SafetensorsHeader parse_safetensors_header(std::span<const std::byte> bytes,
                                           const std::string& name) {
  const std::string_view text = header_text(bytes, name);
  const auto data = bytes.subspan(kSafetensorsLengthBytes + text.size());
  HeaderFields fields = parse_header_fields(text, name);

  check_unique(fields.tensors, name);
  for (const TensorFields& tensor : fields.tensors) check_tensor(tensor, data.size(), name);
  std::ranges::stable_sort(fields.tensors, {}, &TensorFields::offsets);
  check_covers(fields.tensors, data.size(), name);

  SafetensorsHeader header{std::move(fields.metadata), {}};
  header.tensors.reserve(fields.tensors.size());
  for (TensorFields& tensor : fields.tensors) {
    const auto [begin, end] = tensor.offsets;
    header.tensors.push_back({std::move(tensor.name), tensor.dtype, std::move(tensor.shape),
                              data.subspan(begin, end - begin)});
  }
  return header;
}

}  // namespace

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

namespace {

static_assert(std::endian::native == std::endian::little, "tensor data are written as they lie");

using nlohmann::json;

std::vector<const TensorView*> aligned_order(const std::vector<TensorView>& tensors) {
  std::vector<const TensorView*> order;
  for (const TensorView& tensor : tensors) order.push_back(&tensor);
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [](const TensorView* tensor) { return size_of(tensor->dtype); });
  return order;
}

json header_json(const std::vector<const TensorView*>& tensors, const Metadata& metadata) {
  json header = json::object();
  if (!metadata.empty()) header[std::string(kMetadataKey)] = metadata;
  uint64_t begin = 0;
  for (const TensorView* tensor : tensors) {
    const uint64_t end = begin + tensor->data.size();
    TAGCLIP_CHECK(checked_bytes(tensor->dtype, tensor->shape) == tensor->data.size(),
                  tensor->name + ": data do not fit its shape");
    TAGCLIP_CHECK(tensor->name != kMetadataKey && !header.contains(tensor->name),
                  tensor->name + ": the name is taken");
    header[tensor->name] = {{"dtype", to_string(tensor->dtype)},
                            {"shape", tensor->shape},
                            {"data_offsets", {begin, end}}};
    begin = end;
  }
  return header;
}

// The header's length and text, padded so that the data start at a multiple of 8 bytes.
std::string encode_header(const json& header, const std::filesystem::path& path) {
  std::string text;
  try {
    text = header.dump();
  } catch (const json::type_error&) {
    throw bad_input("cannot write " + path.string() + ": a tensor name or metadata is not UTF-8");
  }
  text.append((8 - text.size() % 8) % 8, ' ');
  TAGCLIP_CHECK(text.size() <= kMaxSafetensorsHeader, path.string() + ": too many tensors");
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const std::vector<TensorView>& tensors,
                       const Metadata& metadata) {
  const std::vector<const TensorView*> order = aligned_order(tensors);
  const std::string header = encode_header(header_json(order, metadata), path);
  AtomicFile file(path);
  file.write(header);
  for (const TensorView* tensor : order) file.write(tensor->data);
  file.commit();
}

}  // namespace tagclip

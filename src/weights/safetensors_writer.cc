#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "weights/safetensors_header.h"

namespace tagclip {
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

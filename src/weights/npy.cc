#include "weights/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "io/file_signature.h"

namespace tagclip {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kAlignment = 64;

// The names lack the sign of the byte order.
constexpr auto kTypes = std::to_array<std::pair<std::string_view, DType>>({
    {"f8", DType::kF64},
    {"f4", DType::kF32},
    {"f2", DType::kF16},
    {"i8", DType::kI64},
    {"i4", DType::kI32},
    {"i2", DType::kI16},
    {"i1", DType::kI8},
    {"u8", DType::kU64},
    {"u4", DType::kU32},
    {"u2", DType::kU16},
    {"u1", DType::kU8},
    {"b1", DType::kBool},
});

// The elements of a type as NumPy writes it: "<f4".
struct ElementType {
  DType dtype;
  bool big_endian;
};

std::optional<ElementType> parse_type(std::string_view descr) {
  if (descr.empty()) return {};
  const char order = descr.front();
  if (std::string_view("<>|=").find(order) == std::string_view::npos) return {};
  const auto found =
      std::ranges::find(kTypes, descr.substr(1), [](auto& type) { return type.first; });
  if (found == kTypes.end()) return {};
  return ElementType{found->second, order == '>'};
}

void swap_bytes(std::span<std::byte> data, size_t size) {
  for (size_t at = 0; at + size <= data.size(); at += size) {
    std::ranges::reverse(data.subspan(at, size));
  }
}

// Returns the elements of a column-major array in row-major order.
std::vector<std::byte> in_rows(const TensorView& columns) {
  const size_t size = size_of(columns.dtype);
  const std::vector<int64_t>& shape = columns.shape;
  std::vector<std::byte> rows(columns.data.size());
  std::vector<int64_t> strides(shape.size(), 1), index(shape.size(), 0);  // in elements
  for (size_t d = 1; d < shape.size(); ++d) strides[d] = strides[d - 1] * shape[d - 1];
  int64_t at = 0;
  for (size_t to = 0; to < rows.size(); to += size) {
    std::memcpy(&rows[to], &columns.data[static_cast<size_t>(at) * size], size);
    for (size_t d = shape.size(); d-- > 0;) {
      at += strides[d];
      if (++index[d] < shape[d]) break;
      at -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return rows;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Returns the text behind 'key': in the header, which is the text of a Python dict.
std::optional<std::string_view> entry(std::string_view header, std::string_view key) {
  const size_t at = header.find(fmt::format("'{}':", key));
  if (at == header.npos) return {};
  header.remove_prefix(at + key.size() + 3);
  const size_t start = header.find_first_not_of(' ');
  return start == header.npos ? std::optional<std::string_view>() : header.substr(start);
}

// An array as it lies in the file.
struct StoredArray {
  TensorView view;
  bool big_endian = false, column_major = false;
};

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  StoredArray read() const {
    const std::string_view all = text_of(bytes_);
    if (!all.starts_with(kMagic))
      reject("not a .npy file; it looks like " + describe_bytes(bytes_));
    if (all.size() < 12) reject("truncated");
    const int version = static_cast<uint8_t>(all[6]);
    if (version < 1 || version > 3) reject(fmt::format("format version {} is not known", version));
    const size_t start = version == 1 ? 10 : 12;
    const size_t length = number(all.substr(8, start - 8));
    if (length > all.size() - start) reject("the header reaches beyond the end of the file");
    const std::string_view header = all.substr(start, length);

    StoredArray array;
    const ElementType type = element_type(header);
    const std::string_view order = entry(header, "fortran_order").value_or("");
    array.big_endian = type.big_endian;
    array.column_major = order.starts_with("True");
    if (!array.column_major && !order.starts_with("False")) {
      reject("'fortran_order' in the header is neither True nor False");
    }
    array.view.dtype = type.dtype;
    array.view.shape = shape(header);
    array.view.data = bytes_.subspan(start + length);
    check_size(array.view);
    return array;
  }

 private:
  [[noreturn]] void reject(const std::string& why) const {
    throw bad_input(name_ + ": " + why, "numpy.save writes such a file");
  }

  static size_t number(std::string_view little_endian) {
    size_t value = 0;
    for (size_t i = little_endian.size(); i-- > 0;) {
      value = value << 8 | static_cast<uint8_t>(little_endian[i]);
    }
    return value;
  }

  ElementType element_type(std::string_view header) const {
    std::string_view descr = entry(header, "descr").value_or("");
    if (descr.starts_with('[')) {
      throw bad_input(name_ + ": an array of records, which is not supported",
                      "save one of its fields: numpy.save(file, array['field'])");
    }
    if (descr.size() < 2 || (descr.front() != '\'' && descr.front() != '"')) {
      reject("there is no element type ('descr') in the header");
    }
    const char quote = descr.front();
    descr = descr.substr(1, descr.find(quote, 1) - 1);
    if (const std::optional<ElementType> type = parse_type(descr)) return *type;
    throw bad_input(
        fmt::format("{}: elements of type {}, which is not supported", name_, in_quotes(descr)),
        "save plain numbers: numpy.save(file, array.astype('float32'))");
  }

  std::vector<int64_t> shape(std::string_view header) const {
    std::string_view rest = entry(header, "shape").value_or("");
    const size_t end = rest.find(')');
    if (!rest.starts_with('(') || end == rest.npos) reject("there is no shape in the header");
    rest = rest.substr(1, end - 1);
    std::vector<int64_t> shape;
    while (true) {
      const size_t start = rest.find_first_not_of(" ,");
      if (start == rest.npos) return shape;
      rest.remove_prefix(start);
      int64_t size = 0;
      const auto [next, error] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
      if (error != std::errc() || size < 0) reject("the shape in the header is damaged");
      shape.push_back(size);
      rest.remove_prefix(next - rest.data());
    }
  }

  void check_size(const TensorView& view) const {
    const std::optional<uint64_t> expected = checked_bytes(view.dtype, view.shape);
    if (!expected) reject("the shape in the header is too large");
    if (view.data.size() == *expected) return;
    reject(fmt::format("shape {} needs {} bytes, the file holds {}", shape_text(view.shape),
                       *expected, view.data.size()));
  }

  std::span<const std::byte> bytes_;
  const std::string& name_;
};

}  // namespace

NpyArray parse_npy(std::vector<std::byte> bytes, const std::string& name) {
  NpyArray array{std::move(bytes), {}};
  StoredArray stored = Reader(array.bytes, name).read();
  array.view = std::move(stored.view);
  if (stored.big_endian) {
    const size_t begin = array.bytes.size() - array.view.data.size();
    swap_bytes(std::span(array.bytes).subspan(begin), size_of(array.view.dtype));
  }
  if (stored.column_major) {
    array.bytes = in_rows(array.view);
    array.view.data = array.bytes;
  }
  return array;
}

NpyArray read_npy(const std::filesystem::path& path) {
  return parse_npy(read_bytes(path), path.string());
}

void write_npy(const std::filesystem::path& path, const TensorView& array) {
  const auto type =
      std::ranges::find(kTypes, array.dtype, [](auto& entry) { return entry.second; });
  TAGCLIP_CHECK(type != kTypes.end(), "an element type that NumPy does not have");
  const std::string descr = (size_of(array.dtype) == 1 ? '|' : '<') + std::string(type->first);
  std::string shape = fmt::format("{}", fmt::join(array.shape, ", "));
  if (array.shape.size() == 1) shape += ',';
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, shape);
  const size_t unpadded = kMagic.size() + 4 + header.size() + 1;
  header.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  header += '\n';

  AtomicFile file(path);
  file.write(kMagic);
  file.write("\x01\x00"sv);
  const std::array<char, 2> length = {static_cast<char>(header.size() & 0xFF),
                                      static_cast<char>(header.size() >> 8)};
  file.write(std::string_view(length.data(), length.size()));
  file.write(header);
  file.write(array.data);
  file.commit();
}

}  // namespace tagclip

#include "weights/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "io/file_signature.h"

namespace tagclip {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kAlignment = 64;

constexpr auto kTypes = std::to_array<std::pair<std::string_view, DType>>({
    {"<f8", DType::kF64},
    {"<f4", DType::kF32},
    {"<f2", DType::kF16},
    {"<i8", DType::kI64},
    {"<i4", DType::kI32},
    {"<i2", DType::kI16},
    {"|i1", DType::kI8},
    {"|u1", DType::kU8},
    {"|b1", DType::kBool},
});

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

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  TensorView read() const {
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

    TensorView view;
    view.dtype = dtype(header);
    if (!entry(header, "fortran_order").value_or("").starts_with("False")) {
      reject("expected row-major order ('fortran_order': False)");
    }
    view.shape = shape(header);
    view.data = bytes_.subspan(start + length);
    check_size(view);
    return view;
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

  DType dtype(std::string_view header) const {
    const std::string_view descr = entry(header, "descr").value_or("");
    for (const auto& [name, type] : kTypes) {
      if (descr.starts_with(fmt::format("'{}'", name))) return type;
    }
    reject("expected little-endian numbers ('descr': '<f4' or the like)");
  }

  std::vector<int64_t> shape(std::string_view header) const {
    std::string_view rest = entry(header, "shape").value_or("");
    const size_t end = rest.find(')');
    if (!rest.starts_with("(") || end == rest.npos) reject("there is no shape in the header");
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
  array.view = Reader(array.bytes, name).read();
  return array;
}

NpyArray read_npy(const std::filesystem::path& path) {
  return parse_npy(read_bytes(path), path.string());
}

void write_npy(const std::filesystem::path& path, const TensorView& array) {
  std::string_view descr;
  for (const auto& [name, type] : kTypes) {
    if (type == array.dtype) descr = name;
  }
  TAGCLIP_CHECK(!descr.empty(), "an element type that NumPy does not have");
  std::string shape = fmt::format("{}", fmt::join(array.shape, ", "));
  if (array.shape.size() == 1) shape += ",";
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

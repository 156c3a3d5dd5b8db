#include "weights/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using testing::HasSubstr;

std::vector<std::byte> file(const std::string& header, const std::string& data,
                            char version = '\1') {
  std::string text = "\x93NUMPY";
  text += version;
  text += '\0';
  text += static_cast<char>(header.size());
  text += static_cast<char>(header.size() >> 8);
  if (version != '\1') text += std::string(2, '\0');
  text += header + data;
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

const std::string kHeader = "{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }\n";

TEST(Npy, ReadsEveryVersion) {
  for (const char version : {'\1', '\2', '\3'}) {
    const NpyArray array = parse_npy(file(kHeader, std::string(12, 'x'), version), "a.npy");
    EXPECT_EQ(array.view.dtype, DType::kF16);
    EXPECT_EQ(array.view.shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(array.view.data.size(), 12U);
  }
}

TEST(Npy, ThereAndBack) {
  const TestDir folder;
  const std::vector<float> numbers = {1, -2, 3.5};
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{3}, std::vector<int64_t>{1, 3}, std::vector<int64_t>{3, 1, 1}}) {
    write_npy(folder / "a.npy",
              {.dtype = DType::kF32, .shape = shape, .data = std::as_bytes(std::span(numbers))});
    const NpyArray array = read_npy(folder / "a.npy");
    EXPECT_EQ(array.view.shape, shape);
    EXPECT_EQ(array.view.dtype, DType::kF32);
    EXPECT_TRUE(std::ranges::equal(array.view.data, std::as_bytes(std::span(numbers))));
    EXPECT_EQ((array.bytes.size() - 12) % 64, 0U);
  }
}

// numpy.save writes [[1, 2, 3], [4, 5, 6]] so, in C and in Fortran order.
TEST(Npy, ColumnMajorAndBigEndianFiles) {
  const std::vector<int16_t> expected = {1, 2, 3, 4, 5, 6};
  const struct {
    std::string type, fortran, numbers;
  } cases[] = {{"<i2", "False", {"\1\0\2\0\3\0\4\0\5\0\6\0", 12}},
               {">i2", "False", {"\0\1\0\2\0\3\0\4\0\5\0\6", 12}},
               {"<i2", "True", {"\1\0\4\0\2\0\5\0\3\0\6\0", 12}},
               {">i2", "True", {"\0\1\0\4\0\2\0\5\0\3\0\6", 12}}};
  for (const auto& [type, fortran, numbers] : cases) {
    const std::string header =
        "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': (2, 3), }\n";
    const NpyArray array = parse_npy(file(header, numbers), "a.npy");
    EXPECT_EQ(array.view.shape, (std::vector<int64_t>{2, 3}));
    ASSERT_EQ(array.view.data.size(), 12U);
    EXPECT_EQ(std::memcmp(array.view.data.data(), expected.data(), 12), 0) << type << fortran;
  }
}

TEST(Npy, RefusesWhatItCannotRead) {
  const auto refuses = [](std::vector<std::byte> bytes, const std::string& why) {
    EXPECT_THAT(bad_input_text([&] { parse_npy(std::move(bytes), "a.npy"); }), HasSubstr(why));
  };
  const std::string data(12, 'x');
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string header = kHeader;
    header.replace(header.find(from), from.size(), to);
    return file(header, data);
  };
  refuses({}, "an empty file");
  refuses(std::vector<std::byte>(20, std::byte{'a'}), "looks like text");
  refuses(file(kHeader, data, '\4'), "version 4");
  refuses(file(kHeader, data.substr(1)), "needs 12 bytes, the file holds 11");
  refuses(file(kHeader, data + "y"), "holds 13");
  refuses(with("False", "Maybe"), "neither True nor False");
  refuses(with("'<f2'", "'<U5'"), "elements of type \"<U5\", which is not supported");
  refuses(with("'<f2'", "'|O'"), "\"|O\", which is not supported");
  refuses(with("'<f2'", "'<c8'"), "not supported");
  refuses(with("'<f2'", "[('a', '<f2')]"), "an array of records");
  refuses(with("'<f2'", "12"), "no element type");
  refuses(with("(2, 3)", "(2, -3)"), "damaged");
  refuses(with("(2, 3)", "(2, x)"), "damaged");
  refuses(with("(2, 3)", "(4294967296, 4294967296, 3)"), "too large");
  refuses(with("'shape'", "'sheep'"), "no shape");
  auto cut = file(kHeader, "");
  cut.resize(40);
  refuses(cut, "beyond the end");
}

}  // namespace
}  // namespace tagclip

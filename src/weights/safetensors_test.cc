#include "weights/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "io/file_signature.h"
#include "support/places.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::filesystem::path kMalformed = source_folder() / "tests/data/io/malformed";
const std::filesystem::path kShared = shared_folder();

// Returns the bytes of a file with this header and as many zero bytes of data.
std::vector<std::byte> file_of(std::string_view header, size_t data) {
  std::vector<std::byte> bytes;
  for (int shift = 0; shift < 64; shift += 8) {
    bytes.push_back(static_cast<std::byte>(uint64_t{header.size()} >> shift));
  }
  const auto text = std::as_bytes(std::span(header));
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.resize(bytes.size() + data);
  return bytes;
}

std::string why_refused(std::string_view header, size_t data) {
  const auto bytes = file_of(header, data);
  return bad_input_text([&] { SafetensorsFile::parse(bytes, "a.safetensors"); });
}

template <typename T>
std::vector<T> values(const TensorView& tensor) {
  std::vector<T> result(tensor.data.size() / sizeof(T));
  std::ranges::copy(tensor.data, std::as_writable_bytes(std::span(result)).begin());
  return result;
}

TEST(Safetensors, MalformedFilesAreHandledAsExpected) {
  const auto expected = nlohmann::json::parse(std::ifstream(kMalformed / "expected.json"));
  ASSERT_GT(expected.size(), 20u);
  for (const auto& [name, entry] : expected.items()) {
    if (entry.at("expect") == "reject") {
      EXPECT_THAT(bad_input_text([&] { SafetensorsFile::open(kMalformed / name); }),
                  HasSubstr(name));
    } else {  // sound as a container
      EXPECT_NO_THROW(SafetensorsFile::open(kMalformed / name)) << name;
    }
  }
}

TEST(Safetensors, EveryReferenceFileOpens) {
  if (!std::filesystem::exists(kShared / "golden")) {
    GTEST_SKIP() << "no reference data at " << kShared;
  }
  int opened = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kShared / "golden")) {
    const bool malformed = entry.path().parent_path().filename() == "malformed";
    if (entry.path().extension() != ".safetensors" || malformed) continue;
    EXPECT_FALSE(SafetensorsFile::open(entry.path()).tensors().empty()) << entry.path();
    ++opened;
  }
  EXPECT_GT(opened, 10);
}

TEST(Safetensors, ReadsValues) {
  const auto file = SafetensorsFile::open(kMalformed / "valid_small.safetensors");
  const TensorView* a = file.find("a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->dtype, DType::kF32);
  EXPECT_EQ(a->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(a->numel(), 6);
  EXPECT_EQ(values<float>(*a), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  const TensorView* b = file.find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(values<uint16_t>(*b), std::vector<uint16_t>(4, 0x3C00));
  EXPECT_EQ(file.find("c"), nullptr);
}

TEST(Safetensors, ViewsOutliveTheFileTheyWereCopiedFrom) {
  SafetensorsFile copy = [] {
    const auto file = SafetensorsFile::open(kMalformed / "valid_small.safetensors");
    return SafetensorsFile(file);
  }();
  EXPECT_EQ(values<float>(*copy.find("a"))[5], 5.0f);
}

TEST(Safetensors, RoundTrip) {
  TestDir dir;
  const std::vector<float> floats{1.5f, -2.0f, 3.25f, 0.0f, 1e-30f, 7.0f};
  const std::vector<uint8_t> bytes{1, 0, 1};
  const std::vector<int64_t> scalar{-42};
  const std::vector<TensorView> tensors{
      {"flags", DType::kBool, {3}, std::as_bytes(std::span(bytes))},
      {"weight", DType::kF32, {2, 3}, std::as_bytes(std::span(floats))},
      {"step", DType::kI64, {}, std::as_bytes(std::span(scalar))},
      {"none", DType::kF16, {0, 5}, {}},
      {"n\"a\\me\n\u00e9", DType::kU8, {1, 3, 1}, std::as_bytes(std::span(bytes))},
  };
  const Metadata metadata{{"format", "pt"}, {"words", "caf\u00e9, \"cat\"\n"}};
  write_safetensors(dir / "a.safetensors", tensors, metadata);

  const auto file = SafetensorsFile::open(dir / "a.safetensors");
  EXPECT_EQ(file.metadata(), metadata);
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const TensorView& written : tensors) {
    const TensorView* read = file.find(written.name);
    ASSERT_NE(read, nullptr) << written.name;
    EXPECT_EQ(read->dtype, written.dtype) << written.name;
    EXPECT_EQ(read->shape, written.shape) << written.name;
    EXPECT_EQ(values<uint8_t>(*read), values<uint8_t>(written)) << written.name;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(read->data.data()) % size_of(read->dtype), 0u);
  }
  EXPECT_EQ(file.tensors().front().name, "step");
}

TEST(Safetensors, EveryElementTypeHasANameAndASize) {
  TestDir dir;
  const std::vector<std::byte> data(16);
  for (int type = 0; type <= static_cast<int>(DType::kC128); ++type) {
    const auto dtype = static_cast<DType>(type);
    write_safetensors(dir / "a", {{"x", dtype, {}, std::span(data).first(size_of(dtype))}}, {});
    EXPECT_EQ(SafetensorsFile::open(dir / "a").find("x")->dtype, dtype) << to_string(dtype);
  }
}

TEST(Safetensors, NoTensors) {
  TestDir dir;
  write_safetensors(dir / "a", {}, {});
  EXPECT_TRUE(SafetensorsFile::open(dir / "a").tensors().empty());
}

TEST(Safetensors, WriterRefusesContradictions) {
  TestDir dir;
  const std::vector<std::byte> four(4);
  const TensorView x{"x", DType::kF32, {1}, four};
  EXPECT_THROW(write_safetensors(dir / "a", {x, x}, {}), InternalError);
  EXPECT_THROW(write_safetensors(dir / "a", {{"x", DType::kF32, {2}, four}}, {}), InternalError);
  EXPECT_THROW(write_safetensors(dir / "a", {{"x", DType::kF32, {-1}, four}}, {}), InternalError);
  EXPECT_THROW(
      write_safetensors(dir / "a", {{"__metadata__", DType::kF32, {1}, four}}, {{"k", "v"}}),
      InternalError);
  EXPECT_THAT(bad_input_text([&] { write_safetensors(dir / "a", {x}, {{"k", "\xFF"}}); }),
              HasSubstr("not UTF-8"));
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(Safetensors, SaysWhatIsWrongWithAHeader) {
  EXPECT_THAT(why_refused(R"({"x":{"dtype":"F4","shape":[8],"data_offsets":[0,4]}})", 4),
              AllOf(HasSubstr("a.safetensors"), HasSubstr("\"x\""), HasSubstr("type \"F4\""),
                    HasSubstr("not supported"), Not(HasSubstr("broken"))));
  EXPECT_THAT(why_refused(R"({"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4),
              HasSubstr("negative number -1"));
  EXPECT_THAT(why_refused(R"({"x":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4),
              HasSubstr("the number \"1.0\""));
  EXPECT_THAT(why_refused(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4),
              HasSubstr("two numbers"));
  EXPECT_THAT(why_refused(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}})", 4),
              HasSubstr("two offsets"));
  EXPECT_THAT(why_refused(R"({"x":{"dtype":"F32","shape":[1]}})", 4),
              HasSubstr("only some of them"));
  EXPECT_THAT(why_refused(R"({"x":{"dtype":"F32","dtype":"F32"}})", 4), HasSubstr("there twice"));
  EXPECT_THAT(why_refused(R"({"x":{"dtype":"F32","kind":"?"}})", 4), HasSubstr("found \"kind\""));
  EXPECT_THAT(why_refused(R"({"x":[1]})", 0), HasSubstr("found an array"));
  EXPECT_THAT(why_refused(R"({"__metadata__":{"a":1}})", 0), HasSubstr("expected a string"));
  EXPECT_THAT(why_refused(R"({"__metadata__":{"a":"1","a":"2"}})", 0), HasSubstr("there twice"));
  EXPECT_THAT(why_refused(R"({"__metadata__":{},"__metadata__":{}})", 0), HasSubstr("there twice"));
  EXPECT_THAT(why_refused(R"({"__metadata__":null})", 0), HasSubstr("found null"));
  EXPECT_THAT(why_refused(R"({} {})", 0), HasSubstr("no valid UTF-8 JSON"));
  EXPECT_THAT(why_refused(std::string("{}\0 ", 4), 0), HasSubstr("zero byte at 2"));
  EXPECT_THAT(why_refused("{}", 1), HasSubstr("1 bytes of data"));
  EXPECT_THAT(why_refused(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4),
              AllOf(HasSubstr("only 4 bytes of data"), HasSubstr("cut off")));
}

TEST(Safetensors, HostileNamesAreSafeToPrint) {
  const std::string text = why_refused(R"({"\u001b[2J)" + std::string(5000, 'x') + R"(":[]})", 0);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_LT(text.size(), 300u);
}

TEST(Safetensors, ShapeProductsThatWrapAreRefused) {
  // 2^32 x 2^32 x 1 byte is 0 modulo 2^64.
  EXPECT_THAT(
      why_refused(R"({"x":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})",
                  0),
      HasSubstr("more than 2^63"));
}

TEST(Safetensors, OtherFilesAreNamed) {
  TestDir dir;
  std::ofstream(dir / "page.safetensors") << "<html>not found</html>";
  EXPECT_THAT(bad_input_text([&] { SafetensorsFile::open(dir / "page.safetensors"); }),
              HasSubstr("expected a safetensors file, found an HTML page"));
  EXPECT_THAT(bad_input_text([&] { SafetensorsFile::open(dir / "none"); }),
              HasSubstr("No such file"));
  EXPECT_THAT(bad_input_text([&] { SafetensorsFile::open(dir.path()); }), HasSubstr("a folder"));
}

TEST(Safetensors, EveryTruncationIsAnError) {
  const auto bytes = read_bytes(kMalformed / "not_a_clip.safetensors");
  ASSERT_NO_THROW(SafetensorsFile::parse(bytes, "whole"));
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THROW(SafetensorsFile::parse(std::span(bytes).first(length), "cut"), Error) << length;
  }
}

}  // namespace
}  // namespace tagclip

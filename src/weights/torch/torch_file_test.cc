#include "weights/torch/torch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <numeric>

#include "base/files.h"
#include "support/places.h"
#include "support/test_dir.h"
#include "support/test_errors.h"
#include "weights/torch/test_archive.h"

namespace tagclip {
namespace {

using namespace pickles;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using std::string_literals::operator""s;

const std::filesystem::path kCheckpoints = source_folder() / "tests/data/checkpoints";

// Returns the bytes of the floats 0, 1, 2, ...
std::string rising(size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0f);
  return {reinterpret_cast<const char*>(values.data()), count * sizeof(float)};
}

std::vector<float> floats(const TensorView& tensor) {
  std::vector<float> values(tensor.data.size() / sizeof(float));
  std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

std::vector<std::string> names(const TorchFile& file) {
  std::vector<std::string> names;
  for (const TensorView& tensor : file.tensors()) names.push_back(tensor.name);
  return names;
}

// One storage "0" of 6 floats, and what the pickle makes of it.
std::string archive_of(const std::string& body) {
  return torch_archive(whole(body), {{"0", rising(6)}});
}

std::string view(int64_t offset, const std::vector<int64_t>& shape,
                 const std::vector<int64_t>& strides) {
  return tensor(storage("0", 6), offset, shape, strides);
}

std::string why_refused(const std::string& bytes) {
  return bad_input_text([&] { TorchFile::parse(as_bytes(bytes), "a.pt"); });
}

TEST(TorchFile, NamesAreThePathsToTensors) {
  const std::string whole_view = view(0, {6}, {1});
  const std::string bytes = archive_of(
      dict({text("state_dict"), dict({text("a.weight"), whole_view, text("b"), whole_view}),
            text("list"), list({"N", whole_view}), text("optimizer"),
            dict({text("state"), dict({integer(0), dict({text("step"), whole_view})})}),
            tuple({text("odd"), integer(1)}), whole_view, text("epoch"), integer(7)}));
  const TorchFile file = TorchFile::parse(as_bytes(bytes), "a.pt");
  EXPECT_EQ(file.container(), TorchFile::Container::kZip);
  EXPECT_EQ(file.name(), "a.pt");
  EXPECT_THAT(names(file), ElementsAre("state_dict.a.weight", "state_dict.b", "list.1",
                                       "optimizer.state.0.step", "<tuple>"));
  EXPECT_EQ(file.find("list.1"), &file.tensors()[2]);
  EXPECT_EQ(file.find("list"), nullptr);
  EXPECT_EQ(file.root().find("epoch")->integer(), 7);
}

TEST(TorchFile, ATensorAlone) {
  const std::string bytes = archive_of(view(0, {2, 3}, {3, 1}));
  EXPECT_THAT(names(TorchFile::parse(as_bytes(bytes), "a.pt")), ElementsAre(""));
}

TEST(TorchFile, ContiguousTensorsLieInTheFile) {
  const std::string bytes =
      archive_of(list({view(2, {2, 2}, {2, 1}), view(5, {}, {}), view(1, {1, 3, 1}, {99, 1, 7}),
                       view(6, {0}, {1}), view(0, {2, 0}, {-0, 1})}));
  const TorchFile file = TorchFile::parse(as_bytes(bytes), "a.pt");
  const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
  for (size_t i = 0; i < 3; ++i) {
    const auto data = file.tensors()[i].data;
    EXPECT_TRUE(data.data() >= first && data.data() + data.size() <= first + bytes.size()) << i;
  }
  EXPECT_THAT(floats(file.tensors()[0]), ElementsAre(2, 3, 4, 5));
  EXPECT_EQ(file.tensors()[0].shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(file.tensors()[0].dtype, DType::kF32);
  EXPECT_THAT(floats(file.tensors()[1]), ElementsAre(5));
  EXPECT_THAT(floats(file.tensors()[2]), ElementsAre(1, 2, 3));
  EXPECT_EQ(file.tensors()[3].numel(), 0);
  EXPECT_EQ(file.tensors()[4].numel(), 0);
}

TEST(TorchFile, OtherTensorsAreGathered) {
  const std::string bytes = archive_of(list({view(0, {3, 2}, {1, 3})}));  // transposed [2,3]
  TorchFile file = [&] {
    const TorchFile first = TorchFile::parse(as_bytes(bytes), "a.pt");
    return TorchFile(first);
  }();
  EXPECT_THAT(floats(file.tensors()[0]), ElementsAre(0, 3, 1, 4, 2, 5));
  const std::string strided = archive_of(view(1, {3}, {2}));
  EXPECT_THAT(floats(TorchFile::parse(as_bytes(strided), "a.pt").tensors()[0]),
              ElementsAre(1, 3, 5));
}

TEST(TorchFile, TensorsOutsideTheirStorage) {
  const auto why = [](const std::string& body) { return why_refused(archive_of(body)); };
  const std::string outside = "reaches outside its storage of 6 elements in 24 bytes";
  EXPECT_THAT(why(dict({text("w"), view(0, {7}, {1})})),
              AllOf(HasSubstr("a.pt: tensor \"w\" of shape [7]"), HasSubstr(outside)));
  EXPECT_THAT(why(view(1, {6}, {1})), HasSubstr(outside));
  EXPECT_THAT(why(view(7, {}, {})), HasSubstr(outside));
  EXPECT_THAT(why(view(0, {2, 2}, {5, 1})), HasSubstr(outside));
  EXPECT_THAT(why(view(INT64_MAX, {1}, {1})), HasSubstr(outside));
  EXPECT_THAT(why(view(1, {2}, {INT64_MAX})), HasSubstr(outside));
  EXPECT_THAT(why(view(0, {3}, {INT64_MAX})), HasSubstr(outside));
  EXPECT_THAT(why(view(0, {1 << 20, 1 << 20, 1 << 22, 4}, {0, 0, 0, 0})),
              HasSubstr("larger than 2^63 bytes"));
  EXPECT_THAT(why(view(0, {7}, {0})), HasSubstr("repeats elements"));
  EXPECT_THAT(why(view(0, {1 << 20, 1 << 20}, {0, 0})), HasSubstr("repeats elements"));
}

TEST(TorchFile, CopiesAreBounded) {
  const std::string bytes = torch_archive(
      whole(storage("0", 60'000) + "q\x01"s + "0" + global("torch._utils", "_rebuild_tensor") +
            tuple({"h\x01"s, integer(0), tuple({integer(200), integer(300)}),
                   tuple({integer(1), integer(200)})}) +
            "Rq\x02"s + "0" + list(std::vector<std::string>(50, "h\x02"s))),
      {{"0", rising(60'000)}});
  EXPECT_THAT(why_refused(bytes), HasSubstr("would take more memory than the file"));
}

TEST(TorchFile, TheListOfTensorsIsBounded) {
  std::vector<std::string> entries;
  for (int i = 0; i < 200; ++i) {
    entries.push_back(integer(i));
    entries.push_back("h\x01"s);
  }
  std::string body = dict(entries);
  for (int i = 0; i < 50; ++i) body = dict({text(std::string(1000, 'k')), body});
  EXPECT_THAT(why_refused(archive_of(view(0, {}, {}) + "q\x01"s + "0" + body)),
              HasSubstr("would outgrow the file"));
  const std::string everywhere = list(std::vector<std::string>(10'000, "h\x01"s));
  EXPECT_THAT(why_refused(archive_of(view(0, {}, {}) + "q\x01"s + "0" + everywhere)),
              HasSubstr("would outgrow the file"));
}

TEST(TorchFile, StoragesThatDoNotFit) {
  const std::string six = whole(view(0, {6}, {1}));
  EXPECT_THAT(why_refused(torch_archive(six, {})), HasSubstr("no entry \"archive/data/0\""));
  EXPECT_THAT(why_refused(torch_archive(six, {{"0", rising(5)}})),
              HasSubstr("storage \"0\" has 20 bytes, too few for 6 elements of F32"));
  const std::string huge = whole(tensor(storage("0", INT64_MAX), 0, {1}, {1}));
  EXPECT_THAT(why_refused(torch_archive(huge, {{"0", rising(6)}})), HasSubstr("too few"));
  EXPECT_NO_THROW(TorchFile::parse(as_bytes(torch_archive(six, {{"0", rising(7)}})), "a.pt"));
}

TEST(TorchFile, EveryElementType) {
  const std::map<std::string, DType> types{
      {"DoubleStorage", DType::kF64}, {"FloatStorage", DType::kF32},
      {"HalfStorage", DType::kF16},   {"BFloat16Storage", DType::kBF16},
      {"LongStorage", DType::kI64},   {"IntStorage", DType::kI32},
      {"ShortStorage", DType::kI16},  {"CharStorage", DType::kI8},
      {"ByteStorage", DType::kU8},    {"BoolStorage", DType::kBool}};
  for (const auto& [type, dtype] : types) {
    const std::string bytes = torch_archive(whole(tensor(storage("0", 3, type), 0, {3}, {1})),
                                            {{"0", std::string(3 * size_of(dtype), '\1')}});
    const TorchFile file = TorchFile::parse(as_bytes(bytes), "a.pt");
    EXPECT_EQ(file.tensors()[0].dtype, dtype) << type;
    EXPECT_EQ(file.tensors()[0].data.size(), 3 * size_of(dtype)) << type;
  }
}

TEST(TorchFile, TwoTensorsOfOneName) {
  EXPECT_THAT(why_refused(archive_of(dict({text("a.b"), view(0, {6}, {1}), text("a"),
                                           dict({text("b"), view(0, {6}, {1})})}))),
              HasSubstr("two tensors are named \"a.b\""));
}

TEST(TorchFile, ArchivesThatAreNotOfTorch) {
  const std::string pickle = whole("N");
  EXPECT_THAT(why_refused(ZipWriter().write({{"a.txt", "hello"}})), HasSubstr("no data.pkl"));
  EXPECT_THAT(why_refused(ZipWriter().write({{"data.pkl", pickle}})), HasSubstr("no data.pkl"));
  EXPECT_THAT(why_refused(ZipWriter().write({{"a/b/data.pkl", pickle}})), HasSubstr("no data.pkl"));
  EXPECT_THAT(why_refused(ZipWriter().write({{"a/data.pkl", pickle}, {"b/data.pkl", pickle}})),
              HasSubstr("two folders"));
  EXPECT_THAT(why_refused(ZipWriter().write({{"a/data.pkl", pickle, 8}})), HasSubstr("compressed"));
  EXPECT_THAT(why_refused(ZipWriter().write({{"a/data.pkl", pickle}, {"a/byteorder", "big"}})),
              HasSubstr("expected little-endian storages, found \"big\""));
  const std::string little =
      ZipWriter().write({{"any name/data.pkl", pickle}, {"any name/byteorder", "little"}});
  EXPECT_TRUE(TorchFile::parse(as_bytes(little), "a.pt").root().is_none());
}

TEST(TorchFile, ScriptArchivesMayNameTheirClasses) {
  const std::string pickle =
      whole(global("__torch__.m", "M") + ")\x81}(" + text("w") + view(0, {6}, {1}) + "ub");
  const auto archive = [&](const std::string& extra) {
    return ZipWriter().write({{"m/data.pkl", pickle}, {"m/data/0", rising(6)}, {extra, "", 8}});
  };
  for (const std::string extra : {"m/constants.pkl", "m/code/__torch__/m.py"}) {
    const std::string bytes = archive(extra);
    const TorchFile file = TorchFile::parse(as_bytes(bytes), "a.pt");
    EXPECT_EQ(file.container(), TorchFile::Container::kTorchScript);
    EXPECT_THAT(names(file), ElementsAre("w"));
    EXPECT_EQ(file.root().object()->class_name, "__torch__.m.M");
  }
  EXPECT_THAT(why_refused(archive("m/version")), HasSubstr("asks for __torch__.m.M"));
}

TEST(TorchFile, OtherFilesAreNamed) {
  EXPECT_THAT(why_refused(""), HasSubstr("expected a PyTorch file, found an empty file"));
  EXPECT_THAT(why_refused("<html>"), HasSubstr("found an HTML page"));
  EXPECT_THAT(why_refused("\x80\x04N."), HasSubstr("found a Python pickle"));
  std::string tar(512, '\0');
  tar.replace(257, 5, "ustar");
  EXPECT_THAT(why_refused(tar), AllOf(HasSubstr("found a tar archive"), HasSubstr("0.1.10")));
  EXPECT_THAT(bad_input_text([] { TorchFile::open("/none.pt"); }), HasSubstr("No such file"));
}

TEST(TorchFile, OpenMapsTheFile) {
  const TorchFile copy = [] {
    return TorchFile::open(kCheckpoints / "malformed/valid_small.pt");
  }();
  ASSERT_NE(copy.find("a"), nullptr);
  EXPECT_EQ(copy.find("a")->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_THAT(floats(*copy.find("a")), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(TorchFile, EveryTruncationIsAnError) {
  const std::string bytes = archive_of(dict({text("w"), view(0, {2, 3}, {3, 1})}));
  ASSERT_NO_THROW(TorchFile::parse(as_bytes(bytes), "whole"));
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THROW(TorchFile::parse(as_bytes(bytes).first(length), "cut"), Error) << length;
  }
}

}  // namespace
}  // namespace tagclip

// Files as torch.save wrote them before PyTorch 1.6.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "support/test_errors.h"
#include "weights/torch/test_pickles.h"
#include "weights/torch/torch_file.h"

namespace tagclip {
namespace {

using namespace pickles;
using ::testing::HasSubstr;
using std::string_literals::operator""s;

struct LegacyParts {
  std::string magic = whole("\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19"s);
  std::string version = whole(integer(1001));
  std::string machine = whole(dict({text("little_endian"), "\x88"}));
  std::string object = whole(dict({text("w"), tensor(legacy_storage("77", 2), 0, {2}, {1})}));
  std::string keys = whole(list({text("77")}));
  std::string storages = little_endian(2, 8) + "\0\0\x80\x3F\0\0\0\x40"s;  // 1 and 2

  static std::string legacy_storage(const std::string& key, int32_t numel) {
    return tuple({text("storage"), global("torch", "FloatStorage"), text(key), text("cpu"),
                  integer(numel), "N"}) +
           'Q';
  }
  std::string bytes() const { return magic + version + machine + object + keys + storages; }
};

std::string why_refused(const LegacyParts& parts) {
  return bad_input_text([&] { TorchFile::parse(as_bytes(parts.bytes()), "a.pth"); });
}

TEST(TorchLegacy, ReadsTensors) {
  LegacyParts parts;
  // Newer versions of the pickle protocol put all into a frame.
  for (const std::string& start : {"\x80\x02"s, "\x80\x04\x95\x0D\0\0\0\0\0\0\0"s}) {
    parts.magic = start + "\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.";
    const std::string bytes = parts.bytes();
    const TorchFile file = TorchFile::parse(as_bytes(bytes), "a.pth");
    EXPECT_EQ(file.container(), TorchFile::Container::kLegacy);
    ASSERT_NE(file.find("w"), nullptr);
    EXPECT_EQ(file.find("w")->shape, (std::vector<int64_t>{2}));
    EXPECT_EQ(reinterpret_cast<const char*>(file.find("w")->data.data()),
              bytes.data() + bytes.size() - 8);
  }
}

TEST(TorchLegacy, HeadersThatDoNotFit) {
  LegacyParts parts;
  parts.version = whole(integer(1002));
  EXPECT_THAT(why_refused(parts), HasSubstr("expected version 1001 of the format, found 1002"));
  parts = {};
  parts.machine = whole(dict({text("little_endian"), "\x89"}));
  EXPECT_THAT(why_refused(parts), HasSubstr("little-endian machine"));
  parts.machine = whole("N");
  EXPECT_THAT(why_refused(parts), HasSubstr("little-endian machine"));
}

TEST(TorchLegacy, NothingIsRun) {
  LegacyParts parts;
  parts.object = whole(dict({text("meta"), call(global("posix", "system"), {text("true")})}));
  EXPECT_THAT(why_refused(parts), HasSubstr("asks for posix.system"));
}

TEST(TorchLegacy, StoragesThatDoNotFit) {
  LegacyParts parts;
  parts.keys = whole("N");
  EXPECT_THAT(why_refused(parts), HasSubstr("not listed"));
  parts.keys = whole(list({"N"}));
  EXPECT_THAT(why_refused(parts), HasSubstr("key that is not text"));
  parts.keys = whole(list({}));
  EXPECT_THAT(why_refused(parts), HasSubstr("storage \"77\" is missing"));
  parts.keys = whole(list({text("78")}));
  EXPECT_THAT(why_refused(parts), HasSubstr("storage \"78\" belongs to no tensor"));
  parts.keys = whole(list({text("77"), text("77")}));
  parts.storages += parts.storages;
  EXPECT_THAT(why_refused(parts), HasSubstr("storage \"77\" is there twice"));
  parts = {};
  parts.storages[0] = 3;
  EXPECT_THAT(why_refused(parts), HasSubstr("holds 3 elements, its tensors expect 2"));
  parts.storages = std::string(8, '\xFF');
  EXPECT_THAT(why_refused(parts), HasSubstr("its tensors expect 2"));
}

TEST(TorchLegacy, SizesThatWrap) {
  LegacyParts parts;
  parts.object = whole(tensor(storage("77", INT64_MAX), 0, {1}, {1}));
  parts.storages = little_endian(INT64_MAX, 8) + "\0\0\0\0"s;
  EXPECT_THAT(why_refused(parts), HasSubstr("of 9223372036854775807 elements"));
}

TEST(TorchLegacy, EveryTruncationIsAnError) {
  const std::string bytes = LegacyParts().bytes();
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THROW(TorchFile::parse(as_bytes(bytes).first(length), "cut"), Error) << length;
  }
}

}  // namespace
}  // namespace tagclip

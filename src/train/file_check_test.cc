#include "train/file_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "data/test_dataset.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using test::DatasetFiles;
using test::make_photo;
using ::testing::AllOf;
using ::testing::HasSubstr;

class FileCheck : public ::testing::Test {
 protected:
  FileCheck() {
    files_.text("classes.txt", "sky\ngrass\n");
    std::string names;
    for (int i = 0; i < 6; ++i) {
      const std::string name = "p" + std::to_string(i);
      files_.photo("images/" + name + ".png", make_photo(8, 6, i));
      files_.labels("labels/" + name + ".png", 8, 6, std::vector<uint16_t>(48, 1));
      names += name + "\n";
    }
    files_.text("train.txt", names);
  }
  Dataset data() const { return {files_.options(), "train"}; }
  void check(BadImagePolicy bad_photos = BadImagePolicy::kFail) {
    check_files(data(), bad_photos, hooks_);
  }

  DatasetFiles files_;
  std::string warning_;
  bool stop_ = false;
  FileCheckHooks hooks_{[](int64_t, int64_t) {}, [this] { return stop_; },
                        [this](const std::string& words) { warning_ = words; }};
};

TEST_F(FileCheck, NamesPairsThatCannotBeUsed) {
  EXPECT_NO_THROW(check());
  files_.labels("labels/p2.png", 7, 6, std::vector<uint16_t>(42, 1));
  files_.text("images/p4.png", "no image");
  EXPECT_THAT(bad_input_text([&] { check(); }),
              AllOf(HasSubstr("2 of 6 pairs cannot be used"), HasSubstr("p2.png is 7x6, but"),
                    HasSubstr("p4.png")));
  check(BadImagePolicy::kSkip);
  EXPECT_THAT(warning_, HasSubstr("bad_photos = skip"));
}

TEST_F(FileCheck, FindsValuesThatAreNoClass) {
  EXPECT_NO_THROW(check_label_values(data(), hooks_));
  std::vector<uint16_t> labels(48, 1);
  labels[47] = 2;
  files_.labels("labels/p5.png", 8, 6, labels);
  EXPECT_NO_THROW(check());
  EXPECT_THAT(bad_input_text([&] { check_label_values(data(), hooks_); }),
              HasSubstr("p5.png: the pixel at x 7, y 5 has label 2"));
}

TEST_F(FileCheck, CanBeStopped) {
  stop_ = true;
  try {
    check();
    FAIL() << "it was told to stop";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kStopped);
  }
}

}  // namespace
}  // namespace tagclip

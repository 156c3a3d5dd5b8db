#include "infer/photo_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using Names = std::vector<std::string>;

class PhotoList : public testing::Test {
 protected:
  void touch(const std::string& name) { std::ofstream(folder_ / name) << 'x'; }

  // Names of the photos that inputs in the folder expand to.
  Names expand(Names inputs, const std::string& list = "") {
    for (std::string& input : inputs) {
      if (input != "-") input = (folder_ / input).string();
    }
    std::istringstream stream(list);
    Names names;
    for (const auto& photo : list_photos(inputs, stream))
      names.push_back(photo.filename().string());
    return names;
  }

  TestDir folder_;
};

TEST_F(PhotoList, AFolderGivesItsPhotosInNaturalOrder) {
  for (const char* name :
       {"b10.jpg", "b9.PNG", "B9.5.webp", "a.jpeg", "notes.txt", "x_overlay.png", "x_labels.png"}) {
    touch(name);
  }
  std::filesystem::create_directory(folder_ / "deeper.jpg");
  EXPECT_EQ(expand({"."}), (Names{"a.jpeg", "B9.5.webp", "b9.PNG", "b10.jpg"}));
}

TEST_F(PhotoList, PatternsAreExpandedUnlessAFileHasThatName) {
  for (const char* name : {"p1.jpg", "p2.jpg", "p10.jpg", "q[1].jpg", "q1.jpg"}) touch(name);
  EXPECT_EQ(expand({"p*.jpg"}), (Names{"p1.jpg", "p2.jpg", "p10.jpg"}));
  EXPECT_EQ(expand({"q[1].jpg"}), Names{"q[1].jpg"});
}

TEST_F(PhotoList, KeepsTheOrderOfInputsAndNamesEachPhotoOnce) {
  for (const char* name : {"a.jpg", "b.jpg"}) touch(name);
  EXPECT_EQ(expand({"b.jpg", ".", "./a.jpg", "missing.jpg"}),
            (Names{"b.jpg", "a.jpg", "missing.jpg"}));
}

TEST_F(PhotoList, ReadsAListFromAStream) {
  for (const char* name : {"a.jpg", "b.jpg"}) touch(name);
  const std::string folder = folder_.path().string();
  EXPECT_EQ(expand({"-"}, folder + "/b.jpg\r\n\n" + folder + "/*.jpg\n"),
            (Names{"b.jpg", "a.jpg"}));
}

TEST_F(PhotoList, NothingFoundIsAnError) {
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { expand({"."}); }),
              testing::HasSubstr("no .jpg"));
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { expand({"*.jpg"}); }),
              testing::HasSubstr("nothing matches"));
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { expand({"-"}, "\n"); }),
              testing::HasSubstr("is empty"));
}

TEST(NaturalLess, CountsNumbersAsNumbers) {
  const Names ordered = {"a", "a1", "a01", "A2", "a2b", "a10", "a010", "b"};
  for (size_t i = 0; i < ordered.size(); ++i) {
    for (size_t j = 0; j < ordered.size(); ++j) {
      const bool equal_numbers =
          (i == 1 && j == 2) || (i == 2 && j == 1) || (i == 5 && j == 6) || (i == 6 && j == 5);
      if (!equal_numbers) {
        EXPECT_EQ(natural_less(ordered[i], ordered[j]), i < j) << ordered[i] << ' ' << ordered[j];
      }
    }
  }
  EXPECT_NE(natural_less("a1", "a01"), natural_less("a01", "a1"));
}

}  // namespace
}  // namespace tagclip

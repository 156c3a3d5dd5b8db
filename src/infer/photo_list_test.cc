#include "infer/photo_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/files.h"
#include "image/png.h"
#include "image/test_images.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

using testing::HasSubstr;

using Names = std::vector<std::string>;

class PhotoListTest : public testing::Test {
 protected:
  void touch(const std::string& name, const std::string& content = "x") {
    write_file(folder_ / name, content);
  }
  void photo(const std::string& name) { write_png(folder_ / name, gradient_image(4, 4)); }

  // `inputs` in the folder; "-" is the list.
  PhotoList list_of(Names inputs, const std::string& list = "") {
    for (std::string& input : inputs) {
      if (input != "-") input = (folder_ / input).string();
    }
    return list_photos(inputs, [&] { return list; });
  }
  static Names names_of(const PhotoList& list) {
    Names names;
    for (const auto& photo : list.photos) names.push_back(photo.filename().string());
    return names;
  }
  Names expand(Names inputs, const std::string& list = "") {
    return names_of(list_of(std::move(inputs), list));
  }

  TestDir folder_;
};

TEST_F(PhotoListTest, AFolderGivesItsPhotosInNaturalOrder) {
  for (const char* name : {"b10.jpg", "b9.PNG", "B9.5.webp", "a.jpeg"}) touch(name);
  EXPECT_EQ(expand({"."}), (Names{"a.jpeg", "B9.5.webp", "b9.PNG", "b10.jpg"}));
}

TEST_F(PhotoListTest, AFolderIsReadByContent) {
  for (const char* name : {"a.jpg", "b.jfif", "c.jpg.1", "d"}) photo(name);
  touch("e.gif", "GIF89a..."), touch("f.tif", std::string("II*\0....", 8)), touch("g", "GIF87a..");
  touch("notes.txt"), touch("h.bin", "\x80\x90"), touch("empty", "");
  touch(".hidden.jpg"), touch("._a.jpg", std::string("\0\5\x16\7", 4));
  photo("old.png.tmp-12-0");
  std::filesystem::create_directory(folder_ / "deeper.jpg");
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  const PhotoList list = list_of({"."});
  EXPECT_EQ(names_of(list), (Names{"a.jpg", "b.jfif", "c.jpg.1", "d"}));
  ASSERT_EQ(list.left_out.size(), 1U);
  EXPECT_TRUE(list.left_out[0].pictures);
  EXPECT_THAT(list.left_out[0].text,
              HasSubstr("left out 8 files: 2 GIF images, 1 TIFF image, 1 empty file, 1 special "
                        "file, 1 text file, 1 unfinished tagclip file, 1 unknown file (JPEG, PNG "
                        "and WebP are read); 1 folder in it is not searched"));
}

TEST_F(PhotoListTest, OnlyWhatARecordCallsAResultIsOne) {
  photo("street_labels.png"), photo("cat.jpg");
  for (const char* name : {"cat_overlay.png", "cat_labels.png"}) photo(name);
  touch("dog_labels.png"), touch("dog_classes.json", "{}");
  EXPECT_EQ(expand({"."}), (Names{"cat.jpg", "cat_labels.png", "cat_overlay.png", "dog_labels.png",
                                  "street_labels.png"}));
  touch("cat_classes.json", R"({"photo": "cat.jpg", "classes": [], "unlabelled": {}})");
  const PhotoList list = list_of({"."});
  EXPECT_EQ(names_of(list), (Names{"cat.jpg", "dog_labels.png", "street_labels.png"}));
  EXPECT_THAT(list.left_out.at(0).text, HasSubstr("2 JSON text files, 2 tagclip results"));
  EXPECT_FALSE(list.left_out.at(0).pictures);
}

TEST_F(PhotoListTest, WhatCannotBeLookedAtIsLeftToItsTurn) {
  std::filesystem::create_symlink("loop", folder_ / "loop");
  std::filesystem::create_symlink("nowhere", folder_ / "dangling.jpg");
  photo("a.jpg");
  EXPECT_EQ(expand({"."}), (Names{"a.jpg", "dangling.jpg", "loop"}));
  EXPECT_EQ(expand({"loop", "a.jpg/below", std::string(256, 'x')}).size(), 3U);
}

TEST_F(PhotoListTest, PatternsAreExpandedUnlessAFileHasThatName) {
  for (const char* name : {"p1.jpg", "p2.jpg", "p10.jpg", "q[1].jpg", "q1.jpg"}) touch(name);
  EXPECT_EQ(expand({"p*.jpg"}), (Names{"p1.jpg", "p2.jpg", "p10.jpg"}));
  EXPECT_EQ(expand({"q[1].jpg"}), Names{"q[1].jpg"});
}

TEST_F(PhotoListTest, KeepsTheOrderOfInputsAndNamesEachPhotoOnce) {
  for (const char* name : {"a.jpg", "b.jpg"}) touch(name);
  EXPECT_EQ(expand({"b.jpg", ".", "./a.jpg", "missing.jpg"}),
            (Names{"b.jpg", "a.jpg", "missing.jpg"}));
}

TEST_F(PhotoListTest, ReadsAList) {
  for (const char* name : {"a.jpg", "b.jpg", "q1.jpg"}) touch(name);
  const std::string folder = folder_.path().string();
  EXPECT_EQ(expand({"-"}, "\xEF\xBB\xBF" + folder + "/b.jpg\r\n\n" + folder + "/*.jpg\n"),
            (Names{"b.jpg", "a.jpg", "q1.jpg"}));
  const std::string with_nul = folder + "/q[1].jpg" + '\0' + folder + "/a.jpg" + '\0';
  EXPECT_EQ(expand({"-"}, with_nul), (Names{"q[1].jpg", "a.jpg"})) << "names, not patterns";
}

TEST_F(PhotoListTest, AnEntryThatGivesNothingCostsItselfAlone) {
  touch("a.jpg");
  std::filesystem::create_directory(folder_ / "empty");
  const PhotoList list = list_of({"empty", "a.jpg", "gone[1].jpg"});
  EXPECT_EQ(names_of(list), Names{"a.jpg"});
  ASSERT_EQ(list.unusable.size(), 2U);
  EXPECT_THAT(list.unusable[0].error.what(), HasSubstr("empty: no photo in this folder"));
  EXPECT_THAT(list.unusable[1].error.what(), HasSubstr("gone[1].jpg: there is no such file"));
  EXPECT_EQ(list.unusable[1].entry, (folder_ / "gone[1].jpg").string());
}

TEST_F(PhotoListTest, AFolderThatAPatternCannotLookIntoIsNamed) {
  std::filesystem::create_symlink("loop", folder_ / "loop");
  std::filesystem::create_directory(folder_ / "fine");
  touch("fine/a.jpg");
  const PhotoList list = list_of({"loop/*.jpg"});
  EXPECT_TRUE(list.photos.empty());
  ASSERT_EQ(list.unusable.size(), 1U);
  EXPECT_THAT(list.unusable[0].error.what(), HasSubstr("/loop: Too many levels of symbolic links"));
  // Whether "*/" meets the link is up to the C library; what it finds is not lost by it.
  EXPECT_EQ(list_of({"*/*.jpg"}).photos.size(), 1U);
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

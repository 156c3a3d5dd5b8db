#include "label_formats/class_colours.h"

#include <gmock/gmock.h>

#include "base/files.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using testing::HasSubstr;

class ClassColoursTest : public testing::Test {
 protected:
  std::vector<MaskClass> read(const std::string& text) const {
    write_file(dir_ / "list.txt", text);
    return read_class_list(dir_ / "list.txt");
  }

  TestDir dir_;
};

TEST_F(ClassColoursTest, ColoursInAllNotations) {
  for (const char* text :
       {"# label:color_rgb:parts:actions\nroad sign:1,2,3::\ntree:255,0,7:a,b:c\n",
        "name,r,g,b\nroad sign,1,2,3\ntree,255,0,7\n", "1 2 3\troad sign\n255 0 7\ttree\n",
        "0,road sign,1,2,3\n1,tree,255,0,7\n", "road sign #010203\ntree #FF0007\n",
        "\xEF\xBB\xBFroad sign: 1, 2, 3\r\n\r\ntree: 255, 0, 7\r\n"}) {
    SCOPED_TRACE(text);
    const auto classes = read(text);
    ASSERT_EQ(classes.size(), 2u);
    EXPECT_EQ(classes[0].name, "road sign");
    EXPECT_EQ(classes[0].colour, (Colour{1, 2, 3}));
    EXPECT_EQ(classes[1].name, "tree");
    EXPECT_EQ(classes[1].colour, (Colour{255, 0, 7}));
  }
}

TEST_F(ClassColoursTest, NamesAndValues) {
  const auto names = read("sky\nbuilding, edifice\nroom 2\n");
  ASSERT_EQ(names.size(), 3u);
  EXPECT_EQ(names[1].name, "building, edifice");
  EXPECT_EQ(names[2].value, 2);
  EXPECT_FALSE(names[0].colour);
  const auto values = read("Pixel Value, Class\n0, background\n7, crack\n");
  ASSERT_EQ(values.size(), 2u);
  EXPECT_EQ(values[1].name, "crack");
  EXPECT_EQ(values[1].value, 7);
  EXPECT_EQ(read("__ignore__\n_background_\ncup\n")[0].name, "_background_");
}

TEST_F(ClassColoursTest, WhatCannotBeMeant) {
  const auto text_of = [&](const char* text) { return bad_input_text([&] { read(text); }); };
  EXPECT_THAT(text_of("road: 1,2,300\n"), HasSubstr("line 1: 300 is no part of a colour"));
  EXPECT_THAT(text_of("a: 1,2,3\nb: 1,2,3\n"), HasSubstr("line 2: another class has that colour"));
  EXPECT_THAT(text_of("0: a\n0: b\n"), HasSubstr("line 2: another class has the value 0"));
  EXPECT_THAT(text_of("a: 1,2,3\nb\n"), HasSubstr("some lines have a colour"));
  EXPECT_THAT(text_of("a\n\xFF\n"), HasSubstr("line 2 is not UTF-8"));
  EXPECT_THAT(text_of("# nothing\n"), HasSubstr("names no class"));
}

}  // namespace
}  // namespace tagclip

#include "text/class_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "base/files.h"
#include "support/places.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::vector<std::string>> words_of(const std::vector<ClassWords>& classes) {
  std::vector<std::vector<std::string>> words;
  for (const ClassWords& c : classes) words.push_back(c.words);
  return words;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
  return "no error";
}

std::string classes_error(const std::string& text, size_t max_classes = 65534) {
  return error_of([&] { parse_classes(text, max_classes); });
}

class ClassFile : public testing::Test {
 protected:
  std::string write(std::string_view text) {
    write_file(dir_ / "classes.txt", text);
    return (dir_ / "classes.txt").string();
  }
  TestDir dir_;
};

TEST(ParseClasses, ReadsAList) {
  EXPECT_THAT(words_of(parse_classes("cat")), ElementsAre(ElementsAre("cat")));
  EXPECT_THAT(words_of(parse_classes(" traffic light ,Cat,\u3000猫 ")),
              ElementsAre(ElementsAre("traffic light"), ElementsAre("Cat"), ElementsAre("猫")));
  EXPECT_EQ(parse_classes("cat, dog").at(1).name(), "dog");
  EXPECT_THAT(words_of(parse_classes("tv/monitor,cat")),
              ElementsAre(ElementsAre("tv/monitor"), ElementsAre("cat")));
}

TEST(ParseClasses, NamesTheEntryThatIsWrong) {
  EXPECT_EQ(classes_error(""), "list of classes: no class in it");
  EXPECT_EQ(classes_error(" \t"), "list of classes: no class in it");
  EXPECT_EQ(classes_error("cat,,dog"), "list of classes, entry 2: empty word");
  EXPECT_EQ(classes_error("cat,"), "list of classes, entry 2: empty word");
  EXPECT_EQ(classes_error("cat,d\xFFg"),
            "list of classes, entry 2: byte 1 (0xff) is not valid UTF-8");
  EXPECT_EQ(classes_error(std::string("cat,d\0g", 7)),
            "list of classes, entry 2: holds the control character U+0000");
  EXPECT_EQ(classes_error("a\u0085b,c"),
            "list of classes, entry 1: holds the control character U+0085");
  EXPECT_EQ(classes_error("cat," + std::string(1001, 'x')),
            "list of classes, entry 2: a word of 1001 bytes, allowed are 1000");
  EXPECT_EQ(classes_error("a,b,c", 2), "list of classes, entry 3: more than 2 classes");
}

TEST(ParseClasses, SaysWhichFileIsMissing) {
  EXPECT_EQ(classes_error("clases.txt"), "clases.txt does not exist, or is a folder");
  EXPECT_EQ(classes_error("lists/voc"), "lists/voc does not exist, or is a folder");
  TestDir dir;
  EXPECT_THAT(classes_error(dir.path().string()), HasSubstr("is a folder"));
}

TEST_F(ClassFile, HoldsOneClassALineWithSynonyms) {
  const std::string path =
      write("\xEF\xBB\xBFsofa, couch\r\n\r\n# a comment\n  potted plant \r\n猫");
  EXPECT_THAT(
      words_of(parse_classes(path)),
      ElementsAre(ElementsAre("sofa", "couch"), ElementsAre("potted plant"), ElementsAre("猫")));
}

TEST_F(ClassFile, NamesTheLineThatIsWrong) {
  EXPECT_THAT(classes_error(write("cat\n\nsofa,,couch\n")),
              HasSubstr("classes.txt, line 3: empty word"));
  EXPECT_THAT(classes_error(write("# nothing\n\n")), HasSubstr("classes.txt: no class in it"));
  EXPECT_THAT(classes_error(write("cat\ncaf\xE9\n")),
              HasSubstr("line 2: byte 3 (0xe9) is not valid UTF-8"));
  EXPECT_THAT(classes_error(write("cat\rdog\n")),
              HasSubstr("line 1: holds the control character U+000D"));
  EXPECT_THAT(classes_error(write("a\nb\nc\n"), 2), HasSubstr("line 3: more than 2 classes"));
}

TEST(ParseClasses, AWordWinsOverAFileOfItsName) {
  TestDir dir;
  write_file(dir / "sky", "sea\n");
  const auto old = std::filesystem::current_path();
  std::filesystem::current_path(dir.path());
  EXPECT_EQ(parse_classes("sky").at(0).name(), "sky");
  EXPECT_EQ(parse_classes("./sky").at(0).name(), "sea");
  EXPECT_THAT(class_list_remarks("sky", {}), ElementsAre(HasSubstr("'./sky' is the file")));
  EXPECT_THAT(class_list_remarks("./sky", parse_classes("./sky")), IsEmpty());
  EXPECT_THAT(class_list_remarks("sea", {}), IsEmpty());
  std::filesystem::current_path(old);
}

TEST(ClassListRemarks, TellOfAFileWhoseOneLineIsOneClass) {
  const TestDir dir;
  const std::string line = (dir / "line.txt").string(), lines = (dir / "lines.txt").string();
  write_file(line, "sky, sea, grass\n");
  write_file(lines, "sky, heaven\nsea\n");
  EXPECT_THAT(class_list_remarks(line, parse_classes(line)),
              ElementsAre(HasSubstr("line.txt lists one class: its 3 words are synonyms")));
  EXPECT_THAT(class_list_remarks(lines, parse_classes(lines)), IsEmpty());
}

TEST(ParseClasses, RefusesAFileWithoutEnd) {
  EXPECT_EQ(classes_error("/dev/zero"), "cannot read /dev/zero: it is larger than 64 MiB");
}

TEST_F(ClassFile, MayHoldTenThousandClasses) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "word " + std::to_string(i) + "\n";
  EXPECT_EQ(parse_classes(write(text)).size(), 10'000);
}

TEST(ParseTemplates, KnowsTheSetsOfThePaper) {
  EXPECT_THAT(parse_templates("single"), ElementsAre("a photo of a {}"));
  const auto multi = parse_templates("multi");
  ASSERT_EQ(multi.size(), 15);
  EXPECT_EQ(multi.front(), "a photo of a {}.");
  EXPECT_EQ(multi.back(), "This is one {} in the scene.");
}

TEST(ParseTemplates, KnowsTheSetOfImageNet) {
  const auto templates = parse_templates("imagenet");
  ASSERT_EQ(templates.size(), 80);
  EXPECT_EQ(templates.front(), "a bad photo of a {}.");
  EXPECT_EQ(templates.back(), "a tattoo of the {}.");
  for (const std::string& text : templates) EXPECT_EQ(parse_templates(text).front(), text);
}

TEST(AddBackground, IsAClassOfManyWords) {
  std::vector<ClassWords> classes = {{{"cat"}}};
  add_background("wall, floor", classes);
  ASSERT_EQ(classes.size(), 2U);
  EXPECT_EQ(classes[1].name(), "background");
  EXPECT_EQ(classes[1].words, (std::vector<std::string>{"wall", "floor"}));
  EXPECT_EQ(classes[1].synonyms, Synonyms::kMax);
  EXPECT_THROW(add_background("Cat", classes), Error);
  std::vector<ClassWords> light = {{{"traffic light"}}};
  EXPECT_THROW(add_background("traffic\u00A0light", light), Error);
  std::vector<ClassWords> named = {{{"Background"}}};
  EXPECT_THROW(add_background("wall", named), Error);
}

TEST(ParseTemplates, AgreesWithTheSharedList) {
  std::ifstream list(shared_folder() / "data/class_lists/templates15.txt");
  if (!list) GTEST_SKIP() << "needs the shared data: " << shared_folder();
  for (const std::string& known : parse_templates("multi")) {
    std::string line;
    ASSERT_TRUE(std::getline(list, line));
    EXPECT_EQ(known, line);
  }
}

TEST(ParseTemplates, TakesATemplateOrAFile) {
  EXPECT_THAT(parse_templates(" a drawing of a {}, n/a "), ElementsAre("a drawing of a {}, n/a"));
  TestDir dir;
  write_file(dir / "t.txt", "a {}.\r\n\n# more\n{} here\n");
  EXPECT_THAT(parse_templates((dir / "t.txt").string()), ElementsAre("a {}.", "{} here"));
}

TEST(ParseTemplates, SaysWhatIsWrong) {
  const auto templates_error = [](const std::string& text) {
    return error_of([&] { parse_templates(text); });
  };
  EXPECT_EQ(templates_error("a photo"), "template: 'a photo' does not hold {} exactly once");
  EXPECT_EQ(templates_error("{} and {}"), "template: '{} and {}' does not hold {} exactly once");
  EXPECT_EQ(templates_error("mine.txt"), "mine.txt does not exist, or is a folder");
  EXPECT_THAT(templates_error("a \x01 {}"), HasSubstr("control character U+0001"));
  TestDir dir;
  write_file(dir / "t.txt", "a {}\nno place\n");
  EXPECT_THAT(templates_error((dir / "t.txt").string()), HasSubstr("t.txt, line 2: 'no place'"));
  write_file(dir / "t.txt", "\n");
  EXPECT_THAT(templates_error((dir / "t.txt").string()), HasSubstr("no template in it"));
}

TEST(FillTemplate, PutsTheWordInPlace) {
  EXPECT_EQ(fill_template("a photo of a {}.", "cat"), "a photo of a cat.");
  EXPECT_EQ(fill_template("{}", "{}"), "{}");
}

}  // namespace
}  // namespace tagclip

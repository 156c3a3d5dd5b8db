#include "infer/outputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "infer/test_result.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using Stems = std::vector<std::string>;

TEST(OutputStems, NoTwoPhotosShareOne) {
  EXPECT_EQ(output_stems({"a/cat.jpg", "b/cat.jpg", "cat.png", "dog.jpg"}),
            (Stems{"cat", "cat-2", "cat-3", "dog"}));
  EXPECT_EQ(output_stems({"a/cat.jpg", "b/cat.jpg", "cat-2.jpg"}),
            (Stems{"cat", "cat-3", "cat-2"}));
  EXPECT_EQ(output_stems({"cat-2.jpg", "b/cat-2.jpg", "cat.jpg", "b/cat.jpg"}),
            (Stems{"cat-2", "cat-2-2", "cat", "cat-3"}));
}

TEST(Outputs, LabelFileOverlayAndClasses) {
  const TestDir folder;
  const auto files = output_files(folder.path(), "cat");
  ASSERT_EQ(files.size(), 3U);
  const Image photo{100, 10, std::vector<uint8_t>(3000, 100)};
  write_outputs(files, {photo, example_result(), example_words(), "cat.jpg", "m"});
  EXPECT_EQ(read_image(folder / "cat_overlay.png").width, 400);
  EXPECT_EQ(read_label_map(folder / "cat_labels.png").labels, example_result().labels.labels);
  std::ifstream classes(folder / "cat_classes.json");
  EXPECT_EQ(nlohmann::json::parse(classes)["photo"], "cat.jpg");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 3);
}

TEST(OutputStems, LongNamesAreCutAndStayApart) {
  const std::string glyph = "\xE6\x97\xA5";
  std::string name;
  for (int i = 0; i < 82; ++i) name += glyph;  // 246 bytes
  const Stems stems = output_stems({name + "a.jpg", name + "b.jpg", "x/" + name + "a.jpg"});
  for (const std::string& stem : stems) {
    EXPECT_LE(stem.size() + std::string(".encoding.safetensors").size(), 255U);
    EXPECT_TRUE(is_utf8(stem)) << stem;
  }
  EXPECT_NE(stems[0], stems[1]);
  EXPECT_EQ(stems[2], stems[0] + "-2");
  EXPECT_EQ(output_stems({name + "a.jpg"})[0], stems[0]) << "whatever stands beside it";
}

TEST(Outputs, SayWhatTheyWereMadeFrom) {
  const TestDir folder;
  const auto files = output_files(folder.path(), "cat");
  const Image photo{100, 10, std::vector<uint8_t>(3000, 100)};
  const auto write = [&](const MadeFrom& made_from) {
    write_outputs(files, {photo, example_result(), example_words(), "cat.jpg", "m", made_from});
  };
  EXPECT_FALSE(is_result(folder.path(), "cat"));
  write({});
  EXPECT_TRUE(is_result(folder.path(), "cat"));
  EXPECT_EQ(read_made_from(class_file_of(files)), MadeFrom{});
  const MadeFrom made_from = {{"photo", "12ab"}, {"threshold", "0.5"}};
  write(made_from);
  EXPECT_EQ(read_made_from(class_file_of(files)), made_from);
  EXPECT_THAT(differences(made_from, {{"photo", "12ab"}, {"threshold", "0"}, {"words", "1"}}),
              testing::ElementsAre("threshold", "words"));
  EXPECT_THAT(differences(made_from, made_from), testing::IsEmpty());
  EXPECT_EQ(stem_of_image("cat_labels.png"), "cat");
  EXPECT_EQ(stem_of_image("cat_overlay.png"), "cat");
  EXPECT_EQ(stem_of_image("labels.png"), std::nullopt);
}

// A file that cannot be written leaves the earlier ones of all outputs as they were.
TEST(Outputs, AreReplacedTogether) {
  const TestDir folder;
  const Image photo{100, 10, std::vector<uint8_t>(3000, 100)};
  auto files = output_files(folder.path(), "cat");
  write_outputs(files, {photo, example_result(), example_words(), "old.jpg", "m"});
  files[1] = folder / "missing" / "cat_labels.png";
  EXPECT_THROW(write_outputs(files, {photo, example_result(), example_words(), "new.jpg", "m"}),
               Error);
  std::ifstream classes(files[2]);
  EXPECT_EQ(nlohmann::json::parse(classes)["photo"], "old.jpg");
  EXPECT_TRUE(std::filesystem::exists(files[0]));
}

TEST(Outputs, ManyClassesNeed16Bits) {
  const TestDir folder;
  const auto files = output_files(folder.path(), "cat");
  SegmentedPhoto result = example_result();
  result.labels.labels[5] = 299;
  write_outputs(files,
                {{100, 10, std::vector<uint8_t>(3000, 100)}, result, example_words(300), "", ""});
  EXPECT_EQ(read_label_map(folder / "cat_labels.png").labels, result.labels.labels);
}

TEST(Outputs, AFolderThatCannotBeWrittenIsAFailure) {
  const TestDir folder;
  const auto files = output_files(folder / "missing", "cat");
  const Image photo{100, 10, std::vector<uint8_t>(3000)};
  EXPECT_THAT(
      error_of(ErrorKind::kFailure,
               [&] { write_outputs(files, {photo, example_result(), example_words(), "", ""}); }),
      testing::HasSubstr("cat_overlay.png"));
}

}  // namespace
}  // namespace tagclip

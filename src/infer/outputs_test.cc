#include "infer/outputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

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

TEST(Outputs, AreNoPhotos) {
  EXPECT_TRUE(is_output_image("cat_labels.png"));
  EXPECT_TRUE(is_output_image("cat_overlay.png"));
  EXPECT_FALSE(is_output_image("labels.png"));
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

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

void write(const std::vector<std::filesystem::path>& files, const PhotoResult& result,
           const OutputSet& set = output_set({})) {
  write_outputs(files, result,
                output_run(files[0].parent_path(), result.vocabulary, result.weights_name, set),
                set);
}

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
  const auto files = output_files(folder.path(), "cat", output_set({}));
  ASSERT_EQ(files.size(), 3U);
  const Image photo{100, 10, std::vector<uint8_t>(3000, 100)};
  write(files, {photo, example_result(), example_words(), "cat.jpg", "m"});
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
  const auto files = output_files(folder.path(), "cat", output_set({}));
  const Image photo{100, 10, std::vector<uint8_t>(3000, 100)};
  const auto write_from = [&](const MadeFrom& made_from) {
    write(files, {photo, example_result(), example_words(), "cat.jpg", "m", made_from});
  };
  EXPECT_FALSE(is_result(folder.path(), "cat"));
  write_from({});
  EXPECT_TRUE(is_result(folder.path(), "cat"));
  EXPECT_EQ(read_made_from(class_file_of(files)), MadeFrom{});
  const MadeFrom made_from = {{"photo", "12ab"}, {"threshold", "0.5"}};
  write_from(made_from);
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
  auto files = output_files(folder.path(), "cat", output_set({}));
  write(files, {photo, example_result(), example_words(), "old.jpg", "m"});
  std::ofstream(folder / "file") << "";
  files[1] = folder / "file" / "cat_labels.png";
  EXPECT_THROW(write(files, {photo, example_result(), example_words(), "new.jpg", "m"}), Error);
  std::ifstream classes(files[0]);
  EXPECT_EQ(nlohmann::json::parse(classes)["photo"], "old.jpg");
  EXPECT_TRUE(std::filesystem::exists(files[2]));
}

TEST(Outputs, ManyClassesNeed16Bits) {
  const TestDir folder;
  const auto files = output_files(folder.path(), "cat", output_set({}));
  SegmentedPhoto result = example_result();
  result.labels.labels[5] = 299;
  write(files, {{100, 10, std::vector<uint8_t>(3000, 100)}, result, example_words(300), "", ""});
  EXPECT_EQ(read_label_map(folder / "cat_labels.png").labels, result.labels.labels);
}

TEST(Outputs, AFolderThatCannotBeWrittenIsAFailure) {
  const TestDir folder;
  const auto files = output_files(folder / "missing", "cat", output_set({}));
  const Image photo{100, 10, std::vector<uint8_t>(3000)};
  EXPECT_THAT(error_of(ErrorKind::kFailure,
                       [&] { write(files, {photo, example_result(), example_words(), "", ""}); }),
              testing::HasSubstr("cat_classes.json"));
}

TEST(Outputs, ManyFormatsAtOnce) {
  const TestDir folder;
  const OutputSet set = output_set({.output_format = "masks,coco,geojson", .instances = true});
  EXPECT_THAT(output_names(set), testing::ElementsAre("classes", "labels", "masks", "geojson"))
      << "COCO's file is made from labels";
  const auto files = output_files(folder.path(), "cat", set);
  const Image photo{100, 10, std::vector<uint8_t>(3000, 100)};
  SegmentedPhoto result = example_result();
  const auto write_all = [&] {
    write(files, {photo, result, example_words(), "cat.jpg", "m"}, set);
  };
  write_all();
  EXPECT_TRUE(std::filesystem::exists(folder / "masks/cat/sky.png"));
  const auto classes = nlohmann::json::parse(std::ifstream(folder / "cat_classes.json"));
  EXPECT_EQ(classes["regions"][1]["box"], nlohmann::json::parse("[0,9,99,1]"));
  EXPECT_EQ(classes["regions"][1]["mean_score"], 0.5);
  write_all();  // folders are replaced, too
  check_places(files, set);
  std::ofstream(folder / "masks/cat/notes.txt") << "mine";
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { check_places(files, set); }),
              testing::HasSubstr("notes.txt"));
}

TEST(Outputs, SmallRegionsAreMergedOrDropped) {
  SegmentedPhoto merged = example_result();
  SegmentedPhoto dropped = merged;
  clean_small_regions(output_set({.min_region = 100}), example_words(), merged);
  ASSERT_EQ(merged.found.size(), 1U);
  EXPECT_NEAR(merged.found[0].share, 0.999, 1e-9);
  clean_small_regions(output_set({.min_region = 100, .small_regions = SmallRegions::kDrop}),
                      example_words(), dropped);
  EXPECT_NEAR(dropped.unlabelled, 0.1, 1e-9);
  MadeFrom made_from;
  add_made_from(output_set({}), made_from);
  EXPECT_THAT(made_from, testing::IsEmpty()) << "results of earlier versions stay what they are";
}

}  // namespace
}  // namespace tagclip

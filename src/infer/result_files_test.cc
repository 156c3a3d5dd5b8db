#include "infer/result_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/test_dir.h"
#include "base/test_errors.h"
#include "infer/summary.h"

namespace tagclip {
namespace {

using Stems = std::vector<std::string>;

// 1000 pixels: 900 of class 0, 99 of class 2, 1 unlabelled.
SegmentedPhoto example() {
  SegmentedPhoto result{.labels = {100, 10, std::vector<uint16_t>(1000, 0)},
                        .found = {{0, 0.9, 0.5}, {2, 0.099, 0.25}},
                        .unlabelled = 0.001};
  std::fill_n(result.labels.labels.begin() + 900, 99, 2);
  result.labels.labels[999] = kIgnore;
  return result;
}

EmbeddedVocabulary words(size_t more = 0) {
  EmbeddedVocabulary vocabulary{.classes = {{{"cat", "kitten"}}, {{"dog"}}, {{"sky"}}},
                                .seen = {true, true, false},
                                .templates = {"a {}"}};
  for (size_t i = 0; i < more; ++i) {
    vocabulary.classes.push_back({{std::to_string(i)}});
    vocabulary.seen.push_back(false);
  }
  return vocabulary;
}

TEST(ResultStems, NoTwoPhotosShareOne) {
  EXPECT_EQ(result_stems({"a/cat.jpg", "b/cat.jpg", "cat.png", "dog.jpg"}),
            (Stems{"cat", "cat-2", "cat-3", "dog"}));
  EXPECT_EQ(result_stems({"a/cat.jpg", "b/cat.jpg", "cat-2.jpg"}),
            (Stems{"cat", "cat-3", "cat-2"}));
  EXPECT_EQ(result_stems({"cat-2.jpg", "b/cat-2.jpg", "cat.jpg", "b/cat.jpg"}),
            (Stems{"cat-2", "cat-2-2", "cat", "cat-3"}));
}

TEST(ResultFiles, SeeEachOfTheirFiles) {
  for (const char* name : {"cat_overlay.png", "cat_labels.png", "cat_classes.json"}) {
    const TestDir folder;
    const ResultFiles files(folder.path(), "cat");
    EXPECT_FALSE(files.any_exists());
    std::ofstream(folder / name) << 'x';
    EXPECT_TRUE(files.any_exists()) << name;
  }
  EXPECT_TRUE(is_result_name("cat_labels.png"));
  EXPECT_FALSE(is_result_name("labels.png"));
}

TEST(WriteResults, LabelFileOverlayAndClasses) {
  const TestDir folder;
  const ResultFiles files(folder.path(), "cat");
  const Image photo{100, 10, std::vector<uint8_t>(3000, 100)};
  write_results(files, photo, example(), words(), "{}");
  EXPECT_EQ(read_label_map(files.labels).labels, example().labels.labels);
  EXPECT_EQ(read_image(files.overlay).width, 400);
  EXPECT_EQ(std::filesystem::file_size(files.classes), 2U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 3);
}

TEST(WriteResults, ManyClassesNeed16Bits) {
  const TestDir folder;
  const ResultFiles files(folder.path(), "cat");
  SegmentedPhoto result = example();
  result.labels.labels[5] = 299;
  write_results(files, {100, 10, std::vector<uint8_t>(3000, 100)}, result, words(300), "{}");
  EXPECT_EQ(read_label_map(files.labels).labels, result.labels.labels);
}

TEST(WriteResults, AFolderThatCannotBeWrittenIsAFailure) {
  const TestDir folder;
  const ResultFiles files(folder / "missing", "cat");
  EXPECT_THAT(error_of(ErrorKind::kFailure,
                       [&] {
                         write_results(files, {100, 10, std::vector<uint8_t>(3000)}, example(),
                                       words(), "{}");
                       }),
              testing::HasSubstr("cat_overlay.png"));
}

TEST(Summary, NamesClassesAndCountsTheTinyOnes) {
  EXPECT_EQ(describe(example(), words()), "cat 90.0%, sky 9.9% (new), unlabelled 0.1%");
  SegmentedPhoto result = example();
  result.found = {{0, 0.9992, 0.5}, {1, 0.0005, 0.5}, {2, 0.0003, 0.5}};
  result.unlabelled = 0;
  EXPECT_EQ(describe(result, words()), "cat 99.9%, 2 more below 0.1%");
}

TEST(Summary, JsonExplainsTheLabelFile) {
  const auto json =
      nlohmann::json::parse(to_json(example(), words(), "ca\xff.jpg", "m.safetensors"));
  EXPECT_EQ(json["width"], 100);
  EXPECT_EQ(json["height"], 10);
  EXPECT_EQ(json["weights"], "m.safetensors");
  EXPECT_EQ(json["prompt_templates"], nlohmann::json::array({"a {}"}));
  EXPECT_EQ(json["unlabelled"], (nlohmann::json{{"value", 255}, {"share", 0.001}}));
  ASSERT_EQ(json["classes"].size(), 2U);
  const auto& cat = json["classes"][0];
  EXPECT_EQ(cat["index"], 0);
  EXPECT_EQ(cat["name"], "cat");
  EXPECT_EQ(cat["synonyms"], nlohmann::json::array({"kitten"}));
  EXPECT_EQ(cat["seen"], true);
  EXPECT_EQ(cat["share"], 0.9);
  EXPECT_EQ(cat["mean_score"], 0.5);
  EXPECT_EQ(cat["colour"].size(), 3U);
  EXPECT_EQ(json["classes"][1]["seen"], false);
}

}  // namespace
}  // namespace tagclip

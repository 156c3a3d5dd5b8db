#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/files.h"
#include "commands/commands.h"
#include "image/label_map.h"
#include "image/png.h"
#include "infer/test_model.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

class RecordedConsole : public Console {
 public:
  void print(std::string_view line) override {
    printed.emplace_back(line);
    if (on_print) on_print();
  }
  void note(std::string_view line) override { notes += std::string(line) + "\n"; }
  void warn(std::string_view line) override { warnings.emplace_back(line); }
  void progress(std::string_view, int64_t done, int64_t total) override {
    progressed.push_back(std::to_string(done) + "/" + std::to_string(total));
  }
  StopReason stop_reason() const override {
    return printed.size() >= stop_after ? StopReason::kUser : StopReason::kNone;
  }

  std::vector<std::string> printed, warnings, progressed;
  std::string notes;
  size_t stop_after = SIZE_MAX;
  std::function<void()> on_print;
};

class Segment : public testing::Test {
 protected:
  void SetUp() override {
    options_.weights = save_test_model(folder_ / "model.safetensors");
    options_.output = folder_ / "out";
    std::filesystem::create_directory(folder_ / "photos");
  }

  // A photo in photos/; returns its path.
  std::string photo(const std::string& name, int width = 70, int height = 50) {
    const auto path = folder_ / "photos" / name;
    std::vector<uint8_t> pixels(static_cast<size_t>(width) * height * 3);
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * i / 7);
    write_png(path, {width, height, pixels});
    return path.string();
  }
  std::string broken_photo(const std::string& name) {
    const auto path = folder_ / "photos" / name;
    std::ofstream(path) << "no photo";
    return path.string();
  }

  int run() {
    console_ = RecordedConsole{};
    console_.stop_after = stop_after_;
    console_.on_print = on_print_;
    return tagclip_segment(options_, console_);
  }

  TestDir folder_;
  SegmentOptions options_;
  RecordedConsole console_;
  size_t stop_after_ = SIZE_MAX;
  std::function<void()> on_print_;
};

TEST_F(Segment, APhotoBecomesALineAndThreeFiles) {
  options_.inputs = {photo("cat.png")};
  options_.vocabulary.classes = "cat, tree";
  EXPECT_EQ(run(), 0);
  EXPECT_THAT(console_.printed,
              ElementsAre(MatchesRegex(".*/cat\\.png 70x50: (cat|tree) [0-9.]+%.*  [0-9.]+ ms")));
  EXPECT_THAT(console_.notes, HasSubstr("2 classes: 1 seen in training, 1 new"));
  EXPECT_THAT(console_.notes, HasSubstr("ms per photo: read"));
  EXPECT_THAT(console_.notes,
              HasSubstr("1 done, 0 failed, 0 left; results are in " + options_.output.string()));
  EXPECT_EQ(read_label_map(options_.output / "cat_labels.png").width, 70);
  EXPECT_TRUE(std::filesystem::exists(options_.output / "cat_overlay.png"));
  std::ifstream classes(options_.output / "cat_classes.json");
  EXPECT_EQ(nlohmann::json::parse(classes)["photo"], "cat.png");
  EXPECT_TRUE(console_.progressed.empty());
}

TEST_F(Segment, JsonLinesForPrograms) {
  options_.inputs = {photo("a.png"), broken_photo("b.png")};
  options_.json = true;
  EXPECT_EQ(run(), 3);
  ASSERT_EQ(console_.printed.size(), 2U);
  const auto first = nlohmann::json::parse(console_.printed[0]);
  EXPECT_EQ(first["photo"], options_.inputs[0]);
  EXPECT_EQ(first["files"]["labels"], (options_.output / "a_labels.png").string());
  EXPECT_GT(first["milliseconds"], 0);
  EXPECT_THAT(nlohmann::json::parse(console_.printed[1])["error"], HasSubstr("b.png"));
}

TEST_F(Segment, ABadPhotoCostsItselfAlone) {
  photo("1.png"), broken_photo("2.jpg"), photo("3.png"), photo("4.png");
  options_.inputs = {(folder_ / "photos").string(), "missing.jpg"};
  EXPECT_EQ(run(), 3);
  EXPECT_EQ(console_.printed.size(), 3U);
  EXPECT_THAT(console_.warnings, ElementsAre(HasSubstr("2.jpg"), HasSubstr("missing.jpg")));
  EXPECT_THAT(console_.notes, HasSubstr("3 done, 2 failed, 0 left"));
  EXPECT_THAT(console_.progressed, ElementsAre("1/5", "2/5", "3/5", "4/5", "5/5"));
}

TEST_F(Segment, ResultsAreNotOverwrittenUnasked) {
  options_.inputs = {photo("a.png")};
  EXPECT_EQ(run(), 0);
  EXPECT_THAT(error_of(ErrorKind::kFailure, [&] { run(); }), HasSubstr("`overwrite`"));
  options_.inputs.push_back(photo("b.png"));
  EXPECT_EQ(run(), 0);
  EXPECT_THAT(console_.printed, ElementsAre(HasSubstr("b.png")));
  EXPECT_THAT(console_.warnings, ElementsAre(HasSubstr("1 of 2 photos have results")));
  options_.overwrite = true;
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(console_.printed.size(), 2U);
}

TEST_F(Segment, StopsAfterThePhotoInHand) {
  photo("1.png"), photo("2.png"), photo("3.png"), photo("4.png");
  options_.inputs = {(folder_ / "photos").string()};
  stop_after_ = 1;
  EXPECT_EQ(run(), kStopped);
  EXPECT_EQ(console_.printed.size(), 2U) << "the second was segmented while the first was written";
  EXPECT_THAT(console_.notes, HasSubstr("stopped: 2 done, 0 failed, 2 left"));
  EXPECT_TRUE(std::filesystem::exists(options_.output / "2_labels.png"));
  EXPECT_FALSE(std::filesystem::exists(options_.output / "3_labels.png"));
}

TEST_F(Segment, ResultsOfOthersAreNeitherDoneNorReplaced) {
  const auto run_again = [&] { return error_of(ErrorKind::kFailure, [&] { run(); }); };
  options_.inputs = {photo("a.png")};
  options_.vocabulary.classes = "cat, tree";
  EXPECT_EQ(run(), 0);
  const std::string before = read_text(options_.output / "a_labels.png");

  options_.vocabulary.classes = "cat, sky";
  EXPECT_THAT(run_again(), HasSubstr("that were made with other words, for 1 photo"));
  options_.vocabulary.classes = "cat, tree";
  options_.inference.threshold = 0.5;
  EXPECT_THAT(run_again(), HasSubstr("made with another `threshold`"));
  options_.inference.threshold = 0;
  ModelConfig other = test_config();
  other.prompts = 3;
  options_.weights = save_test_model(folder_ / "other.safetensors", test_classes(), other);
  EXPECT_THAT(run_again(), HasSubstr("made with other weights"));
  options_.weights = folder_ / "model.safetensors";
  options_.inference.window = 64;  // the model's own
  EXPECT_THAT(run_again(), HasSubstr("holds results of this photo already"));

  photo("a.png", 80), photo("b.png");
  options_.inputs.push_back((folder_ / "photos" / "b.png").string());
  EXPECT_EQ(run(), 3);
  EXPECT_THAT(console_.warnings, ElementsAre(HasSubstr("made from another photo, for 1 photo")));
  EXPECT_THAT(console_.notes, HasSubstr("1 done, 1 failed, 0 left"));
  EXPECT_EQ(read_text(options_.output / "a_labels.png"), before);

  std::filesystem::remove(options_.output / "b_overlay.png");  // as a process that was killed
  options_.inputs = {(folder_ / "photos" / "b.png").string()};
  EXPECT_EQ(run(), 0);
  EXPECT_TRUE(std::filesystem::exists(options_.output / "b_overlay.png"));
}

TEST_F(Segment, ResultsThatDoNotSayWhatTheyAreOfAreKept) {
  options_.inputs = {photo("a.png")};
  std::filesystem::create_directory(options_.output);
  write_file(options_.output / "a_labels.png", "mine");
  EXPECT_THAT(error_of(ErrorKind::kFailure, [&] { run(); }),
              HasSubstr("that do not say what they were made from"));
  EXPECT_EQ(read_text(options_.output / "a_labels.png"), "mine");
}

TEST_F(Segment, NoResultReplacesAPhoto) {
  photo("a.png"), photo("a_labels.png");
  options_.inputs = {(folder_ / "photos").string()};
  options_.output = folder_ / "photos";
  options_.overwrite = true;
  EXPECT_EQ(run(), 3);
  EXPECT_THAT(console_.warnings, ElementsAre(HasSubstr("a.png: its result")));
  EXPECT_THAT(console_.notes, HasSubstr("1 done, 1 failed, 0 left"));
  EXPECT_TRUE(std::filesystem::exists(options_.output / "a_labels_labels.png"));
}

TEST_F(Segment, AFolderInTheWayCostsItsPhotoAlone) {
  options_.inputs = {photo("a.png"), photo("b.png")};
  options_.overwrite = true;
  std::filesystem::create_directories(options_.output / "a_labels.png");
  EXPECT_EQ(run(), 3);
  EXPECT_THAT(console_.warnings, ElementsAre(HasSubstr("a_labels.png: Is a directory")));
  EXPECT_THAT(console_.notes, HasSubstr("1 done, 1 failed, 0 left"));
}

TEST_F(Segment, AnErrorThatEndsTheRunTellsHowFarItCame) {
  for (const char* name : {"1.png", "2.png", "3.png"}) photo(name);
  options_.inputs = {(folder_ / "photos").string()};
  on_print_ = [&] { std::filesystem::remove_all(options_.output); };
  EXPECT_THAT(error_of(ErrorKind::kFailure, [&] { run(); }), HasSubstr("cannot write"));
  EXPECT_THAT(console_.notes, HasSubstr("broken off: 1 done, 0 failed, 2 left"));
}

TEST_F(Segment, EveryMessageNamesItsPhoto) {
  options_.inputs = {photo("thin.png", 80000, 1), photo("a.png")};
  EXPECT_EQ(run(), 3);
  EXPECT_THAT(console_.warnings, ElementsAre(MatchesRegex(".*/thin\\.png: .*too long and thin.*")));
  EXPECT_THAT(console_.notes, HasSubstr("1 done, 1 failed, 0 left"));
}

TEST_F(Segment, AnOutputThatIsNoFolderEndsTheRun) {
  options_.inputs = {photo("a.png")};
  options_.output = broken_photo("file");
  EXPECT_THAT(error_of(ErrorKind::kFailure, [&] { run(); }), HasSubstr("file: Not a directory"));
}

TEST_F(Segment, MistakesShowBeforeTheWeightsAreRead) {
  options_.weights = "missing.safetensors";
  options_.inputs = {photo("a.png")};
  options_.vocabulary.classes = "cat,,dog";
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { run(); }), HasSubstr("entry 2"));
}

TEST_F(Segment, WarnsOnceAboutWordsThatAreCut) {
  options_.inputs = {photo("a.png"), photo("b.png")};
  options_.vocabulary.classes = "a very long name of a class, another name that is long";
  options_.vocabulary.prompt = "{}";
  EXPECT_EQ(run(), 0);
  EXPECT_THAT(console_.warnings,
              ElementsAre(MatchesRegex(".*cut: \"a very long name of a class\" and 1 more")));
}

}  // namespace
}  // namespace tagclip

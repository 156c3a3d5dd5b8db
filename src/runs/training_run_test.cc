#include "runs/training_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>

#include "base/files.h"
#include "image/label_map.h"
#include "image/palette.h"
#include "image/png.h"
#include "image/test_images.h"
#include "runs/test_runs.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The folder of sample_run("a", 1, 0.5) with one example.
class RunFolder : public ::testing::Test {
 protected:
  RunFolder() : folder_(dir_ / "run") {
    create_folders(folder_ / "examples");
    write_run_record(folder_ / "run.json", sample_.record);
    write_metrics_file(folder_ / "metrics.json", *sample_.metrics);
    write_file(folder_ / "config.toml",
               "seed = 1\n[loss]\ntrusty_weight = 10.0\nnames = [\"a\"]\n");
    write_file(folder_ / "log.jsonl",
               "{\"iteration\":10,\"loss\":4.0,\"mIoU\":null}\n{\"iteration\":20,\"loss\":2.5}\n");
    write_png(folder_ / "examples/x.photo.png", gradient_image(40, 30));
    write_labels("x.labels.png", {40, 30, std::vector<uint16_t>(1200, 2)});
    write_labels("x.truth.png", {40, 30, std::vector<uint16_t>(1200, kIgnoreIndex)});
  }

  void write_labels(const std::string& name, const LabelMap& map) const {
    write_label_map(folder_ / "examples" / name, map, result_palette(3));
  }
  std::string refusal() const {
    return bad_input_text([&] { read_training_run(folder_); });
  }
  // Returns the error for a file of the run with this content.
  std::string refusal_of(const std::string& name, const std::string& content) const {
    write_file(folder_ / name, content);
    return refusal();
  }

  TestDir dir_;
  std::filesystem::path folder_;
  TrainingRun sample_ = sample_run("a", 1, 0.5);
};

TEST_F(RunFolder, IsReadAsItWasWritten) {
  const TrainingRun run = read_training_run(folder_);
  EXPECT_EQ(run.record.label, "a");
  EXPECT_EQ(run.record.data.classes, sample_.record.data.classes);
  EXPECT_EQ(run.record.data.seen, sample_.record.data.seen);
  EXPECT_EQ(run.record.data.val, 10);
  EXPECT_EQ(run.record.finished, sample_.record.finished);
  EXPECT_EQ(run.record.trained_parameters, 12);
  EXPECT_EQ(run.settings.at("loss.trusty_weight"), FieldValue(10.0));
  EXPECT_EQ(run.curves.at("loss"), (Curve{{10, 4.0}, {20, 2.5}}));
  EXPECT_FALSE(run.curves.contains("mIoU"));
  EXPECT_EQ(run.metrics->metrics.iou, sample_.metrics->metrics.iou);
  EXPECT_EQ(run.metrics->metrics.mean_iou_unseen, 0.25);
  EXPECT_EQ(run.iteration(), 100);
  ASSERT_EQ(run.examples.size(), 1U);
  EXPECT_EQ(run.examples[0].name, "x");
  EXPECT_THAT(run.examples[0].present, ElementsAre(false, false, true));
  EXPECT_NE(run.examples[0].prediction.pixels, run.examples[0].photo.pixels);
}

TEST_F(RunFolder, ARunningRunLacksSome) {
  for (const char* name : {"log.jsonl", "metrics.json", "examples"}) {
    std::filesystem::remove_all(folder_ / name);
  }
  sample_.record.finished.clear();
  write_run_record(folder_ / "run.json", sample_.record);
  const TrainingRun run = read_training_run(folder_);
  EXPECT_FALSE(run.finished());
  EXPECT_FALSE(run.metrics);
  EXPECT_EQ(run.iteration(), 0);
}

TEST_F(RunFolder, NothingMeasuredIsNoNumber) {
  sample_.metrics->metrics.iou[1] = NAN;
  write_metrics_file(folder_ / "metrics.json", *sample_.metrics);
  EXPECT_TRUE(std::isnan(read_training_run(folder_).metrics->metrics.iou[1]));
}

TEST_F(RunFolder, SeveralDataSetsHaveMetricsOfTheirOwn) {
  SetMetrics one{"rooms", sample_.metrics->metrics}, other{"streets", sample_.metrics->metrics};
  other.metrics.harmonic_iou = NAN;
  sample_.metrics->sets = {one, other};
  write_metrics_file(folder_ / "metrics.json", *sample_.metrics);
  const std::vector<SetMetrics> sets = read_training_run(folder_).metrics->sets;
  ASSERT_EQ(sets.size(), 2U);
  EXPECT_EQ(sets[0].name, "rooms");
  EXPECT_EQ(sets[0].metrics.mean_iou, one.metrics.mean_iou);
  EXPECT_TRUE(std::isnan(sets[1].metrics.harmonic_iou));
}

TEST_F(RunFolder, ALineThatIsStillBeingWrittenIsLeftOut) {
  write_file(folder_ / "log.jsonl", "{\"iteration\":10,\"loss\":4.0}\n{\"iteration\":20,\"lo");
  EXPECT_EQ(read_training_run(folder_).curves.at("loss").size(), 1U);
}

TEST_F(RunFolder, DamageIsNamed) {
  EXPECT_THAT(refusal_of("run.json", "[1"), HasSubstr("run.json: expected a JSON object"));
  EXPECT_THAT(refusal_of("run.json", std::string(100'000, '[')), HasSubstr("run.json"));
  EXPECT_THAT(refusal_of("run.json", "{\"tagclip\": 5}"),
              HasSubstr("parameters: expected an object, found nothing"));
  write_run_record(folder_ / "run.json", sample_.record);
  EXPECT_THAT(refusal_of("log.jsonl", "{\"iteration\":1}\n{\"iteration\":-1}\n"),
              HasSubstr("log.jsonl:2: expected a JSON object with an iteration"));
  write_file(folder_ / "log.jsonl", "");
  EXPECT_THAT(refusal_of("config.toml", "a = \n"), HasSubstr("config.toml:1"));
  std::string dotted;
  for (int i = 0; i < 12'000; ++i) dotted += "a.";
  EXPECT_THAT(refusal_of("config.toml", dotted + "a = 1"), HasSubstr("nested too deeply"));
  EXPECT_THAT(refusal_of("config.toml", std::string(40'000, ' ')), HasSubstr("32 KiB"));
}

TEST_F(RunFolder, NumbersOutOfTheirRangeAreRefused) {
  sample_.metrics->metrics.iou[1] = 1.5;
  write_metrics_file(folder_ / "metrics.json", *sample_.metrics);
  EXPECT_THAT(refusal(), HasSubstr("classes[1].iou: expected a number from 0 to 1, or null"));
}

TEST_F(RunFolder, MetricsOfOtherClassesAreRefused) {
  sample_.metrics->names[0] = "bird";
  write_metrics_file(folder_ / "metrics.json", *sample_.metrics);
  EXPECT_THAT(refusal(), HasSubstr("expected the classes of run.json"));
}

TEST_F(RunFolder, PicturesMustFit) {
  write_labels("x.truth.png", {40, 30, std::vector<uint16_t>(1200, 3)});
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("x.truth.png"), HasSubstr("labels of 3 classes, found 3")));
  write_labels("x.truth.png", {20, 60, std::vector<uint16_t>(1200, 0)});
  EXPECT_THAT(refusal(), HasSubstr("expected the photo's 40x30 pixels, found 20x60"));
  std::filesystem::remove(folder_ / "examples/x.truth.png");
  EXPECT_THAT(refusal(), HasSubstr("x.truth.png"));
}

TEST_F(RunFolder, ExamplesAreChosenByName) {
  write_png(folder_ / "examples/2007_a.photo.png", gradient_image(40, 30));
  write_labels("2007_a.labels.png", {40, 30, std::vector<uint16_t>(1200, 0)});
  write_labels("2007_a.truth.png", {40, 30, std::vector<uint16_t>(1200, 0)});
  EXPECT_EQ(read_training_run(folder_).examples.size(), 2U);
  const TrainingRun run = read_training_run(folder_, {"x", "2007/a", "absent"});
  ASSERT_EQ(run.examples.size(), 2U);
  EXPECT_EQ(run.examples[0].name, "x");
  EXPECT_EQ(run.examples[1].name, "2007_a");
}

TEST_F(RunFolder, ValidationTimeIsReadWhereItWasMeasured) {
  EXPECT_TRUE(std::isnan(read_training_run(folder_).metrics->milliseconds_per_photo));
  sample_.metrics->milliseconds_per_photo = 12.5;
  write_metrics_file(folder_ / "metrics.json", *sample_.metrics);
  EXPECT_EQ(read_training_run(folder_).metrics->milliseconds_per_photo, 12.5);
}

TEST_F(RunFolder, APipeIsNotWaitedFor) {
  std::filesystem::remove(folder_ / "config.toml");
  ASSERT_EQ(::mkfifo((folder_ / "config.toml").c_str(), 0600), 0);
  EXPECT_THAT(refusal(), HasSubstr("config.toml: expected the settings of the run"));
}

TEST_F(RunFolder, IsFoundOnceBelowAnother) {
  const auto found = find_runs({dir_.path().string(), folder_.string() + "/"});
  EXPECT_THAT(found, ElementsAre(folder_));
}

TEST(FindRuns, SaysWhatAPlaceIsInstead) {
  TestDir dir;
  write_file(dir / "file", "");
  EXPECT_THAT(bad_input_text([&] { find_runs({(dir / "file").string()}); }),
              HasSubstr("expected the folder of a training run, found a file"));
  EXPECT_THAT(bad_input_text([&] { find_runs({(dir / "none").string()}); }),
              HasSubstr("found nothing"));
  EXPECT_THAT(bad_input_text([&] { find_runs({dir.path().string()}); }),
              HasSubstr("holds no training run"));
}

TEST(UtcTime, IsIso8601) {
  EXPECT_EQ(utc_time(std::chrono::system_clock::from_time_t(1795457945)), "2026-11-23T18:19:05Z");
}

}  // namespace
}  // namespace tagclip

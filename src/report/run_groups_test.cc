#include "report/run_groups.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "report/run_table.h"
#include "runs/test_runs.h"

namespace tagclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr size_t kMeanIou = 1;  // in kSummaryFields

TEST(Statistic, MeanAndSampleDeviation) {
  const Statistic three = statistic(std::vector<double>{0.2, NAN, 0.4, 0.6});
  EXPECT_EQ(three.count, 3);
  EXPECT_DOUBLE_EQ(three.mean, 0.4);
  EXPECT_DOUBLE_EQ(three.std, 0.2);
  const Statistic one = statistic(std::vector<double>{0.5});
  EXPECT_DOUBLE_EQ(one.mean, 0.5);
  EXPECT_TRUE(std::isnan(one.std));
  EXPECT_TRUE(std::isnan(statistic(std::vector<double>{NAN}).mean));
}

TEST(Statistic, IsShownInPercent) {
  EXPECT_EQ(format_statistic({3, 0.5231, 0.0042}), "52.31 ± 0.42");
  EXPECT_EQ(format_statistic({1, 0.5231, NAN}), "52.31");
  EXPECT_EQ(format_statistic({0, NAN, NAN}), "-");
}

std::vector<std::string> names(const std::vector<RunGroup>& groups) {
  std::vector<std::string> result;
  for (const RunGroup& group : groups) result.push_back(group.name);
  return result;
}

TEST(RunGroups, SeedsOfOneLabelAreOne) {
  const std::vector<TrainingRun> runs = {sample_run("b", 1, 0.3), sample_run("a", 1, 0.5),
                                         sample_run("b", 2, 0.4)};
  const auto groups = group_runs(runs);
  ASSERT_THAT(names(groups), ElementsAre("b", "a"));
  EXPECT_EQ(groups[0].runs.size(), 2U);
  EXPECT_DOUBLE_EQ(groups[0].summary[kMeanIou].mean, 0.35);
  EXPECT_DOUBLE_EQ(groups[0].class_iou[2].mean, 0.175);
  EXPECT_EQ(groups[0].class_iou[2].count, 2);
}

TEST(RunGroups, EachSeedIsCountedOnce) {
  std::vector<TrainingRun> runs = {sample_run("a", 1, 0.4), sample_run("a", 1, 0.6),
                                   sample_run("a", 2, 0.8)};
  runs[0].folder = "runs/first";
  runs[1].record.finished = "2026-11-24T11:00:00Z";  // the last to finish of seed 1
  const auto groups = group_runs(runs);
  ASSERT_EQ(groups.size(), 1U);
  const Statistic& iou = groups[0].metric(&SegmentationMetrics::mean_iou);
  EXPECT_EQ(iou.count, 2);
  EXPECT_NEAR(iou.mean, 0.7, 1e-12);
  EXPECT_THAT(format_run_table(groups),
              HasSubstr("runs/first repeats seed 1 of a and is not counted."));
}

TEST(RunGroups, APathIsTheSameHoweverItWasStored) {
  std::vector<TrainingRun> runs = {sample_run("a", 1, 0.3), sample_run("a", 2, 0.4),
                                   sample_run("a", 3, 0.5), sample_run("a", 4, 0.6)};
  runs[0].settings["data"] = std::string("data/pets/");
  runs[1].settings["data"] = std::string("/home/me/data/pets");
  runs[2].settings["data"] = std::string("./data/pets");
  runs[3].settings["data"] = std::string("/home/me/mydata/pets");
  const auto groups = group_runs(runs);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].runs.size(), 3U);
}

TEST(RunGroups, MovedFilesAreTheSameWhereTheirContentsAre) {
  std::vector<TrainingRun> runs = {sample_run("a", 1, 0.3), sample_run("a", 2, 0.4),
                                   sample_run("a", 3, 0.5)};
  for (TrainingRun& run : runs) run.record.contents = "crc32c:1";
  runs[0].settings["data"] = std::string("/old/pets");
  runs[1].settings["data"] = std::string("/new/animals");
  runs[1].settings["val_data"] = std::string("/new/held-out");
  runs[2].settings["data"] = std::string("/old/pets");
  runs[2].record.contents = "crc32c:2";  // a line of its lists was exchanged
  const auto groups = group_runs(runs);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].runs.size(), 2U);
  EXPECT_THAT(differing_settings(groups).at("contents of the files (fingerprint)"),
              ElementsAre("\"crc32c:1\"", "\"crc32c:2\""));
  // A run of an earlier version does not tell: its paths decide.
  runs[2].record.contents.clear();
  EXPECT_EQ(group_runs(runs).size(), 1U);
  runs[2].settings["data"] = std::string("/new/animals");
  EXPECT_EQ(group_runs(runs).size(), 2U);
}

TEST(RunGroups, OtherSettingsAreAnother) {
  std::vector<TrainingRun> runs = {sample_run("a", 1, 0.3), sample_run("a", 2, 0.4)};
  runs[1].settings["loss.trusty_weight"] = 5.0;
  const auto groups = group_runs(runs);
  EXPECT_THAT(names(groups), ElementsAre("a (a1)", "a (a2)"));
  const auto differing = differing_settings(groups);
  ASSERT_EQ(differing.size(), 1U);
  EXPECT_THAT(differing.at("loss.trusty_weight"), ElementsAre("10", "5"));
}

TEST(RunGroups, OtherClassesAreAnother) {
  std::vector<TrainingRun> runs = {sample_run("a", 1, 0.3), sample_run("a", 2, 0.4)};
  runs[1].record.data.seen[0] = false;
  const auto groups = group_runs(runs);
  EXPECT_EQ(groups.size(), 2U);
  EXPECT_EQ(by_data_set(groups).size(), 2U);
}

TEST(RunGroups, AnUnfinishedRunStandsAlone) {
  std::vector<TrainingRun> runs = {sample_run("a", 1, 0.3), sample_run("a", 2, 0.4)};
  runs[1].record.finished.clear();
  runs[1].metrics->iteration = 40;
  const auto groups = group_runs(runs);
  ASSERT_THAT(names(groups), ElementsAre("a", "a (a2)"));
  EXPECT_THAT(format_run_table(groups), HasSubstr("a (a2), unfinished: 40 of 100 iterations"));
}

TEST(RunGroups, WithoutLabelOrMetrics) {
  std::vector<TrainingRun> runs = {sample_run("", 1, 0.3), sample_run("", 1, 0.3)};
  runs[0].metrics.reset();
  runs[1].settings["batch"] = int64_t{2};
  const auto groups = group_runs(runs);
  EXPECT_THAT(names(groups), ElementsAre("1", "1 #2"));
  EXPECT_EQ(groups[0].summary[kMeanIou].count, 0);
  EXPECT_THAT(differing_settings(groups).at("batch"), ElementsAre("-", "2"));
}

TEST(RunTable, HoldsThePaperAgainstTheRuns) {
  const std::vector<TrainingRun> runs = {sample_run("table1/d", 1, 0.5)};
  const std::string table = format_run_table(group_runs(runs));
  EXPECT_THAT(table, HasSubstr("paper, Table 1 (d): TagCLIP"));
  EXPECT_THAT(table, HasSubstr("89.2"));
  EXPECT_THAT(table, HasSubstr("pets: 3 classes, 1 of them unseen; 30 photos to train, 10 to"));
  EXPECT_THAT(table, HasSubstr("Not comparable with the paper's numbers: table1/d."));
}

TEST(RunTable, DataOfThePapersSizeIsComparable) {
  TrainingRun run = sample_run("table1/d", 1, 0.5);
  run.record.data.classes.resize(20);
  run.record.data.seen.assign(20, true);
  std::fill_n(run.record.data.seen.begin(), 5, false);
  run.record.data.val = 1449;
  EXPECT_TRUE(comparable(run.record.data, *paper_row("table1/d")->data));
  run.record.data.val = 100;
  EXPECT_FALSE(comparable(run.record.data, *paper_row("table1/d")->data));
}

TEST(RunTable, AHostileLabelStaysOnItsLine) {
  std::vector<TrainingRun> runs = {sample_run("a", 1, 0.5)};
  runs[0].record.label = "two\nlines\x1b[31m and\xC2\x9Bmore" + std::string(500, 'x');
  const std::string table = format_run_table(group_runs(runs));
  EXPECT_THAT(table, HasSubstr("two lines [31m and more"));
  EXPECT_THAT(table, Not(HasSubstr(std::string(100, 'x'))));
}

std::vector<TrainingRun> gamma_runs() {
  std::vector<TrainingRun> runs;
  for (const double gamma : {10.0, 0.1, 100.0}) {
    for (const int64_t seed : {1, 2}) {
      runs.push_back(sample_run(fmt::format("figure5/gamma={}", gamma), seed, 0.5 + 0.1 * seed));
      runs.back().settings["loss.trusty_weight"] = gamma;
    }
  }
  return runs;
}

TEST(Sweeps, AreSortedByValue) {
  const std::vector<TrainingRun> runs = gamma_runs();
  const auto groups = group_runs(runs);
  const auto sweeps = sweeps_over("loss.trusty_weight", groups);
  ASSERT_EQ(sweeps.size(), 1U);
  ASSERT_EQ(sweeps[0].size(), 3U);
  EXPECT_EQ(sweeps[0][0].value, 0.1);
  EXPECT_EQ(sweeps[0][2].group->name, "figure5/gamma=100");
  EXPECT_EQ(sweeps[0][1].group->runs.size(), 2U);
}

TEST(Sweeps, DifferInOneSettingAlone) {
  std::vector<TrainingRun> runs = gamma_runs();
  for (TrainingRun& run : runs) run.settings["model.prompts"] = run.settings["loss.trusty_weight"];
  EXPECT_TRUE(sweeps_over("loss.trusty_weight", group_runs(runs)).empty());
  EXPECT_TRUE(sweeps_over("absent", group_runs(runs)).empty());
}

TEST(RunTable, ShowsWhatAGroupCosts) {
  std::vector<TrainingRun> runs = {sample_run("a", 1, 0.5)};
  runs[0].curves["images_per_second"] = {{10, 1.0}, {20, 8.0}, {30, 10.0}};
  runs[0].metrics->milliseconds_per_photo = 40.25;
  const TableCells cells = cost_cells(group_runs(runs));
  EXPECT_THAT(cells.at(1), ElementsAre("a", "12", "120", "125.0", "40.2"));
  runs[0].curves.erase("images_per_second");
  EXPECT_EQ(cost_cells(group_runs(runs)).at(1).at(3), "-");
}

}  // namespace
}  // namespace tagclip

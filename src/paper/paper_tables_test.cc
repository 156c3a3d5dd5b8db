#include "paper/paper_tables.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "support/places.h"

namespace tagclip {
namespace {

using ::testing::Contains;

TEST(PaperNumbers, AreThoseOfTheTables) {
  const PaperRow& tagclip = *paper_row("table2/voc");
  EXPECT_DOUBLE_EQ(paper_value(tagclip, &SegmentationMetrics::mean_iou_unseen), 0.852);
  EXPECT_TRUE(std::isnan(paper_value(tagclip, &SegmentationMetrics::mean_iou)));
  EXPECT_TRUE(std::isnan(paper_value(tagclip, &SegmentationMetrics::mean_accuracy_seen)));
  const PaperRow& context = *paper_row("table3/context");
  EXPECT_DOUBLE_EQ(paper_value(context, &SegmentationMetrics::mean_iou), 0.426);
  EXPECT_DOUBLE_EQ(paper_value(context, &SegmentationMetrics::mean_accuracy), 0.701);
  EXPECT_EQ(paper_row("table9/x"), nullptr);
}

// hIoU is the harmonic mean of its neighbours in the row: a slip of the pen would show.
TEST(PaperNumbers, HarmonicMeansFit) {
  int rows = 0;
  for (const PaperRow& row : paper_rows()) {
    if (std::isnan(row.harmonic_iou)) continue;
    const double seen = row.mean_iou_seen, unseen = row.mean_iou_unseen;
    EXPECT_NEAR(row.harmonic_iou, 2 * seen * unseen / (seen + unseen), 0.11) << row.label;
    ++rows;
  }
  EXPECT_EQ(rows, 33);
}

// Returns the lines of the paper's text; empty where the text is not at hand.
std::vector<std::string> paper_lines() {
  std::ifstream text(shared_folder() / "paper/tagclip.txt");
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

// The numbers of a row as its line in the paper has them: "96.1 93.5 85.2 89.2".
std::string printed(const PaperRow& row) {
  std::string numbers;
  for (const double value : {row.pixel_accuracy, row.mean_iou, row.mean_iou_seen,
                             row.mean_iou_unseen, row.harmonic_iou, row.mean_accuracy}) {
    if (!std::isnan(value)) numbers += fmt::format("{}{:.1f}", numbers.empty() ? "" : " ", value);
  }
  return numbers;
}

TEST(PaperNumbers, StandInThePapersText) {
  const std::vector<std::string> lines = paper_lines();
  if (lines.empty()) GTEST_SKIP() << "the paper's text is not at hand";
  for (const PaperRow& row : paper_rows()) {
    if (row.place == "Section 4.1") continue;  // a sentence, not a table
    // Tables 2 to 5 name the method at the start of the line, Table 1 does not.
    const std::string method(row.method.substr(0, row.method.find(' ')));
    const bool named = !row.label.starts_with("table1");
    EXPECT_TRUE(std::ranges::any_of(
        lines,
        [&](const std::string& line) {
          return fmt::format(" {} ", line).find(fmt::format(" {} ", printed(row))) !=
                     std::string::npos &&
                 (!named || line.starts_with(method + " "));
        }))
        << row.label << ": " << printed(row);
  }
  const auto stands = [&](const std::string& words) {
    return std::ranges::any_of(
        lines, [&](const std::string& line) { return line.find(words) != std::string::npos; });
  };
  EXPECT_TRUE(stands("with 93.5% and 85.2% mIoU on seen and unseen classes"));
  EXPECT_TRUE(stands("by 30.4% to 86.7%"));
}

TEST(PaperNumbers, ClassesOfFigure6) {
  EXPECT_DOUBLE_EQ(paper_class_iou("table2/voc", "tvmonitor"), 0.867);
  EXPECT_DOUBLE_EQ(paper_class_iou("table1/a", "tvmonitor"), 0.563);
  EXPECT_TRUE(std::isnan(paper_class_iou("table2/voc", "sheep")));
  EXPECT_TRUE(std::isnan(paper_class_iou("table2/coco", "tvmonitor")));
}

const ExperimentRun& run_of(const std::vector<ExperimentRun>& runs, const std::string& label) {
  return *std::ranges::find(runs, label, &ExperimentRun::label);
}

TEST(Experiments, EveryRunFixesItsSetting) {
  const DatasetOptions voc{.folder = "VOC2012", .kind = "voc2012"};
  for (const std::string& name : experiment_names()) {
    const std::string setting = name == "table4"   ? "setting=transductive"
                                : name == "table5" ? "setting=supervised"
                                                   : "setting=inductive";
    for (const ExperimentRun& run : experiment_runs(name, voc)) {
      EXPECT_THAT(run.settings, Contains(setting)) << run.label;
    }
  }
}

TEST(Experiments, TheBaselineOfTable1HasBothMaskWeights) {
  const auto runs = experiment_runs("table1", {});
  EXPECT_THAT(run_of(runs, "table1/a").settings, Contains("loss.mask_weight=20"));
  EXPECT_THAT(run_of(runs, "table1/a:zegclip").settings, Contains("loss.mask_weight=100"));
}

TEST(Experiments, Table3IsMeasuredAsReleased) {
  const auto runs = experiment_runs("table3", {.folder = "VOC2010", .kind = "context60"});
  const auto& tagclip = run_of(runs, "table3/context").settings;
  for (const char* setting :
       {"validation.trusty_token=false", "validation.seen_bias=0", "validation.weighting=none"}) {
    EXPECT_THAT(tagclip, Contains(setting));
  }
  EXPECT_THAT(run_of(runs, "table3/context:zegclip").settings, Contains("validation.seen_bias=0"));
}

TEST(Experiments, LabelsHavePaperRows) {
  for (const ExperimentRun& run : experiment_runs("table1", {})) {
    EXPECT_NE(paper_row(run.label), nullptr) << run.label;
  }
  for (const char* table : {"table2", "table4", "table5"}) {
    for (const char* kind : {"voc2012", "coco-stuff"}) {
      for (const ExperimentRun& run : experiment_runs(table, {.folder = "x", .kind = kind})) {
        EXPECT_NE(paper_row(run.label), nullptr) << run.label;
      }
    }
  }
}

}  // namespace
}  // namespace tagclip

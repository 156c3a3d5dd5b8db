#include "paper/paper_tables.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tagclip {
namespace {

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

// hIoU is the harmonic mean of its row's neighbours: a slip of the pen would show.
TEST(PaperNumbers, HarmonicMeansFit) {
  int rows = 0;
  for (const char* label : {"table1/a",
                            "table1/b",
                            "table1/c:H-H-T",
                            "table1/c:T-H-H",
                            "table1/c:T-H-T",
                            "table1/c:T-T-H",
                            "table1/c:T-T-TH",
                            "table1/c:cat-cat-cat",
                            "table1/c:TH-H-H",
                            "table1/c:TH-T-T",
                            "table1/c:TH-T-TH",
                            "table1/c:TH-TH-H",
                            "table1/c:TH-TH-T",
                            "table1/c:TH-TH-TH",
                            "table1/c",
                            "table1/d",
                            "table2/voc",
                            "table2/voc:zegclip",
                            "table2/coco",
                            "table2/coco:zegclip",
                            "table4/voc",
                            "table4/voc:zegclip",
                            "table4/voc:zepclip",
                            "table4/coco",
                            "table4/coco:zegclip",
                            "table4/coco:zepclip",
                            "table5/voc",
                            "table5/voc:zegclip",
                            "table5/coco",
                            "table5/coco:zegclip"}) {
    const PaperRow* row = paper_row(label);
    ASSERT_NE(row, nullptr) << label;
    const double seen = row->mean_iou_seen, unseen = row->mean_iou_unseen;
    EXPECT_NEAR(row->harmonic_iou, 2 * seen * unseen / (seen + unseen), 0.11) << label;
    ++rows;
  }
  EXPECT_EQ(rows, 30);
}

}  // namespace
}  // namespace tagclip

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset_options.h"
#include "metrics/segmentation_metrics.h"

namespace tagclip {

// One row of a table of the paper, or a point of a figure: a training run.
struct ExperimentRun {
  std::string label;                  // in reports, which know the paper's numbers by it
  std::vector<std::string> settings;  // NAME=VALUE, what sets it apart from the others
};

// "table1", ..., "table5", "figure5".
std::vector<std::string> experiment_names();

// The runs of one, in the paper's order. `data`: their data set, of which the paper's own are
// known. Throws Error(kUsage) for another name.
std::vector<ExperimentRun> experiment_runs(const std::string& name, const DatasetOptions& data);

// A data set as the paper describes it in Section 4.
struct PaperData {
  std::string_view name;
  int classes;
  std::optional<int> unseen;  // classes; none where the paper does not say
  int photos;                 // of the test split
};

// A row of the paper's tables, in percent as printed; NaN where it prints no number.
struct PaperRow {
  std::string_view label;   // of the runs it belongs to: "table1/d", "table2/voc:zegclip"
  std::string_view place;   // in the paper: "Table 1 (d)"
  std::string_view method;  // "TagCLIP"
  const PaperData* data;
  double pixel_accuracy, mean_iou, mean_iou_seen, mean_iou_unseen, harmonic_iou, mean_accuracy;
};

// The row for runs of this label, null where the paper has none. There are
//   table1/a, table1/b, table1/c, table1/d; the other rows of (c) by their query, key and value:
//   table1/c:T-H-H, with TH for the cosine similarities and cat for the concatenation of T and H;
//   table2/voc, table2/coco, table3/context, table4/voc, table4/coco, table5/voc, table5/coco for
//   TagCLIP, and each with :zegclip behind it; in Table 4 also :zepclip, as one row is spelt;
//   figure5/gamma=10, the one point of Figure 5 that the text gives. Nothing is read off a plot.
const PaperRow* paper_row(std::string_view label);

// The row's value of a field of kSummaryFields, as a share; NaN where the paper has none.
double paper_value(const PaperRow& row, double SegmentationMetrics::* field);

}  // namespace tagclip

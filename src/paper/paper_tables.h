#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset_options.h"
#include "metrics/segmentation_metrics.h"

namespace tagclip {

// The training run behind a row of a table of the paper, or behind a point of a figure.
struct ExperimentRun {
  std::string label;  // ties the run to its PaperRow in reports
  // NAME=VALUE of all settings that define the row, the `setting` (inductive, ...) among them.
  std::vector<std::string> settings;
};

// Returns "table1", ..., "table5", "figure5".
std::vector<std::string> experiment_names();

// Returns the runs of an experiment in the paper's order. The runs of Tables 2 to 5 are called
// after `data`, the set they are measured on. Throws Error(kUsage) for an unknown experiment.
std::vector<ExperimentRun> experiment_runs(const std::string& name, const DatasetOptions& data);

// A data set as the paper describes it in Section 4.
struct PaperData {
  std::string_view name;
  int classes;
  std::optional<int> unseen;  // number of unseen classes; none where the paper does not say
  int photos;                 // of the test split
};

// Holds a row of the paper's tables, in percent as printed; NaN where it prints no number.
struct PaperRow {
  std::string_view label;   // of the runs it belongs to: "table1/d", "table2/voc:zegclip"
  std::string_view place;   // in the paper: "Table 1 (d)"
  std::string_view method;  // "TagCLIP"
  const PaperData* data;
  double pixel_accuracy, mean_iou, mean_iou_seen, mean_iou_unseen, harmonic_iou, mean_accuracy;
};

// Returns all rows. Their labels are
//   table1/a, table1/b, table1/c, table1/d; table1/a:zegclip, the baseline with the mask weight
//   of ZegCLIP's code; the other rows of (c) by their query, key and value: table1/c:T-H-H, where
//   TH is the product of T and H and cat their concatenation; table2/voc, table2/coco,
//   table3/context, table4/voc, table4/coco, table5/voc, table5/coco for TagCLIP, each also with
//   :zegclip behind it, in Table 4 also :zepclip, as the paper spells a row, and :released for the
//   release's schedule; figure5/gamma=10, the only point of Figure 5 that the text gives. No value
//   is read off a plot.
std::span<const PaperRow> paper_rows();

// Returns the row for runs of this label, or null.
const PaperRow* paper_row(std::string_view label);

// Returns the row's value of a metric as a fraction; NaN where the paper has none.
double paper_value(const PaperRow& row, double SegmentationMetrics::* field);

// Returns the IoU that the paper's text gives for one class in Figure 6, as a fraction: tvmonitor
// of TagCLIP and of ZegCLIP on PASCAL VOC 2012. NaN for other labels and classes.
double paper_class_iou(std::string_view label, std::string_view class_name);

}  // namespace tagclip

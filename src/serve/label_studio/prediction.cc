#include "serve/label_studio/prediction.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/rounding.h"
#include "outputs/contours.h"
#include "outputs/regions.h"
#include "outputs/run_lengths.h"

namespace tagclip {
namespace {

constexpr int kDecimals = 4;  // of scores and percentages

using nlohmann::ordered_json;

constexpr int64_t kSmallestPart = 2000;  // a polygon is of at least 1/2000 of the picture
constexpr double kTolerance = 1;         // pixels that an outline may be simplified by

// What a class of the vocabulary was wanted as; nullptr for the background. Words that CLIP reads
// alike have become one class, which is called by the first.
const WantedClass* wanted_as(const PredictTask& task, const ClassInfo& entry) {
  const auto found = std::ranges::find_if(task.classes, [&](const WantedClass& wanted) {
    return std::ranges::find(wanted.words, entry.words.front()) != wanted.words.end();
  });
  return found == task.classes.end() ? nullptr : &*found;
}

class PredictionWriter {
 public:
  PredictionWriter(const LabellingConfig& config, const PredictTask& task,
                   const Vocabulary& vocabulary, const Segmentation& labels, const std::string& id)
      : config_(config), labels_(labels), id_(id) {
    for (const ClassInfo& entry : vocabulary.classes()) wanted_.push_back(wanted_as(task, entry));
  }

  void write(LabelTool tool) {
    LabelMap map{labels_.width(), labels_.height(), labels_.labels()};
    for (uint16_t& label : map.labels) {
      const bool drawn =
          label < wanted_.size() && wanted_[label] != nullptr && label_of(label).tool == tool;
      if (!drawn) label = kIgnoreIndex;
    }
    Regions regions = find_regions(map, /*instances=*/tool == LabelTool::kPolygon);
    set_mean_scores(labels_.scores(), regions);
    for (size_t r = 0; r < regions.all.size(); ++r) {
      tool == LabelTool::kBrush ? add_brush(regions, r) : add_polygons(regions, r);
    }
  }

  ordered_json prediction(const std::string& model_version) const {
    return {{"model_version", model_version},
            {"score", area_ > 0 ? rounded(std::clamp(score_ / area_, 0.0, 1.0), kDecimals) : 0},
            {"result", results_}};
  }

 private:
  const ConfigLabel& label_of(uint16_t label) const {
    return config_.labels[wanted_[label]->label];
  }

  void add(const LabelRegion& region, const char* type, ordered_json value) {
    const ConfigLabel& label = label_of(region.label);
    const WantedClass& wanted = *wanted_[region.label];
    value[type] = {label.name};
    ordered_json result = {{"id", fmt::format("{}-{}", id_, results_.size() + 1)},
                           {"type", type},
                           {"from_name", label.control},
                           {"to_name", config_.image},
                           {"original_width", labels_.width()},
                           {"original_height", labels_.height()},
                           {"image_rotation", 0},
                           {"score", rounded(std::clamp(region.score, 0.0, 1.0), kDecimals)},
                           {"value", std::move(value)}};
    if (wanted.is_prompted) result["meta"] = {{"text", {wanted.words.front()}}};
    results_.push_back(std::move(result));
    score_ += region.score * static_cast<double>(region.area);
    area_ += static_cast<double>(region.area);
  }

  void add_brush(const Regions& regions, size_t r) {
    add(regions.all[r], "brushlabels",
        {{"format", "rle"},
         {"rle", brush_runs(mask_of(regions, r), labels_.width(), labels_.height())}});
  }

  // Label Studio has points in per cent of the picture.
  void add_polygons(const Regions& regions, size_t r) {
    const LabelRegion& region = regions.all[r];
    if (region.area * kSmallestPart < int64_t{labels_.width()} * labels_.height()) return;
    for (const Outline& outline : trace_outlines(mask_of(regions, r), OutlineOf::kEdges)) {
      ordered_json points = ordered_json::array();
      for (const auto& [x, y] : simplified(outline, kTolerance)) {
        points.push_back({rounded(100.0 * x / labels_.width(), kDecimals),
                          rounded(100.0 * y / labels_.height(), kDecimals)});
      }
      add(region, "polygonlabels", {{"points", points}, {"closed", true}});
    }
  }

  const LabellingConfig& config_;
  const Segmentation& labels_;
  const std::string& id_;
  std::vector<const WantedClass*> wanted_;  // per class of the vocabulary; null: background
  ordered_json results_ = ordered_json::array();
  double score_ = 0, area_ = 0;  // of what is drawn: the sum over pixels, their number
};

}  // namespace

ordered_json prediction_of(const LabellingConfig& config, const PredictTask& task,
                           const Vocabulary& vocabulary, const Segmentation& labels,
                           const std::string& model_version, const std::string& id) {
  PredictionWriter writer(config, task, vocabulary, labels, id);
  writer.write(LabelTool::kBrush);
  writer.write(LabelTool::kPolygon);
  return writer.prediction(model_version);
}

}  // namespace tagclip

// The comparison as programs read it.
#include <cmath>
#include <nlohmann/json.hpp>

#include "report/run_table.h"

namespace tagclip {
namespace {

using nlohmann::ordered_json;

// JSON has no NaN: nlohmann writes null for it.
ordered_json json_of(const Statistic& statistic) {
  return {{"n", statistic.runs}, {"mean", statistic.mean}, {"std", statistic.deviation}};
}

ordered_json json_of(const TrainingRun& run) {
  ordered_json json = {{"folder", run.folder.string()},       {"seed", run.record.seed},
                       {"finished", run.finished()},          {"iteration", run.iteration()},
                       {"iterations", run.record.iterations}, {"metrics", ordered_json()}};
  if (!run.metrics) return json;
  json["metrics"]["iteration"] = run.metrics->iteration;
  for (const SummaryField& field : kSummaryFields) {
    json["metrics"][field.json_name] = run.metrics->metrics.*field.value;
  }
  return json;
}

ordered_json json_of(const PaperRow& paper) {
  ordered_json json = {
      {"place", paper.place}, {"method", paper.method}, {"data", paper.data->name}};
  for (const SummaryField& field : kSummaryFields) {
    const double value = paper_value(paper, field.value);
    if (!std::isnan(value)) json[field.json_name] = value;
  }
  return json;
}

ordered_json json_of(const RunGroup& group) {
  const RunData& data = group.first().record.data;
  ordered_json json = {{"name", group.name},
                       {"label", group.first().record.label},
                       {"finished", group.finished()},
                       {"data", describe(data)},
                       {"runs", ordered_json::array()},
                       {"metrics", ordered_json::object()},
                       {"classes", ordered_json::array()}};
  for (const TrainingRun* run : group.runs) json["runs"].push_back(json_of(*run));
  for (size_t i = 0; i < kSummaryFields.size(); ++i) {
    json["metrics"][kSummaryFields[i].json_name] = json_of(group.summary[i]);
  }
  for (size_t c = 0; c < data.classes.size(); ++c) {
    json["classes"].push_back({{"name", data.classes[c]},
                               {"seen", static_cast<bool>(data.seen[c])},
                               {"iou", json_of(group.class_iou[c])}});
  }
  if (group.paper != nullptr) {
    json["paper"] = json_of(*group.paper);
    json["paper"]["comparable"] = comparable(data, *group.paper->data);
  }
  return json;
}

}  // namespace

std::string to_json(const std::vector<RunGroup>& groups) {
  ordered_json json = {{"groups", ordered_json::array()}};
  for (const RunGroup& group : groups) json["groups"].push_back(json_of(group));
  // A folder's name need not be UTF-8.
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace tagclip

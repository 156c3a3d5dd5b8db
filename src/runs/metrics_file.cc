#include "runs/metrics_file.h"

#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "metrics/summary_fields.h"
#include "runs/json_fields.h"

namespace tagclip {

void write_metrics_file(const std::filesystem::path& path, const StoredMetrics& stored) {
  nlohmann::ordered_json json = {{"iteration", stored.iteration}};
  json.update(nlohmann::ordered_json::parse(to_json(stored.metrics, stored.names, stored.seen)));
  write_file(path, json.dump(2) + "\n");
}

StoredMetrics read_metrics_file(const std::filesystem::path& path) {
  const JsonFields fields(path);
  StoredMetrics stored{.iteration = fields.count("iteration"), .names = {}, .seen = {}};
  for (const SummaryField& field : kSummaryFields) {
    stored.metrics.*field.value = fields.share_or_nan(field.json_name);
  }
  for (const JsonFields& row : fields.objects("classes")) {
    stored.names.push_back(row.text("name"));
    stored.seen.push_back(row.flag("seen"));
    stored.metrics.iou.push_back(row.share_or_nan("iou"));
    stored.metrics.accuracy.push_back(row.share_or_nan("accuracy"));
  }
  return stored;
}

}  // namespace tagclip

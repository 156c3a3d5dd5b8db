#include "runs/run_record.h"

#include <fmt/chrono.h>

#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "metrics/segmentation_metrics.h"
#include "runs/json_fields.h"

namespace tagclip {
namespace {

using nlohmann::ordered_json;

RunData read_data(const JsonFields& fields, const std::filesystem::path& path) {
  RunData data{.folder = fields.text("folder"),
               .train = fields.count("train"),
               .val = fields.count("val"),
               .classes = fields.texts("classes"),
               .seen = fields.flags("seen")};
  constexpr size_t kMaxClasses = 10'000;  // those a confusion matrix can have
  if (data.classes.empty() || data.classes.size() > kMaxClasses) {
    throw bad_input(fmt::format("{}: data.classes: expected 1 to {} classes, found {}",
                                path.string(), kMaxClasses, data.classes.size()));
  }
  if (data.seen.size() != data.classes.size()) {
    throw bad_input(fmt::format("{}: data.seen: expected a mark for each of {} classes, found {}",
                                path.string(), data.classes.size(), data.seen.size()));
  }
  return data;
}

}  // namespace

const std::set<std::string>& free_settings() {
  static const std::set<std::string> kNames = {
      "output",     "label",        "device",     "log_every",      "validate_every",
      "save_every", "keep",         "examples",   "example_photos", "workers",
      "prefetch",   "rank_timeout", "check_data", "model_every",    "extend"};
  return kNames;
}

bool is_known_by_content(const std::string& setting) {
  static const std::set<std::string> kNames = {"data",       "dataset",     "unseen",
                                               "zero_label", "train_split", "clip",
                                               "start",      "prompt",      "synonym_list"};
  return kNames.contains(setting) || setting.starts_with("set.");
}

std::string utc_time(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

void write_run_record(const std::filesystem::path& path, const RunRecord& record) {
  TAGCLIP_CHECK(record.data.seen.size() == record.data.classes.size(), "one mark per class");
  const ordered_json data = {{"folder", record.data.folder},
                             {"train", record.data.train},
                             {"val", record.data.val},
                             {"classes", record.data.classes},
                             {"seen", record.data.seen}};
  const ordered_json json = {
      {"tagclip", record.tagclip},
      {"libtorch", record.libtorch},
      {"label", record.label},
      {"seed", record.seed},
      {"device", record.device},
      {"ranks", record.ranks},
      {"precision", record.precision},
      {"data", data},
      {"contents", record.contents},
      {"iterations", record.iterations},
      {"started", record.started},
      {"finished", record.finished.empty() ? ordered_json() : ordered_json(record.finished)},
      {"seconds", record.seconds},
      {"parameters", {{"trained", record.trained_parameters}, {"all", record.all_parameters}}}};
  write_file(path, json_text(json, 2) + "\n");
}

RunRecord read_run_record(const std::filesystem::path& path) {
  const JsonFields fields(path);
  const JsonFields parameters = fields.object("parameters");
  return {.tagclip = fields.text("tagclip"),
          .libtorch = fields.text("libtorch"),
          .label = fields.text("label"),
          .seed = fields.count("seed"),
          .device = fields.text("device"),
          .precision = fields.text("precision"),
          .ranks = fields.count("ranks"),
          .data = read_data(fields.object("data"), path),
          .contents = fields.has("contents") ? fields.text("contents") : "",
          .iterations = fields.count("iterations"),
          .started = fields.text("started"),
          .finished = fields.has("finished") ? fields.text("finished") : "",
          .seconds = fields.number("seconds"),
          .trained_parameters = parameters.count("trained"),
          .all_parameters = parameters.count("all")};
}

void write_metrics_file(const std::filesystem::path& path, const StoredMetrics& stored) {
  // JSON has no NaN: nlohmann writes null for it.
  nlohmann::ordered_json json = {{"iteration", stored.iteration},
                                 {"milliseconds_per_photo", stored.milliseconds_per_photo}};
  json.update(nlohmann::ordered_json::parse(to_json(stored.metrics, stored.names, stored.seen)));
  for (const auto& [name, metrics] : stored.sets) {
    nlohmann::ordered_json entry = {{"name", name}};
    for (const SummaryField& field : kSummaryFields) entry[field.json_name] = metrics.*field.value;
    json["sets"].push_back(std::move(entry));
  }
  write_file(path, json_text(json, 2) + "\n");
}

StoredMetrics read_metrics_file(const std::filesystem::path& path) {
  const JsonFields fields(path);
  StoredMetrics stored{.iteration = fields.count("iteration"), .names = {}, .seen = {}};
  if (fields.has("milliseconds_per_photo")) {
    stored.milliseconds_per_photo = fields.number("milliseconds_per_photo");
  }
  for (const SummaryField& field : kSummaryFields) {
    stored.metrics.*field.value = fields.fraction_or_nan(field.json_name);
  }
  for (const JsonFields& row : fields.objects("classes")) {
    stored.names.push_back(row.text("name"));
    stored.seen.push_back(row.flag("seen"));
    stored.metrics.iou.push_back(row.fraction_or_nan("iou"));
    stored.metrics.accuracy.push_back(row.fraction_or_nan("accuracy"));
  }
  if (!fields.has("sets")) return stored;
  for (const JsonFields& row : fields.objects("sets")) {
    SetMetrics& set = stored.sets.emplace_back(SetMetrics{row.text("name"), {}});
    for (const SummaryField& field : kSummaryFields) {
      set.metrics.*field.value = row.fraction_or_nan(field.json_name);
    }
  }
  return stored;
}

}  // namespace tagclip

#include "infer/precision_cache.h"

#include <fmt/format.h>
#include <torch/version.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"

namespace tagclip {
namespace {

// Returns nothing if the trials are not those of the precisions that run here.
PrecisionEvidence evidence_of(const nlohmann::json& json) {
  PrecisionEvidence evidence{.photos = json.at("photos"), .trials = {}};
  for (const GemmPrecision precision : kGemmPrecisions) {
    if (!runs_here(precision)) continue;
    const nlohmann::json& stored = json.at("trials").at(name_of(precision));
    const PrecisionTrial trial{precision, stored.at("equal"), stored.at("pixels"),
                               stored.at("seconds")};
    if (trial.pixels < 1 || trial.equal < 0 || trial.equal > trial.pixels || !(trial.seconds > 0)) {
      return {};
    }
    evidence.trials.push_back(trial);
  }
  return evidence.photos.empty() ? PrecisionEvidence() : evidence;
}

std::filesystem::path measurements_folder() { return cache_folder() / "precision"; }

// Returns nothing if the file is not there or holds nothing sensible.
PrecisionEvidence evidence_in(const std::filesystem::path& file) {
  try {
    const auto json = parse_bounded_json(read_text(file));
    return json ? evidence_of(*json) : PrecisionEvidence();
  } catch (const Error&) {
    return {};
  } catch (const nlohmann::json::exception&) {
    return {};
  }
}

}  // namespace

PrecisionCache::PrecisionCache(const DenseModel& model) {
  std::string name = model.encoder->info.fingerprint->digits() + "-" + at::get_cpu_capability();
  for (const GemmPrecision precision : kGemmPrecisions) {
    if (runs_here(precision)) name += fmt::format("-{}", name_of(precision));
  }
  std::ranges::replace(name, ' ', '_');
  name_ = name + "-" TORCH_VERSION ".json";
}

std::filesystem::path PrecisionCache::file() const { return measurements_folder() / name_; }

PrecisionEvidence PrecisionCache::read() const {
  try {
    return evidence_in(file());
  } catch (const Error&) {  // no cache folder: `write` reports that
    return {};
  }
}

std::vector<KeptPrecision> kept_precisions() {
  std::vector<KeptPrecision> kept;
  try {
    for (const FolderEntry& entry : list_folder(measurements_folder())) {
      if (!entry.name.ends_with(".json")) continue;
      const PrecisionEvidence evidence = evidence_in(measurements_folder() / entry.name);
      if (evidence.trials.empty()) continue;
      kept.push_back({entry.name.substr(0, entry.name.find('-')), fastest_faithful(evidence),
                      evidence.count()});
    }
  } catch (const Error&) {  // nothing was measured yet
  }
  return kept;
}

void PrecisionCache::write(const PrecisionEvidence& evidence) const {
  nlohmann::json trials = nlohmann::json::object();
  for (const PrecisionTrial& trial : evidence.trials) {
    trials[std::string(name_of(trial.precision))] = {
        {"equal", trial.equal}, {"pixels", trial.pixels}, {"seconds", trial.seconds}};
  }
  create_folders(file().parent_path());
  write_file(file(),
             nlohmann::json{{"photos", evidence.photos}, {"trials", trials}}.dump(2) + "\n");
}

}  // namespace tagclip

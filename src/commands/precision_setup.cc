#include "commands/precision_setup.h"

#include <c10/util/StringUtil.h>
#include <torch/version.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "commands/run_config.h"
#include "infer/precision_trials.h"

namespace tagclip {
namespace {

constexpr int64_t kEnoughPhotos = 6;  // compared, in one run or in several
constexpr int64_t kSpareLooks = 16;   // at photos that cannot be read

// What was measured of these weights on this kind of processor, whatever the words.
class Record {
 public:
  explicit Record(const DenseModel& model) {
    std::string name = model.encoder_fingerprint() + "-" + at::get_cpu_capability();
    for (const GemmPrecision precision : kGemmPrecisions) {
      if (runs_here(precision)) name += c10::str("-", name_of(precision));
    }
    std::ranges::replace(name, ' ', '_');
    name_ = name + "-" TORCH_VERSION ".json";
  }

  // Nothing where nothing, or nothing sensible, is kept.
  PrecisionEvidence read() const {
    try {
      const auto json = parse_bounded_json(read_text(file()));
      return json ? evidence_of(*json) : PrecisionEvidence();
    } catch (const Error&) {  // no such file, or no cache folder: `write` reports that one
      return {};
    } catch (const nlohmann::json::exception&) {
      return {};
    }
  }

  void write(const PrecisionEvidence& evidence) const {
    nlohmann::json trials = nlohmann::json::object();
    for (const PrecisionTrial& trial : evidence.trials) {
      trials[std::string(name_of(trial.precision))] = {
          {"equal", trial.equal}, {"pixels", trial.pixels}, {"seconds", trial.seconds}};
    }
    create_folders(file().parent_path());
    write_file(file(),
               nlohmann::json{{"photos", evidence.photos}, {"trials", trials}}.dump(2) + "\n");
  }

 private:
  std::filesystem::path file() const { return cache_folder() / "precision" / name_; }

  static PrecisionEvidence evidence_of(const nlohmann::json& json) {
    PrecisionEvidence evidence{.photos = json.at("photos")};
    for (const GemmPrecision precision : kGemmPrecisions) {
      if (!runs_here(precision)) continue;
      const nlohmann::json& trial = json.at("trials").at(name_of(precision));
      evidence.trials.push_back(
          {precision, trial.at("equal"), trial.at("pixels"), trial.at("seconds")});
      const PrecisionTrial& read = evidence.trials.back();
      if (read.pixels < 1 || read.equal < 0 || read.equal > read.pixels || !(read.seconds > 0)) {
        return {};
      }
    }
    return evidence.photos.empty() ? PrecisionEvidence() : evidence;
  }

  std::string name_;
};

// Up to `wanted` of the photos, from all over the list, that were not compared before; those that
// cannot be read are somebody else's to report.
std::vector<Image> new_photos(const PhotoSource& photos, const PrecisionEvidence& known,
                              int64_t wanted) {
  std::vector<Image> found;
  std::set<std::string> digests(known.photos.begin(), known.photos.end());
  const int64_t step = std::max<int64_t>(1, photos.count / wanted);
  int64_t looks = std::min(photos.count, wanted + known.count() + kSpareLooks);
  for (int64_t i = 0; looks > 0 && std::ssize(found) < wanted; ++i, --looks) {
    try {
      // The first of each stretch, then the second, ...
      const int64_t stretches = (photos.count + step - 1) / step;
      Image photo = photos.read(std::min(i % stretches * step + i / stretches, photos.count - 1));
      if (digests.insert(photo_digest(photo)).second) found.push_back(std::move(photo));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput) throw;
    }
  }
  return found;
}

std::string describe(const PrecisionEvidence& evidence, const PrecisionTrial& chosen) {
  std::string text = c10::str("encoding in ", name_of(chosen.precision), "; compared on ",
                              evidence.count(), " of ", kEnoughPhotos, " photos so far:");
  for (const PrecisionTrial& trial : evidence.trials) {
    if (trial.precision == GemmPrecision::kFloat32) continue;
    text += c10::str("\n  ", name_of(trial.precision), ": ", fixed(100 * trial.share(), 2),
                     "% of the pixels labelled as in float32, ",
                     fixed(evidence.trials.front().seconds / trial.seconds, 1), " times as fast");
  }
  return text;
}

// Compares some of the photos, unless enough have been.
GemmPrecision measured(const DenseModel& model, const SegmentingSetup& setup,
                       const PhotoSource& photos, Console& console) {
  const Record record(model);
  PrecisionEvidence evidence = record.read();
  const int64_t lacking = kEnoughPhotos - evidence.count();
  std::vector<Image> some;
  if (lacking > 0) some = new_photos(photos, evidence, std::min(photos.count, lacking));
  if (!some.empty()) {
    evidence += try_precisions(model, setup.vocabulary, setup.sliding, some);
    if (evidence.trials.size() > 1) console.note(describe(evidence, fastest_faithful(evidence)));
    try {
      record.write(evidence);
    } catch (const Error& error) {
      console.warn(c10::str(error.what(), ": the comparison of precisions is not kept"));
    }
  }
  return evidence.count() > 0 ? fastest_faithful(evidence).precision : GemmPrecision::kFloat32;
}

// As the first rank says.
GemmPrecision agreed(GemmPrecision own, const Ranks& ranks) {
  return static_cast<GemmPrecision>(
      std::lround(ranks.sum(ranks.first() ? static_cast<double>(own) : 0.0)));
}

}  // namespace

std::shared_ptr<const DenseModel> in_precision(const std::string& name,
                                               std::shared_ptr<const DenseModel> model,
                                               const SegmentingSetup& setup,
                                               const PhotoSource& photos, const Ranks& ranks,
                                               Console& console) {
  if (name != "auto") return in_precision(std::move(model), parse_precision(name));
  if (!model->device().is_cpu()) return model;
  GemmPrecision chosen = GemmPrecision::kFloat32;
  if (ranks.first()) chosen = measured(*model, setup, photos, console);
  return in_precision(std::move(model), agreed(chosen, ranks));
}

}  // namespace tagclip

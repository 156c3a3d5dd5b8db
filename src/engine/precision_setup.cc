#include "engine/precision_setup.h"

#include <c10/util/StringUtil.h>
#include <torch/version.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/atomic_file.h"
#include "base/cache_folder.h"
#include "base/error.h"
#include "engine/run_config.h"
#include "infer/precision_trials.h"
#include "io/bounded_json.h"

namespace tagclip {
namespace {

constexpr int64_t kTrialPhotos = 3;

// What was measured once, of these weights on this kind of processor.
class Record {
 public:
  explicit Record(const DenseModel& model) {
    std::string name = model.encoder_fingerprint() + "-" + at::get_cpu_capability();
    for (const MatrixPrecision precision : kMatrixPrecisions) {
      if (runs_here(precision)) name += c10::str("-", name_of(precision));
    }
    std::ranges::replace(name, ' ', '_');
    name_ = name + "-" TORCH_VERSION ".json";
  }

  // Nothing where nothing, or nothing sensible, is kept.
  std::optional<PrecisionTrial> read() const {
    std::ifstream stream;
    try {
      stream.open(file());
    } catch (const Error&) {  // no cache folder: `write` says so
      return {};
    }
    const auto json = parse_bounded_json(std::string{std::istreambuf_iterator<char>(stream), {}});
    if (!json || !json->is_object()) return {};
    const auto precision = json->find("precision"), equal = json->find("equal");
    if (precision == json->end() || !precision->is_string()) return {};
    if (equal == json->end() || !equal->is_number()) return {};
    for (const MatrixPrecision known : kMatrixPrecisions) {
      if (*precision == name_of(known) && runs_here(known)) return {{known, *equal, 0}};
    }
    return {};
  }

  void write(const PrecisionTrial& chosen) const {
    create_folders(file().parent_path());
    write_file(
        file(),
        nlohmann::json{{"precision", name_of(chosen.precision)}, {"equal", chosen.equal}}.dump() +
            "\n");
  }

 private:
  std::filesystem::path file() const { return cache_folder() / "precision" / name_; }

  std::string name_;
};

// Some of the photos, from all over the list; those that cannot be read are somebody else's to
// report.
std::vector<Image> some_of(const PhotoSource& photos) {
  std::vector<Image> some;
  const int64_t step = std::max<int64_t>(1, photos.count / kTrialPhotos);
  for (int64_t i = 0; i < photos.count && std::ssize(some) < kTrialPhotos; i += step) {
    try {
      some.push_back(photos.read(i));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput) throw;
    }
  }
  return some;
}

std::string describe(const std::vector<PrecisionTrial>& trials, const PrecisionTrial& chosen) {
  std::string text = c10::str("encoding in ", name_of(chosen.precision));
  for (const PrecisionTrial& trial : trials) {
    if (trial.precision == MatrixPrecision::kFloat32) continue;
    text += c10::str("; ", name_of(trial.precision), ": ", fixed(100 * trial.equal, 2),
                     "% of the pixels labelled as in float32, ",
                     fixed(trials.front().seconds / trial.seconds, 1), " times as fast");
  }
  return text;
}

MatrixPrecision measured(const DenseModel& model, const SegmentingSetup& setup,
                         const PhotoSource& photos, Console& console) {
  const Record record(model);
  if (const auto known = record.read()) return known->precision;
  const std::vector<Image> some = some_of(photos);
  if (some.empty()) return MatrixPrecision::kFloat32;
  const auto trials = try_precisions(model, setup.vocabulary, setup.sliding, some);
  const PrecisionTrial& chosen = fastest_faithful(trials);
  if (trials.size() > 1) console.note(describe(trials, chosen));
  try {
    record.write(chosen);
  } catch (const Error& error) {
    console.warn(c10::str(error.what(), ": the choice of precision is not kept"));
  }
  return chosen.precision;
}

// As the first rank says.
MatrixPrecision agreed(MatrixPrecision own, const Ranks& ranks) {
  return static_cast<MatrixPrecision>(
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
  MatrixPrecision chosen = MatrixPrecision::kFloat32;
  if (ranks.first()) chosen = measured(*model, setup, photos, console);
  return in_precision(std::move(model), agreed(chosen, ranks));
}

}  // namespace tagclip

#include "train/train.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/version.h>

#include <chrono>
#include <exception>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "data_check/data_check.h"
#include "train/file_check.h"
#include "train/folder_lock.h"
#include "train/run_folder.h"
#include "train/run_identity.h"
#include "train/run_writer.h"
#include "train/validation.h"

namespace tagclip {
namespace {

// Looks at some label files of a new run: a mistake in the labels costs a night of training.
void check_labels(const TrainConfig& config) {
  constexpr size_t kFiles = 300;
  for (const LabelSetOptions& set : training_sets(config)) {
    const std::vector<Finding> errors = quick_check(set.data, config.train_split, kFiles);
    if (errors.empty()) continue;
    const std::string& folder = set.data.folder;
    throw bad_input(folder + ": " + errors[0].what,
                    errors[0].advice + "; tagclip data check " + folder +
                        " looks at everything, check_data = false trains all the same");
  }
}

// The names of data sets for a reader: the folder of the only one, or the names of several.
std::string describe(const std::vector<LabelSetOptions>& sets) {
  if (sets.size() == 1) return sets[0].data.folder;
  std::string names;
  for (const LabelSetOptions& set : sets) names += (names.empty() ? "" : " + ") + set.name;
  return names;
}

using Say = std::function<void(const std::string&)>;

class Run {
 public:
  Run(const TrainConfig& config, const World& world, const TrainHooks& hooks)
      : config_(config),
        world_(world),
        hooks_(hooks),
        warn_(of_root(hooks.on_warning)),
        lock_(lock_folder()),
        folder_(config, world, warn_, of_root(hooks.on_note)) {
    const bool checks = config.check_data && world.is_root();
    if (checks && folder_.is_new()) check_labels(config);
    trainer_.emplace(config, world, hooks.on_warning);
    if (!config.val_split.empty()) validator_.emplace(config, *trainer_, world);
    if (config.check_data) check_all_files();
    if (folder_.is_new()) say_how_sets_are_joined();
    for (const std::string& warning : config.warnings()) warn_(warning);
    folder_.resume(*trainer_, validator_ ? validator_->identity() : "");
    folder_.create();
  }

  TrainOutcome finish() {
    hooks_.on_start(trainer_->iteration());
    const int64_t last = config_.schedule.iterations;
    if (is_over()) return {last, /*finished=*/true};
    trainer_->start();
    if (world_.is_root()) {
      writer_.emplace(config_.output, record(), trainer_->iteration(), folder_.validated());
    }
    const bool finished = iterate_or_save(last);
    if (writer_) writer_->save_record(finished);
    world_.barrier();  // a rank that exits early would look crashed to the others
    return {trainer_->iteration(), finished};
  }

 private:
  Say of_root(const Say& say) const {
    return world_.is_root() ? say : [](const std::string&) {};
  }

  // The root rank holds the folder for all.
  std::unique_ptr<FolderLock> lock_folder() const {
    if (!world_.is_root()) return nullptr;
    return std::make_unique<FolderLock>(config_.output, warn_);
  }

  // The root rank looks at the files, and the others wait. A signal to one of them stops all, and
  // none takes the root for lost, however long it takes.
  void check_all_files() const {
    constexpr auto kBetweenTalks = std::chrono::seconds(1);
    std::exception_ptr error;
    if (world_.is_root()) {
      auto last_talk = std::chrono::steady_clock::now();
      const auto stop_requested = [&] {
        if (world_.is_single()) return hooks_.stop_requested();
        if (std::chrono::steady_clock::now() < last_talk + kBetweenTalks) return false;
        const bool stopped = talk({}).stopped;
        last_talk = std::chrono::steady_clock::now();
        return stopped;
      };
      try {
        check_all_files({hooks_.on_check, stop_requested, warn_});
      } catch (...) {
        error = std::current_exception();
      }
    }
    Talk said = talk({.over = world_.is_root(), .failed = error != nullptr});
    while (!said.over) said = talk({});
    if (error) std::rethrow_exception(error);
    if (said.stopped) throw stopped_in_check();
    if (said.failed) {
      throw bad_input(fmt::format("rank {} of {} ends: rank 0 cannot use the files", world_.rank(),
                                  world_.size()),
                      "its message says which, and why");
    }
  }

  void check_all_files(const FileCheckHooks& hooks) const {
    for (const LabelSets::Entry& set : trainer_->data()) {
      check_files(set.data, config_.bad_photos, hooks);
    }
    for (size_t s = 0; validator_ && s < validator_->size(); ++s) {
      check_files(validator_->data(s), BadImagePolicy::kFail, hooks);
      check_label_values(validator_->data(s), hooks);
    }
  }

  // What the ranks tell each other while the root checks the files.
  struct Talk {
    bool stopped = false;  // a rank is to stop
    bool over = false;     // the root has looked at all of them
    bool failed = false;   // and cannot use them
  };
  // Returns what any rank says.
  Talk talk(const Talk& own) const {
    return {.stopped = world_.any(hooks_.stop_requested()),
            .over = world_.any(own.over),
            .failed = world_.any(own.failed)};
  }

  // Says what several data sets come to together: shares, classes, which of them are hidden.
  void say_how_sets_are_joined() const {
    const Say note = of_root(hooks_.on_note);
    const LabelSets& data = trainer_->data();
    if (validator_ && !validator_->left_out().empty()) {
      note(fmt::format("not validated on, for want of a list {}: {}", config_.val_split,
                       fmt::join(validator_->left_out(), ", ")));
    }
    if (data.single()) return;
    std::vector<std::string> shares;
    for (const LabelSets::Entry& set : data) {
      shares.push_back(fmt::format("{} {}% ({})", set.name, fixed(100 * set.share, 1),
                                   counted(static_cast<int64_t>(set.data.size()), "photo")));
    }
    note(fmt::format("{} data sets, {} classes together; shares of the steps: {}", data.size(),
                     data.classes().words.size(), fmt::join(shares, ", ")));
    if (config_.setting != Setting::kSupervised) warn_of_leaks();
  }

  // Warns of classes that one set hides and another one labels, perhaps under another name.
  void warn_of_leaks() const {
    std::vector<DatasetInfo> infos;
    std::vector<const DatasetInfo*> pointers;
    for (const LabelSets::Entry& set : trainer_->data()) {
      infos.push_back(set.data.info());
      // `unseen` over several sets is in none of their lists.
      if (!config_.data.unseen.empty()) infos.back().seen = set.seen;
    }
    for (const DatasetInfo& info : infos) pointers.push_back(&info);
    for (const Finding& finding : find_hidden_and_labelled(pointers, trainer_->synonyms())) {
      warn_(finding.what + "; " + finding.advice);
    }
  }

  // True if an earlier session left nothing to do.
  bool is_over() const {
    return trainer_->iteration() == config_.schedule.iterations && !validation_is_due() &&
           path_exists(folder_.model_path("model"));
  }

  bool validation_is_due() const {
    const int64_t done = trainer_->iteration();
    if (!validator_ || done == 0 || folder_.validated() == done) return false;
    return done % config_.validate_every == 0 || done == config_.schedule.iterations;
  }

  // An error costs no finished step: the state is saved before it goes on.
  bool iterate_or_save(int64_t last) {
    try {
      return iterate(last);
    } catch (...) {
      save_after_error();
      throw;
    }
  }

  void save_after_error() {
    const int64_t done = trainer_->iteration();
    if (!trainer_->is_complete() || done == 0 || folder_.saved() == done) return;
    try {
      folder_.save_state(*trainer_);
    } catch (const std::exception& error) {
      warn_(fmt::format("the state after iteration {} could not be saved: {}", done, error.what()));
      return;
    }
    warn_(fmt::format(
        "an error ends the run; the state after iteration {} is saved, the same command resumes",
        done));
  }

  // Trains to iteration `last`; false when the user stopped it.
  bool iterate(int64_t last) {
    while (true) {
      const int64_t done = trainer_->iteration();
      if (done == last) return finish_model();
      if (validation_is_due() && !validate()) break;
      const TrainReport report = trainer_->advance();
      hooks_.on_step(report);
      if (writer_ && report.iteration % config_.log_every == 0) writer_->add(report);
      if (world_.any(hooks_.stop_requested())) break;
      save(report.iteration, last);
    }
    folder_.save_state(*trainer_);
    return false;
  }

  // Writes the model, then measures it: it is there whatever becomes of the last validation. False
  // when the user stopped that.
  bool finish_model() {
    if (folder_.saved() != trainer_->iteration()) folder_.save_state(*trainer_);
    folder_.save_model("model", *trainer_);
    if (!validation_is_due()) return true;
    const bool finished = validate();
    folder_.save_state(*trainer_);
    return finished;
  }

  // Saves and validates as is due after an iteration.
  void save(int64_t iteration, int64_t last) {
    if (config_.model_every > 0 && iteration % config_.model_every == 0 && iteration < last) {
      folder_.save_model(fmt::format("model_{}", iteration), *trainer_);
    }
    if (iteration % config_.save_every != 0) return;
    folder_.save_state(*trainer_);
    if (writer_) writer_->save_record(/*finished=*/false);
  }

  // Validates once; false when the user stopped it.
  bool validate() {
    const auto float32 = trainer_->in_float32();
    const std::optional<Validation> validation = (*validator_)(hooks_.stop_requested);
    if (!validation) return false;
    const int64_t iteration = trainer_->iteration();
    if (folder_.improves(iteration, validation->score())) {
      folder_.save_model("best", *trainer_);
    }
    if (writer_) writer_->add(iteration, *validation);
    hooks_.on_validation(iteration, *validation);
    return true;
  }

  // The classes are those that are measured.
  RunData run_data() const {
    const LabelSets& data = trainer_->data();
    const std::string folder = describe(training_sets(config_));
    const auto train = static_cast<int64_t>(data.photos());
    if (!validator_) return {folder, train, 0, data.class_names(), data.classes().seen};
    const bool own = !config_.val_data.folders.empty();
    return {own ? folder + " -> " + describe(validation_sets(config_)) : folder, train,
            validator_->photos(), validator_->classes(), validator_->judged_seen()};
  }

  std::string contents() const {
    // Where a run starts from a CLIP its frozen weights hold some that its seed has drawn.
    const std::string start = config_.start.empty() ? clip_fingerprint_of(trainer_->model())
                                                    : trainer_->frozen_fingerprint();
    const std::string learnt = start + RunIdentity::of(*trainer_).text();
    return text_fingerprint(learnt + (validator_ ? validator_->contents() : ""));
  }

  RunRecord record() const {
    const ParameterCounts counts = count_parameters(trainer_->model().parameters);
    const bool mixed = config_.precision == ComputePrecision::kBFloat16;
    return {.tagclip = TAGCLIP_VERSION,
            .libtorch = TORCH_VERSION,
            .label = config_.label,
            .seed = config_.seed,
            .device = trainer_->model().device().str(),
            .precision = mixed ? "bfloat16" : "float32",
            .ranks = world_.size(),
            .data = run_data(),
            .contents = contents(),
            .iterations = config_.schedule.iterations,
            .trained_parameters = counts.trained,
            .all_parameters = counts.all};
  }

  const TrainConfig& config_;
  const World& world_;
  const TrainHooks& hooks_;
  Say warn_;
  std::unique_ptr<FolderLock> lock_;  // on the root rank; outlives what is written
  RunFolder folder_;
  std::optional<Trainer> trainer_;
  std::optional<Validator> validator_;
  std::optional<RunWriter> writer_;  // on the root rank
};

}  // namespace

TrainOutcome train(const TrainConfig& config, const World& world, const TrainHooks& hooks) {
  config.check();
  if (config.batch % world.size() != 0) {
    throw usage_error(fmt::format("batch: expected a multiple of the {} ranks, found {}",
                                  world.size(), config.batch));
  }
  return Run(config, world, hooks).finish();
}

}  // namespace tagclip

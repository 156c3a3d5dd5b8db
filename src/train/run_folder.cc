#include "train/run_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/config_file.h"
#include "base/error.h"
#include "base/fields_json.h"
#include "base/files.h"
#include "base/text.h"
#include "runs/run_record.h"
#include "train/run_identity.h"
#include "train/starting_model.h"

namespace tagclip {
namespace {

constexpr const char* kIteration = "tagclip.train.iteration";
constexpr const char* kValidated = "tagclip.train.validated";
constexpr const char* kBest = "tagclip.train.best";
constexpr const char* kFrozen = "tagclip.train.frozen";
constexpr const char* kConfig = "tagclip.train.config";
constexpr const char* kValidation = "tagclip.train.validation";
constexpr const char* kIterations = "schedule.iterations";

// The settings that models keep: those that say how they were made.
ConstFieldList kept(const TrainConfig& config) {
  return config.fields().where(
      [](const Field& field) { return !free_settings().contains(field.name); });
}

// The settings as config.toml has them: they mean the same wherever it is read.
std::string portable_toml(const TrainConfig& config) {
  TrainConfig portable = with_absolute_inputs(config);
  portable.output = absolute_path(config.output);
  return to_toml(portable.fields());
}

}  // namespace

RunFolder::RunFolder(const TrainConfig& config, const World& world, const Say& warn, Say note)
    : config_(config),
      world_(world),
      folder_(config.output),
      checkpoints_(folder_, config.keep),
      note_(std::move(note)),
      checkpoint_(checkpoints_.newest(warn)) {
  if (!checkpoint_) return;
  // Earlier versions kept paths as they were written.
  const TrainConfig now =
      RunIdentity::stored_in(*checkpoint_) ? with_absolute_inputs(config) : config;
  const TrainConfig defaults;
  check_changes(changed_settings(*checkpoint_, kConfig, now.fields(), defaults.fields()));
}

// Settings that change what is learnt are refused; the others are taken over.
void RunFolder::check_changes(const std::vector<ChangedSetting>& changes) {
  // Checkpoints of earlier versions do not say what was in the files: their places must do.
  const bool knows_files = RunIdentity::stored_in(*checkpoint_);
  std::vector<ChangedSetting> bound, unknown, taken;
  bool may_extend = false;
  for (const ChangedSetting& change : changes) {
    const auto before = parse_number<int64_t>(change.before);
    if (change.name == kIterations && before && *before < config_.schedule.iterations) {
      may_extend = true;
      if (config_.extend) {
        shorter_ = change.before;
        continue;
      }
    }
    const bool is_unknown = !knows_files && is_known_by_content(change.name);
    (!is_free_to_change(change.name) ? bound : is_unknown ? unknown : taken).push_back(change);
  }
  if (!bound.empty()) {
    throw other_settings(*checkpoint_, bound,
                         may_extend ? "set extend = true to train on to more iterations, set the "
                                      "others back, or choose another output folder"
                                    : "");
  }
  if (!unknown.empty()) {
    throw other_settings(*checkpoint_, unknown,
                         "an earlier version wrote it, which knew files by their places alone: set "
                         "these back until the next state is saved, or choose another output "
                         "folder");
  }
  // Those of earlier versions do not hold the settings that never bound a run.
  std::erase_if(taken, [&](const ChangedSetting& change) {
    return !knows_files && free_settings().contains(change.name);
  });
  std::erase_if(taken, [](const ChangedSetting& change) { return change.name == "extend"; });
  if (!taken.empty()) note_("settings that were changed: " + tagclip::describe(taken));
  if (shorter_.empty()) return;
  note_(
      fmt::format("the run of {} iterations is extended to {}: from here on the learning rate is "
                  "that of the longer schedule",
                  shorter_, config_.schedule.iterations));
}

void RunFolder::check_identity(const Trainer& trainer) const {
  const auto frozen = checkpoint_->metadata.find(kFrozen);
  if (frozen == checkpoint_->metadata.end() || frozen->second != trainer.frozen_fingerprint()) {
    throw bad_input(checkpoint_->path.string() + " belongs to a run that started from another " +
                        (config_.start.empty() ? "CLIP" : "model"),
                    fmt::format("set {} to the file it was, or choose another output folder",
                                config_.start.empty() ? "clip" : "start"));
  }
  if (!RunIdentity::stored_in(*checkpoint_)) return;
  const std::vector<std::string> different =
      differences(RunIdentity::read(*checkpoint_), RunIdentity::of(trainer));
  if (different.empty()) return;
  throw bad_input(fmt::format("{} belongs to a run on other data or words: {}",
                              checkpoint_->path.string(), fmt::join(different, "; ")),
                  "put the files back as they were to resume it, or choose another output folder");
}

void RunFolder::restore(Trainer& trainer, const std::string& validation) {
  trainer.restore(*checkpoint_, stored_count(*checkpoint_, kIteration));
  saved_ = trainer.iteration();
  validated_ = stored_count(*checkpoint_, kValidated);
  best_ = stored_number(*checkpoint_, kBest);
  const std::string& before = stored_text(*checkpoint_, kValidation);
  if (best_ < 0 || before.empty() || before == validation) return;
  best_ = -1;
  note_("the validation measures something else than before: best.safetensors is judged anew");
}

void RunFolder::resume(Trainer& trainer, const std::string& validation) {
  validation_ = validation;
  if (checkpoint_) {
    check_identity(trainer);
    restore(trainer, validation);
    world_.barrier();  // the others may still be reading
    if (world_.is_root()) {
      checkpoints_.tidy(*checkpoint_);
      keep_shorter_run();
    }
    checkpoint_.reset();
  }
  check_agreement(trainer);
}

// The finished model of a run that was extended stays, under the name of its iteration.
void RunFolder::keep_shorter_run() const {
  if (shorter_.empty() || !is_file(model_path("model"))) return;
  const std::filesystem::path kept = model_path("model_" + shorter_);
  rename_path(model_path("model"), kept);
  note_(fmt::format("the model of the shorter run is {}", kept.string()));
}

// Every rank reads the checkpoints for itself.
void RunFolder::check_agreement(const Trainer& trainer) const {
  const int64_t done = trainer.iteration();
  const double sum = world_.all_reduce_sum(static_cast<double>(done));
  if (sum == static_cast<double>(done * world_.size())) return;
  throw bad_input(fmt::format("rank {} finds {} iterations done in {}, others find another number",
                              world_.rank(), done, folder_.string()),
                  "the output folder must be one that all ranks share");
}

void RunFolder::create() const {
  if (!world_.is_root()) return;
  create_folders(folder_);
  write_file(folder_ / "config.toml", portable_toml(config_));
}

bool RunFolder::improves(int64_t iteration, double score) {
  validated_ = iteration;
  if (score <= best_) return false;
  best_ = score;
  return true;
}

void RunFolder::save_state(const Trainer& trainer) {
  saved_ = trainer.iteration();
  if (!world_.is_root()) return;
  Metadata metadata = RunIdentity::of(trainer).metadata(trainer.model().config);
  metadata[kIteration] = std::to_string(trainer.iteration());
  metadata[kConfig] = to_json(with_absolute_inputs(config_).fields());
  metadata[kValidated] = std::to_string(validated_);
  metadata[kBest] = exact(best_);
  metadata[kValidation] = validation_;
  metadata[kFrozen] = trainer.frozen_fingerprint();
  checkpoints_.save(trainer.iteration(),
                    run_state(trainer.model().parameters.trained(), trainer.optimizer()),
                    std::move(metadata));
}

void RunFolder::save_model(const std::string& name, Trainer& trainer) const {
  if (!world_.is_root()) return;
  const auto float32 = trainer.in_float32();
  tagclip::save_model(
      model_path(name), trainer.model(), trainer.trained_on(), config_.save_precision,
      {{kIteration, std::to_string(trainer.iteration())}, {kConfig, to_json(kept(config_))}});
}

std::filesystem::path RunFolder::model_path(const std::string& name) const {
  return folder_ / (name + ".safetensors");
}

bool is_saved_state(const std::filesystem::path& file) {
  if (file.extension() != ".safetensors") return false;
  try {
    const Metadata metadata = SafetensorsFile::open(file).metadata();
    return metadata.contains(kFrozen) && metadata.contains(kIteration);
  } catch (const Error&) {
    return false;  // whoever reads it as weights says what is wrong
  }
}

LoadedModel load_saved_state(const std::filesystem::path& file, const RunFolder::Say& warn) {
  const Checkpoint checkpoint = Checkpoints::read(file);
  TrainConfig config;
  FieldList fields = config.fields();
  read_json(stored_text(checkpoint, kConfig), fields, file.string());
  const std::string& start = config.start.empty() ? config.clip : config.start;
  const std::string needs =
      fmt::format("{} holds what the run has trained; the rest comes from what it began with, {}",
                  file.string(), start);
  std::optional<SegmentationModel> model;
  try {
    model.emplace(starting_model(config, at::kCPU, warn));
  } catch (const Error& error) {
    throw Error(error.kind(), error.what(), needs);
  }
  if (frozen_fingerprint_of(*model) != stored_text(checkpoint, kFrozen)) {
    throw bad_input(start + " is not what the run began with", needs);
  }
  std::vector<Parameter> trained;
  for (const Parameter& parameter : model->parameters.all()) {
    if (is_trained(parameter.name, model->config)) trained.push_back(parameter);
  }
  restore(checkpoint, trained);
  return {*std::move(model), read_trained_on(checkpoint.metadata, file.string()),
          checkpoint.metadata};
}

}  // namespace tagclip

#include "train/run_folder.h"

#include <fmt/format.h>

#include "base/config_file.h"
#include "base/error.h"
#include "base/fields_json.h"
#include "base/files.h"
#include "runs/run_record.h"

namespace tagclip {
namespace {

constexpr const char* kIteration = "tagclip.train.iteration";
constexpr const char* kValidated = "tagclip.train.validated";
constexpr const char* kBest = "tagclip.train.best";
constexpr const char* kFrozen = "tagclip.train.frozen";
constexpr const char* kConfig = "tagclip.train.config";

}  // namespace

RunFolder::RunFolder(const TrainConfig& config, const World& world,
                     const std::function<void(const std::string&)>& warn)
    : config_(config),
      world_(world),
      folder_(config.output),
      checkpoints_(folder_, config.keep),
      checkpoint_(checkpoints_.newest(warn)) {
  if (!checkpoint_) return;
  const TrainConfig defaults;
  check_settings(*checkpoint_, {kConfig, binding(config.fields(), free_settings()),
                                binding(defaults.fields(), free_settings())});
}

void RunFolder::resume(Trainer& trainer) {
  if (checkpoint_) {
    if (const auto frozen = checkpoint_->metadata.find(kFrozen);
        frozen == checkpoint_->metadata.end() || frozen->second != trainer.frozen_fingerprint()) {
      throw bad_input(checkpoint_->path.string() + " belongs to a run that started from another " +
                          (config_.start.empty() ? "CLIP" : "model"),
                      fmt::format("set {} to the file it was, or choose another output folder",
                                  config_.start.empty() ? "clip" : "start"));
    }
    trainer.restore(*checkpoint_, stored_count(*checkpoint_, kIteration));
    validated_ = stored_count(*checkpoint_, kValidated);
    best_ = stored_number(*checkpoint_, kBest);
    world_.barrier();  // the others may still be reading
    if (world_.is_root()) checkpoints_.tidy(*checkpoint_);
    checkpoint_.reset();
  }
  check_agreement(trainer);
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
  write_file(folder_ / "config.toml", to_toml(config_.fields()));
}

bool RunFolder::improves(int64_t iteration, double score) {
  validated_ = iteration;
  if (score <= best_) return false;
  best_ = score;
  return true;
}

Metadata RunFolder::progress(const Trainer& trainer) const {
  return {{kIteration, std::to_string(trainer.iteration())},
          {kConfig, to_json(binding(config_.fields(), free_settings()))}};
}

void RunFolder::save_state(const Trainer& trainer) const {
  if (!world_.is_root()) return;
  Metadata metadata = progress(trainer);
  metadata[kValidated] = std::to_string(validated_);
  metadata[kBest] = exact(best_);
  metadata[kFrozen] = trainer.frozen_fingerprint();
  checkpoints_.save(trainer.iteration(),
                    run_state(trainer.model().parameters.trained(), trainer.optimizer()),
                    std::move(metadata));
}

void RunFolder::save_model(const std::string& name, Trainer& trainer) const {
  if (!world_.is_root()) return;
  const auto float32 = trainer.in_float32();
  tagclip::save_model(model_path(name), trainer.model(), trainer.trained_on(),
                      config_.save_precision, progress(trainer));
}

std::filesystem::path RunFolder::model_path(const std::string& name) const {
  return folder_ / (name + ".safetensors");
}

}  // namespace tagclip

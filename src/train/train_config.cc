#include "train/train_config.h"

#include "base/error.h"

namespace tagclip {
namespace {

template <class Options>
FieldsOf<Options> augment_fields(Options& augment) {
  constexpr Range side{1, 1 << 16};
  FieldsOf<Options> list;
  list.add("long_side", augment.long_side, side, "photos are scaled to fit this long side ...");
  list.add("short_side", augment.short_side, side,
           "... and this short side, times the drawn scale");
  list.add("min_scale", augment.min_scale, {0.01, 100}, "least scale");
  list.add("max_scale", augment.max_scale, {0.01, 100}, "largest scale");
  list.add("crop_size", augment.crop_size, side, "side of the training crops");
  list.add("max_class_ratio", augment.max_class_ratio, {0, 1},
           "largest share of a crop one class may cover");
  list.add("flip_probability", augment.flip_probability, {0, 1}, "how often photos are mirrored");
  list.add("photometric", augment.photometric, "whether colours are distorted");
  return list;
}

template <class List, class Options>
void add_dataset_fields(List& list, Options& data, const std::string& prefix,
                        const std::string& folder_help) {
  list.add(prefix + "data", data.folder, folder_help);
  list.add(prefix + "dataset", data.kind,
           "kind of data set: folder (images/, labels/, classes.txt, lists), voc2012, coco-stuff, "
           "context59, context60; auto looks at the folder");
  list.add(prefix + "unseen", data.unseen,
           "classes hidden in training: names or indices, a list file, a built-in split, none; "
           "empty: the set's own");
  list.add(prefix + "zero_label", data.zero_label,
           {{"auto", ZeroLabel::kAuto}, {"keep", ZeroLabel::kKeep}, {"reduce", ZeroLabel::kReduce}},
           "keep the background, label 0, as a class, or reduce: make it void; auto: as the set is "
           "used");
}

// The model's own choices; the towers' sizes are read from the CLIP.
template <class Model>
FieldsOf<Model> model_fields(Model& model) {
  return model.fields().where([](const Field& f) { return !f.name.starts_with("clip."); });
}

template <class Config>
FieldsOf<Config> self_training_fields(Config& config) {
  FieldsOf<Config> list;
  list.add("from", config.from, {0, 1}, "share of the iterations after which self-training begins");
  list.add(
      "pseudo_labels", config.pseudo_labels,
      {{"unseen", PseudoLabels::kUnseen},
       {"everything", PseudoLabels::kEverything},
       {"none", PseudoLabels::kNone}},
      "hidden pixels get the unseen class the model prefers; so do void ones; or none does, as "
      "in the released code");
  return list;
}

template <class Config>
FieldsOf<Config> train_fields(Config& config) {
  constexpr Range count{1, 1e9};
  FieldsOf<Config> list;
  list.add("output", config.output, "folder of the run");
  list.add("label", config.label, "what reports call the run and others like it");
  add_dataset_fields(list, config.data, "", "data set folder");
  list.add("train_split", config.train_split, "list of the training photos");
  add_dataset_fields(list, config.val_data, "val_",
                     "data set folder of the validation, if it is another one: cross-dataset");
  list.add("val_split", config.val_split, "list of the validation photos; empty: no validation");
  list.add("clip", config.clip,
           "the CLIP to start from: a file of tagclip pretrain, or a trained model, whose towers "
           "are as they were");
  list.add("prompt", config.prompt, "prompt templates: single, multi, a file, or one holding {}");
  list.add("setting", config.setting,
           {{"inductive", Setting::kInductive},
            {"transductive", Setting::kTransductive},
            {"supervised", Setting::kSupervised}},
           "which labels training may see");
  list.add(
      "trusty_source", config.trusty_source,
      {{"annotations", TrustySource::kAnnotations}, {"held-out-seen", TrustySource::kHeldOutSeen}},
      "where the trusty token learns what is unseen: from where unseen pixels are, or from seen "
      "classes hidden for one step");
  list.add("held_out_share", config.held_out_share, {0, 1},
           "share of the seen classes that held-out-seen hides in a step");
  list.add("seed", config.seed, {0, 1e15}, "seed of weights, batches and dropout");
  list.add("batch", config.batch, {1, 1 << 16}, "photos a step, over all ranks");
  list.add("workers", config.workers, {0, 256},
           "threads that read and augment photos; 0: the training thread does");
  list.add(
      "check_data", config.check_data,
      "whether a new run looks at some label files first, and refuses sets that it would learn "
      "the wrong thing from");
  list.add("prefetch", config.prefetch, {1, 64}, "batches they may be ahead");
  list.add("bad_photos", config.bad_photos,
           {{"fail", BadPhotos::kFail}, {"skip", BadPhotos::kSkip}},
           "what becomes of a training photo that cannot be read: the run fails, or takes another");
  list.add("precision", config.precision,
           {{"float32", ComputePrecision::kFloat32}, {"bfloat16", ComputePrecision::kBFloat16}},
           "of matrix products; parameters and losses stay float32");
  list.add("save_precision", config.save_precision,
           {{"float32", StoragePrecision::kFloat32},
            {"float16", StoragePrecision::kFloat16},
            {"bfloat16", StoragePrecision::kBFloat16}},
           "of best.safetensors and model.safetensors");
  list.add("device", config.device, kDeviceNames, "where to train");
  list.add("prompt_dropout", config.prompt_dropout, {0, 0.99}, "dropout on the visual prompts");
  list.add("decoder_dropout", config.decoder_dropout, {0, 0.99}, "dropout in the decoder");
  list.add("log_every", config.log_every, count, "iterations between log lines");
  list.add("validate_every", config.validate_every, count, "iterations between validations");
  list.add("save_every", config.save_every, count, "iterations between checkpoints");
  list.add("keep", config.keep, {1, 1000}, "how many of the last checkpoints are kept");
  list.add("examples", config.examples, {0, 1000}, "validation photos whose predictions are kept");
  list.add("weighting", config.weighting, kWeightingNames,
           "which scores the trusty map weighs in validation");
  list.add("rank_timeout", config.rank_timeout, count, "seconds to wait for another rank");
  list.add_group("model", model_fields(config.model));
  list.add_group("augment", augment_fields(config.augment));
  list.add_group("loss", config.loss.fields());
  list.add_group("optimizer", config.optimizer.fields());
  list.add_group("schedule", config.schedule.fields());
  list.add_group("self_training", config.self_training.fields());
  return list;
}

}  // namespace

FieldList SelfTrainingConfig::fields() { return self_training_fields(*this); }
ConstFieldList SelfTrainingConfig::fields() const { return self_training_fields(*this); }

FieldList TrainConfig::fields() { return train_fields(*this); }
ConstFieldList TrainConfig::fields() const { return train_fields(*this); }

void TrainConfig::check() const {
  if (data.folder.empty())
    throw usage_error("data: no data set folder is given",
                      "set data in the config, or --set data=DIR");
  if (clip.empty())
    throw usage_error("clip: no CLIP to start from is given",
                      "set clip in the config, or --set clip=FILE");
  if (augment.min_scale > augment.max_scale) {
    throw usage_error("augment.min_scale is larger than augment.max_scale");
  }
  if (trusty_source == TrustySource::kHeldOutSeen && setting != Setting::kInductive) {
    throw usage_error("trusty_source: held-out-seen goes with setting = inductive",
                      "the other settings read labels of unseen classes");
  }
}

}  // namespace tagclip

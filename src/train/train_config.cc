#include "train/train_config.h"

#include "base/error.h"

namespace tagclip {
namespace {

FieldList augment_fields(AugmentOptions& augment) {
  constexpr Range side{1, 1 << 16};
  FieldList list;
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

void add_dataset_fields(FieldList& list, DatasetOptions& data) {
  list.add("data", data.folder, "data set folder");
  list.add("dataset", data.kind,
           "kind of data set: folder (images/, labels/, classes.txt, lists), voc2012, coco-stuff, "
           "context59, context60; auto looks at the folder");
  list.add("unseen", data.unseen,
           "classes hidden in training: names or indices, a list file, a built-in split, none; "
           "empty: the set's own");
  list.add("zero_label", data.zero_label,
           {{"auto", ZeroLabel::kAuto}, {"keep", ZeroLabel::kKeep}, {"reduce", ZeroLabel::kReduce}},
           "keep the background, label 0, as a class, or reduce: make it void; auto: as the set is "
           "used");
}

// The model's own choices; the towers' sizes are read from the CLIP.
FieldList model_fields(ModelConfig& model) {
  FieldList list, all = model.fields();
  for (const Field& field : all.all()) {
    if (!field.name.starts_with("clip.")) list.add(field);
  }
  return list;
}

}  // namespace

FieldList TrainConfig::fields() {
  constexpr Range count{1, 1e9};
  FieldList list;
  list.add("output", output, "folder of the run");
  add_dataset_fields(list, data);
  list.add("train_split", train_split, "list of the training photos");
  list.add("val_split", val_split, "list of the validation photos; empty: no validation");
  list.add("clip", clip,
           "the CLIP to start from: a file of tagclip pretrain, or a trained model, whose towers "
           "are as they were");
  list.add("prompt", prompt, "prompt templates: single, multi, a file, or one holding {}");
  list.add("setting", setting,
           {{"inductive", Setting::kInductive}, {"supervised", Setting::kSupervised}},
           "which labels training may see");
  list.add("seed", seed, {0, 1e15}, "seed of weights, batches and dropout");
  list.add("batch", batch, {1, 1 << 16}, "photos a step");
  list.add("precision", precision,
           {{"float32", ComputePrecision::kFloat32}, {"bfloat16", ComputePrecision::kBFloat16}},
           "of matrix products; parameters and losses stay float32");
  list.add("save_precision", save_precision,
           {{"float32", Precision::kFloat32},
            {"float16", Precision::kFloat16},
            {"bfloat16", Precision::kBFloat16}},
           "of best.safetensors and model.safetensors");
  list.add("device", device, "auto, cpu or cuda");
  list.add("prompt_dropout", prompt_dropout, {0, 0.99}, "dropout on the visual prompts");
  list.add("decoder_dropout", decoder_dropout, {0, 0.99}, "dropout in the decoder");
  list.add("log_every", log_every, count, "iterations between log lines");
  list.add("validate_every", validate_every, count, "iterations between validations");
  list.add("save_every", save_every, count, "iterations between saved states");
  list.add_group("model", model_fields(model));
  list.add_group("augment", augment_fields(augment));
  list.add_group("loss", loss.fields());
  list.add_group("optimizer", optimizer.fields());
  list.add_group("schedule", schedule.fields());
  return list;
}

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
}

}  // namespace tagclip

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/segmentation_model.h"
#include "weights/weights_dialect.h"

namespace tagclip {

// One of several data sets that a model was trained on.
struct TrainedSet {
  std::vector<std::string> names;  // of its classes, as it calls them, in order
  std::vector<int64_t> classes;    // per class: its index in TrainedOn::classes
  std::string dataset;             // kind of the data set
  std::optional<bool> reduce_zero_label;
};

// The classes a model was trained on, and how its labels were read; stored with it.
struct TrainedOn {
  std::vector<std::string> classes;    // names of the data set's classes, in order
  std::vector<bool> seen;              // per class: whether training had its labels
  std::vector<std::string> templates;  // prompt templates of the class names
  // True if the unseen names were unknown in training: seen classes are then subject to calibrated
  // stacking at inference.
  bool inductive = true;

  // An evaluation on the same classes follows these. Files of earlier versions do not say: empty.
  std::string dataset;                    // kind of the data set: "folder", "voc2012", ...
  std::optional<bool> reduce_zero_label;  // whether label 0 was background, which is void
  // Says per class whether it counts for mIoU(S), not mIoU(U). Supervised training sees the labels
  // of both.
  std::vector<bool> judged_seen;

  // Per class the words beside its name whose embeddings were averaged with the name's; empty where
  // no class has any.
  std::vector<std::vector<std::string>> synonyms = {};

  std::vector<TrainedSet> sets = {};  // empty: one data set, of all the classes

  std::vector<std::string> words(size_t index) const;  // of a class: its name, then synonyms
  // The data set of the training that has these very classes, in their order.
  std::optional<TrainedSet> set_of(const std::vector<std::string>& names) const;
  // All data sets of the training, the only one too.
  std::vector<TrainedSet> all_sets() const;
};

struct LoadedModel {
  SegmentationModel model;
  TrainedOn trained_on;  // empty when the file does not say
  Metadata metadata;     // all of the file's
};

// Writes our own checkpoint: safetensors with the published parameter names; config, classes and
// templates under "tagclip.*" in the metadata, beside the entries of `extra`. The file appears
// whole or not at all.
void save_model(const std::filesystem::path& path, const SegmentationModel& model,
                const TrainedOn& trained_on, StorageType precision, Metadata extra = {});

// Returns the metadata that save_model writes, and reads its part about the training: empty where
// there is none. `source` stands for the file in messages; throws Error(kBadInput) for damaged
// ones.
Metadata describe(const ModelConfig& config, const TrainedOn& trained_on);
TrainedOn read_trained_on(const Metadata& metadata, const std::string& source);

// Reads a checkpoint of ours or of mmsegmentation (TagCLIP, ZegCLIP), its parameters as float32 on
// the CPU. Strict. Throws Error(kBadInput): not a segmentation model (says what it looks like),
// tensors that do not fit (lists them all). `architecture`: see apply_architecture; empty = as the
// file says or its tensors suggest. `head_counts`: used like the file's own metadata (see
// infer_config) where that does not tell them.
LoadedModel load_model(const std::filesystem::path& path, const std::string& architecture = {},
                       const Metadata& head_counts = {});
LoadedModel load_model(const StoredWeights& stored, const std::string& architecture = {},
                       const Metadata& head_counts = {});

// A model as it is stored: our parameter names, the file's element types.
struct ModelWeights {
  ModelConfig config;
  TrainedOn trained_on;
  StateDict state;
};
// Reads the same without building the model. Throws as load_model, except for tensors that do not
// fit.
ModelWeights read_model_weights(const StoredWeights& stored, const std::string& architecture = {},
                                const Metadata& head_counts = {});

// Returns our name of a published checkpoint's tensor: ZegCLIP's own names differ from TagCLIP's.
std::string canonical_name(std::string name);

}  // namespace tagclip

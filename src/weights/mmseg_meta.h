#pragma once

#include <string>
#include <vector>

#include "weights/torch/pickle.h"

namespace tagclip {

// The classes a model was trained on.
struct StoredClasses {
  std::vector<std::string> names;
  std::vector<bool> seen;  // by class: was it labelled in training
  bool inductive = true;   // the config says nothing of self-training
  // The prompt templates of the classes, as parse_templates takes them: "single" or "multi", by the
  // name of the file of text embeddings in the config. Empty when it does not say.
  std::string prompt;
};

// Reads the facts that a checkpoint of mmsegmentation states about its training: meta.CLASSES, and
// which of them were seen from base_class in the config text that TagCLIP and ZegCLIP store with
// it. Returns no classes when it does not say; without base_class every class counts as seen.
// `source` names the file. Throws Error(kBadInput) when base_class names a class that there is not.
StoredClasses read_mmseg_meta(const PickleValue& checkpoint, const std::string& source);

}  // namespace tagclip

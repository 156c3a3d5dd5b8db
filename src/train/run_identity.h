#pragma once

#include <string>
#include <vector>

#include "model/checkpoint.h"
#include "train/checkpoints.h"
#include "train/trainer.h"

namespace tagclip {

// The part of a run's files that decides, beside its settings, what the run learns. A run is bound
// to it, and not to where the files lie. Checkpoints hold it in their metadata.
struct RunIdentity {
  TrainedOn trained_on;  // class names and synonyms in order, seen flags, prompt templates
  std::vector<std::string> photos;  // the lists of the training photos, in their order; of several
                                    // data sets with the number of the set: "a of set 2"
  std::string start;                // fingerprint of the trained model that the run began with;
                                    // empty where it began with a CLIP
  std::vector<double> shares = {};  // of several data sets: of the training steps

  static RunIdentity of(const Trainer& trainer);

  // The entries of a checkpoint's metadata.
  Metadata metadata(const ModelConfig& model) const;
  // All of it, for a fingerprint. The model's own settings are no part of it.
  std::string text() const;
  // Returns true if the checkpoint holds an identity: those of earlier versions do not.
  static bool stored_in(const Checkpoint& checkpoint);
  // Throws Error(kBadInput) for damaged entries.
  static RunIdentity read(const Checkpoint& checkpoint);
};

// The differences in words, such as "class 3 was grass, is water"; empty when there is none.
std::vector<std::string> differences(const RunIdentity& before, const RunIdentity& now);

// A fingerprint of a text.
std::string text_fingerprint(std::string text);

}  // namespace tagclip

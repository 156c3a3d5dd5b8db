#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/fields.h"
#include "clip/parameters.h"
#include "train/checkpoints.h"
#include "train/optimizer.h"

namespace tagclip {

// All settings but the free ones, which say how a run is watched and kept, not what it computes.
ConstFieldList binding(const ConstFieldList& settings, const std::set<std::string>& free);

// The settings of a run, as its checkpoints hold them under `key`.
struct StoredSettings {
  std::string key;
  ConstFieldList now;
  ConstFieldList defaults;  // what a checkpoint means that was written before a setting existed
};

// Throws Error(kBadInput) listing the settings that differ from the checkpoint's, if any.
void check_settings(const Checkpoint& checkpoint, const StoredSettings& settings);

// What a checkpoint of these parameters and their optimizer holds, by name.
std::map<std::string, at::Tensor> run_state(const std::vector<Parameter>& parameters,
                                            const AdamW& optimizer);
// Puts both back to where they were. Throws Error(kBadInput) naming the first tensor that does not
// fit.
void restore(const Checkpoint& checkpoint, const std::vector<Parameter>& parameters,
             AdamW& optimizer);

// Numbers a checkpoint remembers. Throw Error(kBadInput) naming it where there is none under `key`.
int64_t stored_count(const Checkpoint& checkpoint, const std::string& key);
double stored_number(const Checkpoint& checkpoint, const std::string& key);

// Every digit, for stored_number.
std::string exact(double value);

}  // namespace tagclip

#pragma once

#include <ATen/ATen.h>

#include <future>
#include <optional>
#include <string>
#include <vector>

#include "image/label_map.h"
#include "text/tokenizer.h"
#include "train/pretrain_sources.h"

namespace tagclip {

// The photos of one set whose patches are compared with its words. n patches, C words.
struct LabelledPatches {
  at::Tensor rows;     // [P] int64: in PretrainBatch::labelled
  at::Tensor words;    // [C] int64: rows of PretrainBatch::words
  at::Tensor targets;  // [P, n, C] share of each patch's pixels; void ones are missing
  at::Tensor priors;   // [C] what loss.label_balance adds to the logits; undefined without it
};

// Slots are places in the batch. Tensors of what no loss needs are undefined.
struct PretrainBatch {
  at::Tensor pixels;  // [B, 3, side, side], normalised as for segmentation

  at::Tensor captioned;  // [K] int64: slots of the photos with captions, which these are about:
  at::Tensor captions;   // [K, context] int64 tokens, one caption each
  at::Tensor matches;    // [K, K] bool; [i, j]: whether caption j is one of photo i's

  at::Tensor words;  // [W, context] int64: tokens of names and of the words of labels

  at::Tensor named;         // [M] int64: slots of the photos with soft names
  at::Tensor names;         // [N] int64: the names they are compared with, rows of `words`
  at::Tensor name_targets;  // [M, N] what the teacher gives to each

  std::vector<int64_t> labelled;  // [L]: slots of the photos of labelled sets, ascending
  std::vector<LabelledPatches> sets;

  PretrainBatch to(at::Device device) const;
};

// Draws training batches: of each source its number of photos, every one of them once in an epoch
// of the source in shuffled order, with one of its captions, a random crop and a flip with
// probability 1/2. A batch depends on the seed and its step alone.
class PretrainBatches {
 public:
  // Both must outlive it.
  PretrainBatches(const PretrainConfig& config, const PretrainSources& sources);

  PretrainBatch batch(int64_t step, int64_t side) const;

  // The same in three parts, of which `fill` may run in several threads, once for each slot.
  struct Draft {
    int64_t step = 0, side = 0;
    struct Slot {
      const PretrainPhotos* source = nullptr;
      int64_t photo = 0;         // in the source
      std::string caption;       // as it is listed
      std::vector<int32_t> ids;  // its tokens; empty: none
      LabelMap labels;           // of the crop; empty: none
      const PretrainPhoto& of() const { return source->photos[photo]; }
    };
    std::vector<Slot> slots;
    at::Tensor pixels;
  };
  Draft begin(int64_t step, int64_t side) const;
  void fill(Draft& draft, int64_t slot) const;
  PretrainBatch finish(const Draft& draft) const;

 private:
  class StepWords;
  void add_captions(const Draft& draft, PretrainBatch& batch) const;
  void add_names(const Draft& draft, StepWords& words, PretrainBatch& batch) const;
  void add_labels(const Draft& draft, StepWords& words, PretrainBatch& batch) const;

  const PretrainConfig& config_;
  const PretrainSources& sources_;
  Tokenizer tokenizer_;
};

// Makes the batches of a run in order, the next one by config.workers threads while the last one is
// used.
class PretrainLoader {
 public:
  // All must outlive it. The first batch is that of step `first`; the last one is config.steps - 1.
  PretrainLoader(const PretrainConfig& config, const PretrainBatches& batches, int64_t first);
  ~PretrainLoader();
  PretrainLoader(const PretrainLoader&) = delete;
  PretrainLoader& operator=(const PretrainLoader&) = delete;

  // The next step's batch. Throws what making it threw.
  PretrainBatch next();

 private:
  void start();

  const PretrainConfig& config_;
  const PretrainBatches& batches_;
  int64_t step_;  // of the next batch
  PretrainBatches::Draft draft_;
  std::vector<std::future<void>> work_;  // on draft_
};

}  // namespace tagclip

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "clip/clip.h"
#include "data/caption_shards.h"
#include "data/dataset.h"
#include "metrics/segmentation_metrics.h"
#include "train/pretrain_config.h"

namespace tagclip {

// How well a CLIP does on photos that it does not learn from. Shares are in [0, 1]; nothing where
// there was nothing to measure.
struct PretrainMetrics {
  // Of the photos with a short caption (up to three words), whose nearest text among all distinct
  // short captions is one of their own: zero-shot classification.
  std::optional<double> zero_shot;
  // Of the photos with longer captions, those whose nearest one among all is their own; of the
  // captions, those whose nearest photo is theirs: recall at 1.
  std::optional<double> image_to_text, text_to_image;
  // Patches compared with the words of their set, for each set by its folder's name.
  struct Set {
    std::string name;
    SegmentationMetrics metrics;
  };
  std::vector<Set> sets;
};

class PretrainValidator {
 public:
  // Reads the photos of config.validation.shards, and the lists of config.validation.data. `config`
  // must outlive it. Throws as read_caption_shards and Dataset.
  explicit PretrainValidator(const PretrainConfig& config);

  // Measures a CLIP on its device, in float32 whatever it is trained in; nothing when
  // `stop_requested`. The photos of shards are cut to a square of side config.image_size; those of
  // sets, whole, are scaled to that short side.
  std::optional<PretrainMetrics> operator()(const Clip& clip,
                                            const std::function<bool()>& stop_requested) const;

 private:
  void measure_captions(const Clip& clip, PretrainMetrics& metrics) const;
  at::Tensor embed_photos(const Clip& clip) const;
  std::optional<SegmentationMetrics> measure_set(const Clip& clip, const Dataset& data,
                                                 const std::function<bool()>& stop_requested) const;

  const PretrainConfig& config_;
  std::vector<CaptionedPhoto> photos_;
  std::vector<Dataset> sets_;
};

}  // namespace tagclip

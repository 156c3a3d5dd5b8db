#include "bench/workload.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <random>

namespace tagclip {
namespace {

constexpr int64_t kBands = 8;
constexpr double kLogitGain = 1000;

at::Generator seeded(uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

}  // namespace

Workload voc_workload() { return {"VOC", {.prompts = 10}, 20, 5}; }

Workload coco_workload() { return {"COCO", {.prompts = 100}, 171, 15}; }

SegmentationModel random_model(const ModelConfig& config) {
  SegmentationModel model(config, /*with_text_tower=*/false);
  at::Generator generator = seeded(1);
  model.parameters.initialise(generator);
  at::NoGradGuard no_grad;
  model.head.decoder().layers.back().multihead_attn.q.weight.mul_(kLogitGain);
  return model;
}

EmbeddedVocabulary random_vocabulary(const Workload& workload) {
  EmbeddedVocabulary vocabulary;
  for (int64_t c = 0; c < workload.classes; ++c) {
    vocabulary.classes.push_back({{"class " + std::to_string(c)}});
    vocabulary.seen.push_back(c < workload.classes - workload.unseen);
  }
  vocabulary.embeddings =
      unit(at::randn({workload.classes, workload.model.clip.embedding}, seeded(2)));
  return vocabulary;
}

Image random_photo(const Workload& workload) {
  const int side = static_cast<int>(workload.model.clip.resolution);
  Image photo{side, side, std::vector<uint8_t>(size_t{3} * side * side)};
  std::mt19937 random(3);
  for (uint8_t& value : photo.pixels) value = static_cast<uint8_t>(random());
  return photo;
}

StepInput random_batch(const Workload& workload, int64_t photos) {
  const int64_t side = workload.model.clip.resolution;
  const at::Tensor classes = at::randint(workload.classes, {photos, kBands}, seeded(4), at::kLong);
  classes.select(1, 0).fill_(-1);
  const at::Tensor labels =
      classes.repeat_interleave(side / kBands, 1).unsqueeze(2).expand({-1, -1, side});
  const at::Tensor seen = labels.lt(workload.classes - workload.unseen);
  return {.pixels = at::randn({photos, 3, side, side}, seeded(5)),
          .text = random_vocabulary(workload).embeddings,
          .targets = {.labels = labels.contiguous(),
                      .familiar = at::where(labels.ge(0), seen, -1).to(at::kChar)},
          .pseudo = {}};
}

}  // namespace tagclip

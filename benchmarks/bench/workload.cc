#include "bench/workload.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <random>

#include "base/error.h"
#include "bench/reference_model.h"
#include "model/checkpoint.h"

namespace tagclip::bench {
namespace {

constexpr int64_t kBands = 8;
constexpr double kLogitSpread = 3;  // standard deviation
// The product of the standard deviations of the last q and k: the model's logits are then spread
// over all classes, the hard case of what follows them, and their sigmoids are not saturated.
constexpr double kQueryKeySpread = 0.4;

at::Generator seeded(uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

}  // namespace

Workload voc_workload() { return {"VOC", {.prompts = 10}, 20, 5}; }

Workload coco_workload() { return {"COCO", {.prompts = 100}, 171, 15}; }

Workload workload_of(const std::filesystem::path& weights) {
  const auto [config, trained_on, state] = read_model_weights(read_stored_weights(weights));
  if (!ReferenceModel::computes(config)) {
    throw usage_error(weights.string() + ": not TagCLIP as released, which is what bench measures",
                      "give a model with prompts in every layer and a trusty token");
  }
  Workload workload = voc_workload();
  workload.name = weights.stem().string();
  workload.model = config;
  workload.weights = weights;
  if (!trained_on.classes.empty()) {
    workload.classes = static_cast<int64_t>(trained_on.classes.size());
    workload.unseen = std::ranges::count(trained_on.seen, false);
  }
  return workload;
}

SegmentationModel model_of(const Workload& workload) {
  return workload.weights.empty() ? random_model(workload.model)
                                  : load_model(workload.weights).model;
}

SegmentationModel random_model(const ModelConfig& config) {
  SegmentationModel model(config, /*with_text_tower=*/false);
  at::Generator generator = seeded(1);
  model.parameters.initialise(generator);
  at::NoGradGuard no_grad;
  const CrossAttention& last = model.head.decoder().layers.back().multihead_attn;
  const double spread = (last.q.weight.std() * last.k.weight.std()).item<double>();
  last.q.weight.mul_(kQueryKeySpread / spread);
  last.k.bias.zero_();  // it would move each class as a whole
  return model;
}

EmbeddedVocabulary random_vocabulary(const Workload& workload) {
  EmbeddedVocabulary vocabulary;
  for (int64_t c = 0; c < workload.classes; ++c) {
    vocabulary.classes.push_back({{"class " + std::to_string(c)}});
    vocabulary.seen.push_back(c < workload.classes - workload.unseen);
  }
  vocabulary.embeddings =
      l2_normalize(at::randn({workload.classes, workload.model.clip.embedding}, seeded(2)));
  return vocabulary;
}

Image random_photo(int64_t side) {
  Image photo{.width = static_cast<int>(side), .height = static_cast<int>(side)};
  photo.pixels.resize(3 * photo.size());
  std::mt19937 random(3);
  for (uint8_t& value : photo.pixels) value = static_cast<uint8_t>(random());
  return photo;
}

MaskLogits random_logits(const Workload& workload, int64_t photos, int64_t classes) {
  const int64_t grid = workload.model.clip.grid();
  at::Generator generator = seeded(6);
  const auto maps = [&](int64_t count) {
    return at::randn({photos, count, grid, grid}, generator) * kLogitSpread;
  };
  return {.classes = maps(classes), .trusty = maps(1)};
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
                      .seen_mask = at::where(labels.ge(0), seen, -1).to(at::kChar)},
          .pseudo = {}};
}

}  // namespace tagclip::bench

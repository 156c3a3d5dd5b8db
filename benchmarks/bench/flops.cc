#include "bench/flops.h"

#include "base/error.h"

namespace tagclip::bench {
namespace {

class Counter {
 public:
  // Adds [rows, inner] x [inner, columns]; training needs the gradients of `gradients` of the two
  // factors.
  void product(int64_t rows, int64_t inner, int64_t columns, int gradients) {
    const double flops = 2.0 * static_cast<double>(rows) * static_cast<double>(inner * columns);
    forward += flops;
    backward += gradients * flops;
  }

  double forward = 0, backward = 0;
};

int64_t patches_of(const ModelConfig& config) { return config.clip.grid() * config.clip.grid(); }

// Counts a block over class token and patches, whose keys are these and the prompts'. In the first
// one nothing trained lies below the tokens.
void count_block(const ModelConfig& config, bool first, Counter& counter) {
  const int64_t L = 1 + patches_of(config), D = config.clip.vision_width, keys = L + config.prompts;
  const int tokens = first ? 0 : 1;
  counter.product(L, D, 3 * D, tokens);
  counter.product(L, D, keys, tokens + 1);
  counter.product(L, keys, D, 2);
  counter.product(L, D, D, 1);
  counter.product(L, D, 4 * D, 1);
  counter.product(L, 4 * D, D, 1);
}

// Counts the projection of a layer's prompts, then their keys and values.
void count_prompts(const ModelConfig& config, Counter& counter) {
  const int64_t P = config.prompts, D = config.clip.vision_width;
  counter.product(P, D, D, 2);
  counter.product(P, D, 2 * D, 1);
}

void count_encoder(const ModelConfig& config, Counter& counter) {
  TAGCLIP_CHECK(config.prompted_layers() == config.clip.vision_layers,
                "counted are prompts in every layer");
  const int64_t N = patches_of(config), D = config.clip.vision_width, patch = config.clip.patch;
  counter.product(N, 3 * patch * patch, D, 0);
  for (int64_t layer = 0; layer < config.clip.vision_layers; ++layer) {
    count_block(config, layer == 0, counter);
  }
  counter.product(1 + N, D, config.clip.embedding, 1);
}

void count_decoder(const ModelConfig& config, int64_t classes, Counter& counter) {
  TAGCLIP_CHECK(!config.has_own_learner(), "counted is the relationship descriptor");
  const int64_t N = patches_of(config), d = config.clip.embedding;
  const int64_t Q = classes + (config.trusty_token ? 1 : 0);
  counter.product(Q, 2 * d, d, 2);  // descriptor
  for (int64_t layer = 0; layer < config.decoder_layers; ++layer) {
    if (config.has_self_attention(layer)) {
      counter.product(Q, d, 3 * d, 2);
      counter.product(Q, d, Q, 2);
      counter.product(Q, Q, d, 2);
      counter.product(Q, d, d, 2);
    }
    counter.product(Q, d, d, 2);  // q
    counter.product(N, d, d, 2);  // k
    counter.product(Q, d, N, 2);
    if (layer + 1 == config.decoder_layers) break;  // its logits are the masks
    counter.product(N, d, d, 2);                    // v
    counter.product(Q, N, d, 2);
    counter.product(Q, d, d, 2);  // proj
    counter.product(Q, d, 4 * d, 2);
    counter.product(Q, 4 * d, d, 2);
  }
}

}  // namespace

double segment_flops(const ModelConfig& config, int64_t classes) {
  Counter counter;
  count_encoder(config, counter);
  count_decoder(config, classes, counter);
  return counter.forward;
}

double train_step_flops(const ModelConfig& config, int64_t classes, int64_t batch) {
  Counter photo;
  count_encoder(config, photo);
  for (int64_t layer = 0; layer < config.clip.vision_layers; ++layer) count_prompts(config, photo);
  count_decoder(config, classes, photo);
  return static_cast<double>(batch) * (photo.forward + photo.backward);
}

}  // namespace tagclip::bench

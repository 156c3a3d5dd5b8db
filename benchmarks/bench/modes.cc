#include "bench/modes.h"

#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>

#include <string>

#include "bench/workload.h"
#include "infer/inference_model.h"
#include "infer/sliding_segmenter.h"
#include "model/dense_clip.h"

namespace tagclip::bench {
namespace {

constexpr int64_t kSeed = 11, kClasses = 20;
constexpr CropBox kPhoto{0, 80, 640, 480};

EmbeddedVocabulary random_words(int64_t embedding) {
  const at::Generator random = at::detail::createCPUGenerator(kSeed);
  EmbeddedVocabulary words{
      .embeddings = l2_normalize(at::randn({kClasses, embedding}, random, at::TensorOptions()))};
  for (int64_t c = 0; c < kClasses; ++c) words.classes.push_back({{std::to_string(c)}});
  words.seen.assign(kClasses, false);
  return words;
}

struct Way {
  std::string name;
  Mode mode;
  InferenceOptions options;
};

std::vector<Way> ways() {
  std::vector<Way> all;
  for (const auto& [name, mode] : kModeNames) {
    if (mode == Mode::kAuto || mode == Mode::kTrained || mode == Mode::kClip) continue;
    all.push_back({name, mode, {}});
  }
  all.push_back({"scclip, join_windows", Mode::kScClip, {.join_windows = true}});
  all.push_back({"scclip, refine guided", Mode::kScClip, {.refine = Refine::kGuided}});
  all.push_back({"scclip, refine pamr", Mode::kScClip, {.refine = Refine::kPamr}});
  return all;
}

}  // namespace

Clip random_clip() {
  Clip clip{ClipConfig()};
  at::Generator random = at::detail::createCPUGenerator(kSeed);
  clip.parameters.initialise(random);
  return clip;
}

void measure_modes(const Clip& clip, GemmPrecision precision, int64_t pairs,
                   const std::function<bool(const ModeSpeed&)>& done) {
  const c10::InferenceMode no_gradients;
  const Image photo = crop(random_photo(kPhoto.width), kPhoto);
  const EmbeddedVocabulary words = random_words(clip.config.embedding);
  const auto segmenter = [&](Mode mode, const InferenceOptions& options) {
    return SlidingSegmenter(
        in_precision(dense_clip(clip, dense_method(mode), mode == Mode::kQuick), precision), words,
        options);
  };
  const SlidingSegmenter sclip = segmenter(Mode::kSclip, {});
  sclip(photo);
  for (const Way& way : ways()) {
    const SlidingSegmenter own = segmenter(way.mode, way.options);
    own(photo);
    std::vector<StageTimes> times;
    ModeSpeed speed{.name = way.name};
    speed.runs = interleave([&] { times.push_back(own(photo).times); }, [&] { sclip(photo); },
                            pairs, [](int64_t) { return true; });
    speed.stages = median_stages(times);
    if (!done(speed)) return;
  }
}

}  // namespace tagclip::bench

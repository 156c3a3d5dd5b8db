#include "infer/sliding_segmenter.h"

#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <ranges>

#include "base/error.h"
#include "infer/presence.h"
#include "infer/refine.h"
#include "infer/thresholds.h"
#include "kernels/blend/reference.h"
#include "metrics/reliability.h"

namespace tagclip {
namespace {

constexpr int64_t kMaxLogitBytes = 4LL << 30;

at::Tensor concat(const std::vector<MaskLogits>& batches, at::Tensor MaskLogits::* part) {
  if (batches.size() == 1 || !(batches[0].*part).defined()) return batches[0].*part;
  std::vector<at::Tensor> parts;
  for (const MaskLogits& batch : batches) parts.push_back(batch.*part);
  return at::cat(parts);
}

bool all_finite(const WindowLogits& logits) {
  at::Tensor finite = logits.classes.isfinite().all();
  for (const at::Tensor& part : {logits.trusty, logits.presence}) {
    if (part.defined()) finite = finite.logical_and(part.isfinite().all());
  }
  return finite.item<bool>();  // one wait for a GPU
}

std::vector<FoundClass> found_classes(const BestClass& best, size_t classes) {
  std::vector<int64_t> pixels(classes);
  std::vector<double> score_sum(classes);
  for (size_t i = 0; i < best.labels.size(); ++i) {
    if (best.labels[i] == kIgnoreIndex) continue;
    ++pixels[best.labels[i]];
    score_sum[best.labels[i]] += best.scores[i];
  }
  std::vector<FoundClass> found;
  for (size_t c = 0; c < classes; ++c) {
    if (pixels[c] == 0) continue;
    const auto count = static_cast<double>(pixels[c]);
    found.push_back({c, count / static_cast<double>(best.labels.size()), score_sum[c] / count});
  }
  std::ranges::stable_sort(found, std::greater(), &FoundClass::share);
  return found;
}

// The class of each row that is scored. Under a softmax every word is scored on its own, and a
// class has the score of its best word; elsewhere the largest logit of its words is the class's.
std::vector<uint16_t> classes_of_rows(const EmbeddedVocabulary& vocabulary,
                                      const ScoreSemantics& scoring) {
  const bool words_apart =
      scoring.activation == ScoreActivation::kSoftmax && !vocabulary.rows_of_class.empty();
  std::vector<uint16_t> classes;
  for (size_t c = 0; c < vocabulary.classes.size(); ++c) {
    const int64_t rows = words_apart ? vocabulary.rows_of_class[c] : 1;
    classes.insert(classes.end(), rows, static_cast<uint16_t>(c));
  }
  return classes;
}

ScoreRule rule_of_rows(const ScoreRule& of_classes, const std::vector<uint16_t>& classes) {
  ScoreRule rule = of_classes;
  rule.seen_bias.clear();
  rule.weight.clear();
  for (const uint16_t c : classes) {
    rule.seen_bias.push_back(of_classes.seen_bias[c]);
    rule.weight.push_back(of_classes.weight[c]);
  }
  return rule;
}

// Makes the scores of labels as sure as they proved right.
void calibrate(const std::vector<bool>& seen, const ScoreSemantics& scoring, BestClass& best) {
  if (scoring.seen_temperature == 1 && scoring.novel_temperature == 1) return;
  for (size_t i = 0; i < best.labels.size(); ++i) {
    if (best.labels[i] == kIgnoreIndex) continue;
    const bool is_seen = seen[best.labels[i]];
    best.scores[i] = static_cast<float>(
        tempered(best.scores[i], is_seen ? scoring.seen_temperature : scoring.novel_temperature));
  }
}

// The seen bias of a model's classes.
float seen_bias(bool inductive, const InferenceOptions& options, const ScoreSemantics& scoring) {
  if (scoring.calibrated_stacking) {
    return static_cast<float>(options.seen_bias.value_or(inductive ? kReleasedSeenBias : 0));
  }
  if (options.seen_bias.value_or(0) == 0) return 0;
  throw usage_error("`seen_bias` is for models that were trained to segment",
                    "leave it out but in the mode trained");
}

void check(const EncodedPhoto& photo, const EmbeddedVocabulary& vocabulary,
           const InferenceOptions& options) {
  if (options.presence > 0 && !vocabulary.everyday.defined()) {
    throw usage_error("the words were embedded without `presence`, which compares them with others",
                      "embed them with it set");
  }
  TAGCLIP_CHECK(photo.photo != nullptr, "an encoding keeps its photo");
  if (vocabulary.classes.size() >= kIgnoreIndex) {
    throw usage_error(fmt::format("{} classes: label files number at most {}",
                                  vocabulary.classes.size(), kIgnoreIndex - 1),
                      "look for fewer classes");
  }
  if (vocabulary.embeddings.size(0) >= kIgnoreIndex) {
    throw usage_error(fmt::format("the classes have {} words, more than {}",
                                  vocabulary.embeddings.size(0), kIgnoreIndex - 1),
                      "look for fewer words, or set `synonyms` to mean");
  }
  double patches = 0;
  for (const EncodedView& view : photo.views) {
    patches += static_cast<double>(view.encoding.patches.size(0) * view.encoding.patches.size(1));
  }
  const double logits = patches * static_cast<double>(vocabulary.embeddings.size(0));
  if (logits * sizeof(float) <= kMaxLogitBytes) return;
  throw bad_input(fmt::format("the photo needs {} windows, too many for {} classes",
                              photo.window_count(), vocabulary.classes.size()),
                  "cut the photo into pieces, or look for fewer classes");
}

WindowLogits decode(const EncodedView& view, const DenseModel& model,
                    const EmbeddedVocabulary& vocabulary, const InferenceOptions& options) {
  const at::Device device = vocabulary.embeddings.device();
  const auto all = static_cast<int64_t>(view.windows.size());
  const auto most = static_cast<int64_t>(windows_per_batch(view.windows[0], device));
  std::vector<MaskLogits> batches;
  for (int64_t begin = 0; begin < all; begin += most) {
    const int64_t n = std::min(most, all - begin);
    Encoding part = view.encoding;
    part.patches = part.patches.narrow(0, begin, n).to(device);
    part.image = part.image.narrow(0, begin, n).to(device);
    MaskLogits logits = (*model.decoder)(
        part, vocabulary.embeddings,
        {.trusty_token = options.trusty_token, .logit_scale = options.logit_scale});
    if (model.scoring.activation == ScoreActivation::kSigmoid) {
      logits = logits_of_classes(std::move(logits), vocabulary);
    }
    batches.push_back(std::move(logits));
  }
  finish(device);
  WindowLogits logits{concat(batches, &MaskLogits::classes), concat(batches, &MaskLogits::trusty),
                      concat(batches, &MaskLogits::presence)};
  if (!all_finite(logits)) {
    throw bad_input("the model's output is not a number", "the weights are damaged");
  }
  // A softmax over the classes does not see what they have in common. Without it rounding is
  // relative to the differences of a CLIP's logits, and not to their size of up to 100.
  if (model.scoring.activation == ScoreActivation::kSoftmax) {
    logits.classes = logits.classes - logits.classes.mean(1, /*keepdim=*/true);
  }
  return logits;
}

// Mirrors the logits and the windows of a mirrored view back.
BlendView mirrored_back(BlendView view) {
  for (at::Tensor* part : {&view.logits.classes, &view.logits.trusty}) {
    if (part->defined()) *part = part->flip(3);
  }
  for (WindowLayout::Corner& corner : view.layout.corners) {
    corner.left = view.layout.resized.width - view.layout.window.width - corner.left;
  }
  return view;
}

// What is compared at every pixel of a photo.
struct ScoredRows {
  std::vector<BlendView> views;
  ScoreRule rule;
  std::vector<uint16_t> classes;  // per row
};

ScoredRows scored_rows(const EncodedPhoto& photo, const DenseModel& model,
                       const EmbeddedVocabulary& vocabulary, const InferenceOptions& options) {
  std::vector<uint16_t> classes = classes_of_rows(vocabulary, model.scoring);
  ScoreRule rule = rule_of_rows(
      score_rule(vocabulary.seen, vocabulary.inductive, options, model.scoring), classes);
  std::vector<BlendView> views;
  for (const EncodedView& encoded : photo.views) {
    BlendView view{decode(encoded, model, vocabulary, options),
                   layout_of(encoded.windows, encoded.resized_size)};
    view.layout.tapered = options.window_average == WindowAverage::kTapered;
    views.push_back(encoded.mirrored ? mirrored_back(std::move(view)) : std::move(view));
  }
  return {std::move(views), std::move(rule), std::move(classes)};
}

// The presence of each class.
std::vector<double> presence_of(const EncodedPhoto& photo, const ScoredRows& rows,
                                const EmbeddedVocabulary& vocabulary) {
  std::vector<at::Tensor> images;
  for (const EncodedView& view : photo.views) images.push_back(view.encoding.image);
  std::vector<double> of_kind;
  if (rows.views[0].logits.trusty.defined()) {
    double most = 0, rest = 0;
    for (const BlendView& view : rows.views) {
      const at::Tensor trust = view.logits.trusty.sigmoid();
      most = std::max(most, trust.max().item<double>());
      rest = std::max(rest, 1 - trust.min().item<double>());
    }
    const auto factor = [](double trust) { return std::min(1.0, 2 * trust); };  // 1/2 is undecided
    const double seen = factor(rows.rule.trusty_means_seen ? most : rest);
    const double novel = factor(rows.rule.trusty_means_seen ? rest : most);
    for (const bool is_seen : vocabulary.seen) of_kind.push_back(is_seen ? seen : novel);
  }
  return presence_scores(at::cat(images).to(vocabulary.embeddings.device()), vocabulary, of_kind);
}

// Leaves out the rows of classes with a lower presence, but background's, and returns the classes.
std::vector<size_t> leave_out_absent(double least, uint16_t background,
                                     const std::vector<double>& presence, ScoredRows& rows) {
  std::vector<size_t> absent;
  for (size_t c = 0; c < presence.size(); ++c) {
    if (c != background && presence[c] < least) absent.push_back(c);
  }
  if (absent.empty()) return absent;
  ScoredRows kept{
      rows.views,
      {.activation = rows.rule.activation, .trusty_means_seen = rows.rule.trusty_means_seen},
      {}};
  std::vector<int64_t> places;
  for (size_t r = 0; r < rows.classes.size(); ++r) {
    if (std::ranges::binary_search(absent, rows.classes[r])) continue;
    places.push_back(static_cast<int64_t>(r));
    kept.rule.seen_bias.push_back(rows.rule.seen_bias[r]);
    kept.rule.weight.push_back(rows.rule.weight[r]);
    kept.classes.push_back(rows.classes[r]);
  }
  const at::Tensor index = at::tensor(places, at::kLong).to(rows.views[0].logits.classes.device());
  for (BlendView& view : kept.views) {
    for (at::Tensor* part : {&view.logits.classes, &view.logits.presence}) {
      if (part->defined()) *part = part->index_select(1, index);
    }
  }
  rows = std::move(kept);
  return absent;
}

// Where a tile lies in a map of the photo's size.
at::Tensor part_of(const at::Tensor& map, const CropBox& box) {
  return map.narrow(-2, box.y, box.height).narrow(-1, box.x, box.width);
}

// The scores of classes, [H, W] each. Rows pass one at a time, and those that win somewhere tile by
// tile, so that the memory is that of the result and of a few maps.
std::vector<std::vector<float>> scores_of(const ScoredRows& scored, const EncodedPhoto& photo,
                                          Refine method, std::span<const int> classes) {
  const auto& [views, rule, class_of_row] = scored;
  const Extent size{photo.original_size.height, photo.original_size.width};
  const bool softmax = rule.activation == ScoreActivation::kSoftmax;
  constexpr float kLeast = -std::numeric_limits<float>::infinity();
  std::vector<std::vector<float>> scores(
      classes.size(), std::vector<float>(static_cast<size_t>(size.height * size.width), kLeast));
  std::vector<at::Tensor> maps;  // views of these
  for (std::vector<float>& of_class : scores) {
    maps.push_back(at::from_blob(of_class.data(), {size.height, size.width}));
  }
  // A class has the score of its best row.
  const auto raise = [&](int64_t row, const at::Tensor& values, const auto& part) {
    for (size_t i = 0; i < classes.size(); ++i) {
      if (class_of_row[row] != classes[i]) continue;
      at::Tensor map = part(maps[i]);
      at::maximum_out(map, map, values);
    }
  };

  std::vector<int64_t> refined_rows;
  if (method != Refine::kNone && !class_of_row.empty()) {
    refined_rows = winning_rows(blend(views, rule, size));
    if (refined_rows.size() < 2) refined_rows.clear();  // as labels are not refined then
  }
  at::Tensor log_sum;  // of the softmax, [H, W]
  for (int64_t r = 0; r < std::ssize(class_of_row); ++r) {
    const bool is_refined = std::ranges::binary_search(refined_rows, r);
    const bool is_asked = std::ranges::find(classes, class_of_row[r]) != classes.end();
    if (!softmax && (is_refined || !is_asked)) continue;
    const at::Tensor plain = blend_map(views, rule, size, r).cpu();
    if (softmax) log_sum = log_sum.defined() ? at::logaddexp(log_sum, plain) : plain;
    if (!is_refined) raise(r, plain, std::identity());
  }
  if (!refined_rows.empty()) {
    const std::vector<at::Tensor> refined_maps = maps_of_rows(views, rule, refined_rows);
    refine_maps(refined_maps, *photo.photo, method, [&](const RefinedTile& tile) {
      const auto part = [&](const at::Tensor& map) { return part_of(map, tile.box); };
      for (size_t i = 0; i < refined_rows.size(); ++i) {
        raise(refined_rows[i], tile.refined[static_cast<int64_t>(i)], part);
      }
      if (softmax) part(log_sum).add_(growth_of_sum(tile, part(log_sum)).log());
    });
  }
  for (at::Tensor& map : maps) {
    if (log_sum.defined()) map.sub_(log_sum).exp_();
    map.masked_fill_(map == kLeast, 0);  // of a class that is absent
  }
  return scores;
}

// The best row of every pixel, refined and without small classes; kIgnoreIndex where no class is
// left.
BestClass best_rows(const ScoredRows& rows, const EncodedPhoto& photo,
                    const InferenceOptions& options, uint16_t background, size_t count) {
  const auto& [views, rule, classes] = rows;
  const Size size = photo.original_size;
  if (classes.empty()) {
    const size_t pixels = static_cast<size_t>(size.height) * size.width;
    return {{size.height, size.width},
            std::vector<uint16_t>(pixels, kIgnoreIndex),
            std::vector<float>(pixels)};
  }
  BestClass plain = blend(views, rule, {size.height, size.width});
  if (options.refine == Refine::kNone && options.area_threshold <= 0) return plain;
  BestClass best = options.area_threshold > 0 ? plain : std::move(plain);
  if (options.refine != Refine::kNone) {
    refine(views, rule, *photo.photo, options.refine, {}, best);
  }
  if (options.area_threshold <= 0) return best;
  const std::vector<int64_t> pixels = count_pixels(best, classes, count);
  const std::vector<bool> stays = classes_above(options.area_threshold, pixels, background);
  const auto is_lost = [&](size_t c) { return pixels[c] > 0 && !stays[c]; };
  if (std::ranges::none_of(std::views::iota(size_t{0}, count), is_lost)) return best;
  std::vector<bool> competes;
  for (const uint16_t c : classes) competes.push_back(stays[c]);
  if (std::ranges::find(competes, true) == competes.end()) {
    std::ranges::fill(best.labels, static_cast<uint16_t>(kIgnoreIndex));
    return best;
  }
  refine(views, rule, *photo.photo, options.refine, competes, plain);
  return plain;
}

}  // namespace

ScoreRule score_rule(const std::vector<bool>& seen, bool inductive, const InferenceOptions& options,
                     const ScoreSemantics& scoring) {
  const Weighting weighting = options.weighting;
  const bool weight_seen = weighting == Weighting::kSeen || weighting == Weighting::kBoth;
  const bool weight_novel = weighting == Weighting::kUnseen || weighting == Weighting::kBoth;
  const float bias = seen_bias(inductive, options, scoring);
  if (options.logit_scale > 0 && scoring.activation != ScoreActivation::kSoftmax) {
    throw usage_error("`logit_scale` is for a CLIP that was not trained to segment",
                      "leave it out in the mode trained");
  }
  ScoreRule rule{.activation = scoring.activation, .trusty_means_seen = scoring.trusty_means_seen};
  for (const bool is_seen : seen) {
    rule.seen_bias.push_back(is_seen ? bias : 0);
    const bool weighted = is_seen ? weight_seen : weight_novel;
    const TrustyWeight weight = is_seen ? TrustyWeight::kSeen : TrustyWeight::kNovel;
    rule.weight.push_back(weighted ? weight : TrustyWeight::kNone);
  }
  return rule;
}

SegmentedPhoto segment(const EncodedPhoto& photo, const DenseModel& model,
                       const EmbeddedVocabulary& vocabulary, const InferenceOptions& options) {
  const c10::InferenceMode no_gradients;
  check(photo, vocabulary, options);
  SegmentedPhoto result;
  Stopwatch watch;
  ScoredRows rows = scored_rows(photo, model, vocabulary, options);
  const uint16_t background = background_of(vocabulary);
  if (options.presence > 0) {
    result.presence = presence_of(photo, rows, vocabulary);
    result.absent = leave_out_absent(options.presence, background, result.presence, rows);
  }
  result.times.decode = watch.lap();
  BestClass best = best_rows(rows, photo, options, background, vocabulary.classes.size());
  for (uint16_t& label : best.labels) label = label == kIgnoreIndex ? label : rows.classes[label];
  calibrate(vocabulary.seen, model.scoring, best);
  apply_threshold(options.threshold, background, best);
  result.found = found_classes(best, vocabulary.classes.size());
  const auto unlabelled = std::ranges::count(best.labels, kIgnoreIndex);
  result.unlabelled = static_cast<double>(unlabelled) / static_cast<double>(best.labels.size());
  result.labels = {photo.original_size.width, photo.original_size.height, std::move(best.labels)};
  result.scores = std::move(best.scores);
  result.times.blend = watch.lap();
  return result;
}

std::vector<std::vector<float>> class_scores(const EncodedPhoto& photo, const DenseModel& model,
                                             const EmbeddedVocabulary& vocabulary,
                                             const InferenceOptions& options,
                                             std::span<const int> classes) {
  const c10::InferenceMode no_gradients;
  check(photo, vocabulary, options);
  for (const int c : classes) {
    if (c >= 0 && c < std::ssize(vocabulary.classes)) continue;
    throw usage_error(fmt::format("there is no class {}", c), "classes are numbered from 0");
  }
  ScoredRows scored = scored_rows(photo, model, vocabulary, options);
  if (options.presence > 0) {
    leave_out_absent(options.presence, background_of(vocabulary),
                     presence_of(photo, scored, vocabulary), scored);
  }
  return scores_of(scored, photo, options.refine, classes);
}

std::vector<float> trusty_map(const EncodedPhoto& photo, const DenseModel& model,
                              const EmbeddedVocabulary& vocabulary,
                              const InferenceOptions& options) {
  const c10::InferenceMode no_gradients;
  check(photo, vocabulary, options);
  const ScoredRows rows = scored_rows(photo, model, vocabulary, options);
  if (!rows.views[0].logits.trusty.defined()) return {};
  std::vector<BlendView> maps;
  for (const auto& [logits, layout] : rows.views) maps.push_back({{logits.trusty, {}, {}}, layout});
  const ScoreRule plain{.seen_bias = {0}, .weight = {TrustyWeight::kNone}};
  BestClass trusty = blend(maps, plain, {photo.original_size.height, photo.original_size.width});
  if (!rows.rule.trusty_means_seen) {
    for (float& score : trusty.scores) score = 1 - score;
  }
  return std::move(trusty.scores);
}

SlidingSegmenter::SlidingSegmenter(DenseModel model, EmbeddedVocabulary vocabulary,
                                   const InferenceOptions& options)
    : model_(std::move(model)),
      vocabulary_(std::move(vocabulary)),
      options_(options),
      encoder_(model_, options) {
  score_rule(vocabulary_.seen, vocabulary_.inductive, options_, model_.scoring);  // mistakes first
}

SegmentedPhoto SlidingSegmenter::operator()(const Image& photo) const {
  StageTimes times;
  const EncodedPhoto encoded = encoder_(photo, times);
  SegmentedPhoto result = (*this)(encoded);
  result.times += times;
  return result;
}

}  // namespace tagclip

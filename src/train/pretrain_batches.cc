#include "train/pretrain_batches.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "base/error.h"
#include "data/augment.h"
#include "data/caption_shards.h"
#include "data/random.h"
#include "text/class_words.h"

namespace tagclip {
namespace {

constexpr int64_t kWordsSlot = -3;  // of sample_random: draws of the whole step

// A crop of a share `min_area` to 1 of the image, with sides in the ratio 3:4 to 4:3.
CropBox random_area(Size source, double min_area, std::mt19937_64& random) {
  const double area = uniform(random, min_area, 1.0) * source.width * source.height;
  const double ratio = std::exp(uniform(random, std::log(0.75), std::log(4.0 / 3)));
  const int width = std::clamp<int>(std::lround(std::sqrt(area * ratio)), 1, source.width);
  const int height = std::clamp<int>(std::lround(std::sqrt(area / ratio)), 1, source.height);
  return {static_cast<int>(uniform_index(random, source.width - width + 1)),
          static_cast<int>(uniform_index(random, source.height - height + 1)), width, height};
}

std::string maybe_in_template(const std::string& text, double template_probability,
                              std::mt19937_64& random) {
  static const std::vector<std::string> templates = parse_templates("multi");
  if (!is_short_caption(text) || uniform(random) >= template_probability) return text;
  return fill_template(templates[uniform_index(random, templates.size())], text);
}

at::Tensor integers(const std::vector<int64_t>& values) { return at::tensor(values, at::kLong); }

// Moves `count` random ones of the items from `begin` on to the front of these.
void draw_first(std::vector<int64_t>& items, size_t begin, size_t count, std::mt19937_64& random) {
  for (size_t i = begin; i < begin + count; ++i) {
    std::swap(items[i], items[i + uniform_index(random, items.size() - i)]);
  }
}

// The texts that stand for the names of a list in a step. Names that are called alike share one.
struct CalledNames {
  std::vector<std::string> texts;
  std::vector<int64_t> text_of;  // per name
  std::vector<int64_t> names;    // per text, how many it stands for
};

CalledNames call_names(const std::vector<ClassWords>& names, double plain_probability,
                       std::mt19937_64& random) {
  const bool plain = uniform(random) < plain_probability;
  CalledNames called;
  std::unordered_map<std::string, int64_t> known;
  for (const ClassWords& name : names) {
    const std::vector<std::string>& words = name.words;
    const bool last = plain || words.size() == 1;
    const std::string& word = last ? words.back() : words[uniform_index(random, words.size() - 1)];
    const auto [text, is_new] = known.emplace(word, std::ssize(called.texts));
    if (is_new) called.texts.push_back(word);
    if (is_new) called.names.push_back(0);
    ++called.names[text->second];
    called.text_of.push_back(text->second);
  }
  return called;
}

// The `count` texts of a step: at most three quarters are those that its photos have most
// probability for, the others are drawn.
std::vector<int64_t> choose_texts(const std::vector<double>& probability, int64_t count,
                                  std::mt19937_64& random) {
  std::vector<int64_t> order(probability.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  if (count >= std::ssize(order)) return order;
  std::ranges::stable_sort(order, std::greater(), [&](int64_t text) { return probability[text]; });
  const int64_t likely = std::ranges::count_if(probability, [](double p) { return p > 0; });
  const int64_t kept = std::min(likely, count - count / 4);
  draw_first(order, kept, count - kept, random);
  order.resize(count);
  return order;
}

// The classes that patches of a set are told apart from: its seen ones, or those that are `present`
// and random others up to `limit`. In ascending order.
std::vector<int64_t> choose_classes(const std::vector<bool>& seen, const std::vector<bool>& present,
                                    int64_t limit, std::mt19937_64& random) {
  std::vector<int64_t> classes;
  for (size_t c = 0; c < seen.size(); ++c) {
    if (seen[c]) classes.push_back(static_cast<int64_t>(c));
  }
  if (std::ssize(classes) <= limit) return classes;
  const auto others = std::ranges::stable_partition(classes, [&](int64_t c) { return present[c]; });
  const int64_t kept = others.begin() - classes.begin();
  if (kept < limit) draw_first(classes, kept, limit - kept, random);
  classes.resize(std::max(kept, limit));
  std::ranges::sort(classes);
  return classes;
}

// The classes of label maps.
std::vector<bool> present_in(const std::vector<const LabelMap*>& maps, size_t classes) {
  std::vector<bool> present(classes);
  for (const LabelMap* map : maps) {
    for (const uint16_t label : map->labels) {
      if (label != kIgnoreIndex) present[label] = true;
    }
  }
  return present;
}

// Adds to target [n, C], whose columns `column_of` gives by class, what each pixel of a map is of
// its patch.
void add_shares(const LabelMap& map, int64_t patch, const std::vector<int64_t>& column_of,
                int64_t columns, float* target) {
  const int64_t grid = map.width / patch;
  const float share = 1.0f / static_cast<float>(patch * patch);
  for (int64_t y = 0; y < map.height; ++y) {
    const uint16_t* row = map.labels.data() + y * map.width;
    for (int64_t x = 0; x < map.width; ++x) {
      if (row[x] == kIgnoreIndex) continue;
      target[(y / patch * grid + x / patch) * columns + column_of[row[x]]] += share;
    }
  }
}

}  // namespace

// The distinct words of a step, each in one text.
class PretrainBatches::StepWords {
 public:
  StepWords(const PretrainConfig& config, const Tokenizer& tokenizer, int64_t step)
      : config_(config),
        tokenizer_(tokenizer),
        random_(sample_random(config.seed, step, kWordsSlot)) {}

  std::mt19937_64& random() { return random_; }

  // The row of a word.
  int64_t row(const std::string& word) {
    const auto [found, is_new] = rows_.emplace(word, std::ssize(rows_));
    if (is_new) {
      const std::string text = maybe_in_template(word, config_.template_probability, random_);
      const auto context = static_cast<int>(config_.clip.context);
      tokens_.push_back(at::tensor(tokenizer_.tokenize(text, context).ids, at::kLong));
    }
    return found->second;
  }

  // [W, context]; undefined where there is none.
  at::Tensor tokens() const { return tokens_.empty() ? at::Tensor() : at::stack(tokens_); }

 private:
  const PretrainConfig& config_;
  const Tokenizer& tokenizer_;
  std::mt19937_64 random_;
  std::unordered_map<std::string, int64_t> rows_;
  std::vector<at::Tensor> tokens_;
};

PretrainBatch PretrainBatch::to(at::Device device) const {
  if (device.is_cpu()) return *this;
  PretrainBatch moved = *this;
  const auto move = [&](at::Tensor& tensor) {
    if (tensor.defined()) tensor = tensor.to(device, /*non_blocking=*/true);
  };
  for (at::Tensor* tensor : {&moved.pixels, &moved.captioned, &moved.captions, &moved.matches,
                             &moved.words, &moved.named, &moved.names, &moved.name_targets}) {
    move(*tensor);
  }
  for (LabelledPatches& set : moved.sets) {
    for (at::Tensor* tensor : {&set.rows, &set.words, &set.targets, &set.priors}) move(*tensor);
  }
  return moved;
}

PretrainBatches::PretrainBatches(const PretrainConfig& config, const PretrainSources& sources)
    : config_(config), sources_(sources), tokenizer_(static_cast<int>(config.clip.vocabulary)) {}

PretrainBatches::Draft PretrainBatches::begin(int64_t step, int64_t side) const {
  Draft draft{.step = step, .side = side};
  for (const PretrainPhotos& source : sources_.all()) {
    for (const int64_t photo :
         shuffled_batch(config_.seed, std::ssize(source.photos), source.slots, step)) {
      draft.slots.push_back({.source = &source, .photo = photo});
    }
  }
  draft.pixels = at::empty({std::ssize(draft.slots), 3, side, side});
  return draft;
}

void PretrainBatches::fill(Draft& draft, int64_t slot) const {
  Draft::Slot& place = draft.slots[slot];
  const PretrainPhoto& photo = place.of();
  std::mt19937_64 random = sample_random(config_.seed, draft.step, slot);
  if (!photo.captions.empty()) {
    place.caption = photo.captions[uniform_index(random, photo.captions.size())];
    const std::string text = maybe_in_template(place.caption, config_.template_probability, random);
    place.ids = tokenizer_.tokenize(text, static_cast<int>(config_.clip.context)).ids;
  }
  const auto decoded = sources_.read(*place.source, place.photo);
  const Size size{static_cast<int>(draft.side), static_cast<int>(draft.side)};
  const CropBox box =
      random_area({decoded->image.width, decoded->image.height}, config_.min_crop, random);
  const bool flip = coin(random);
  Image image = resize_bilinear(crop(decoded->image, box), size);
  if (flip) image = flip_horizontal(image);
  if (config_.photometric) image = distort(std::move(image), draw_photometric(random));
  normalize_into(image, PixelNormalization{}, size,
                 draft.pixels.mutable_data_ptr<float>() + slot * 3 * draft.side * draft.side);
  if (!place.source->labelled) return;
  place.labels = resize_nearest(crop(decoded->labels, box), size);
  if (flip) place.labels = flip_horizontal(place.labels);
}

PretrainBatch PretrainBatches::finish(const Draft& draft) const {
  PretrainBatch batch{.pixels = draft.pixels};
  StepWords words(config_, tokenizer_, draft.step);
  add_captions(draft, batch);
  if (!sources_.names().empty()) add_names(draft, words, batch);
  add_labels(draft, words, batch);
  batch.words = words.tokens();
  return batch;
}

PretrainBatch PretrainBatches::batch(int64_t step, int64_t side) const {
  Draft draft = begin(step, side);
  at::parallel_for(0, std::ssize(draft.slots), 1, [&](int64_t first, int64_t last) {
    for (int64_t slot = first; slot < last; ++slot) fill(draft, slot);
  });
  return finish(draft);
}

void PretrainBatches::add_captions(const Draft& draft, PretrainBatch& batch) const {
  std::vector<int64_t> slots;
  for (int64_t slot = 0; slot < std::ssize(draft.slots); ++slot) {
    if (!draft.slots[slot].ids.empty()) slots.push_back(slot);
  }
  if (slots.empty()) return;
  const int64_t K = std::ssize(slots);
  batch.captioned = integers(slots);
  batch.captions = at::empty({K, config_.clip.context}, at::kLong);
  batch.matches = at::empty({K, K}, at::kBool);
  int64_t* tokens = batch.captions.mutable_data_ptr<int64_t>();
  bool* match = batch.matches.mutable_data_ptr<bool>();
  for (const int64_t slot : slots) {
    tokens = std::ranges::copy(draft.slots[slot].ids, tokens).out;
    const std::vector<std::string>& own = draft.slots[slot].of().captions;
    for (const int64_t other : slots) {
      *match++ = std::ranges::find(own, draft.slots[other].caption) != own.end();
    }
  }
}

void PretrainBatches::add_names(const Draft& draft, StepWords& words, PretrainBatch& batch) const {
  const CalledNames called =
      call_names(sources_.names(), config_.names.plain_probability, words.random());
  std::vector<int64_t> slots;
  std::vector<double> probability(called.texts.size());  // of all photos together
  for (int64_t slot = 0; slot < std::ssize(draft.slots); ++slot) {
    const SoftNames& names = draft.slots[slot].of().names;
    if (!names.empty()) slots.push_back(slot);
    for (const SoftName& name : names) probability[called.text_of[name.name]] += name.probability;
  }
  if (slots.empty()) return;
  const std::vector<int64_t> texts =
      choose_texts(probability, config_.names.per_step, words.random());
  const int64_t N = std::ssize(texts);
  std::vector<int64_t> rows, column_of(called.texts.size(), -1);
  for (const int64_t text : texts) {
    column_of[text] = std::ssize(rows);
    rows.push_back(words.row(called.texts[text]));
  }
  batch.named = integers(slots);
  batch.names = integers(rows);
  batch.name_targets = at::empty({std::ssize(slots), N});
  float* target = batch.name_targets.mutable_data_ptr<float>();
  for (const int64_t slot : slots) {
    const SoftNames& names = draft.slots[slot].of().names;
    double left = 1;
    for (const SoftName& name : names) left -= name.probability;
    const int64_t unlisted = std::ssize(sources_.names()) - std::ssize(names);
    const double rest = unlisted > 0 ? std::max(left, 0.0) / static_cast<double>(unlisted) : 0;
    for (int64_t n = 0; n < N; ++n) {
      target[n] = static_cast<float>(rest * static_cast<double>(called.names[texts[n]]));
    }
    for (const SoftName& name : names) {
      const int64_t column = column_of[called.text_of[name.name]];
      if (column >= 0) target[column] += name.probability - static_cast<float>(rest);
    }
    target += N;
  }
}

void PretrainBatches::add_labels(const Draft& draft, StepWords& words, PretrainBatch& batch) const {
  const int64_t patch = config_.clip.patch, grid = draft.side / patch;
  for (const PretrainPhotos& source : sources_.all()) {
    if (!source.labelled) continue;
    std::vector<int64_t> rows;
    std::vector<const LabelMap*> maps;
    for (int64_t slot = 0; slot < std::ssize(draft.slots); ++slot) {
      if (draft.slots[slot].source != &source) continue;
      rows.push_back(std::ssize(batch.labelled));
      batch.labelled.push_back(slot);
      maps.push_back(&draft.slots[slot].labels);
    }
    const std::vector<bool>& seen = source.data->seen();
    const std::vector<int64_t> classes =
        choose_classes(seen, present_in(maps, seen.size()), config_.label_words, words.random());
    const int64_t C = std::ssize(classes);
    std::vector<int64_t> word_rows, column_of(seen.size(), -1);
    std::vector<float> priors;
    for (const int64_t c : classes) {
      if (!source.label_priors.empty()) priors.push_back(source.label_priors[c]);
      const std::vector<std::string>& synonyms = source.data->words()[c].words;
      column_of[c] = std::ssize(word_rows);
      word_rows.push_back(words.row(synonyms[uniform_index(words.random(), synonyms.size())]));
    }
    const at::Tensor targets = at::zeros({std::ssize(maps), grid * grid, C});
    float* target = targets.mutable_data_ptr<float>();
    for (size_t i = 0; i < maps.size(); ++i) {
      add_shares(*maps[i], patch, column_of, C, target + i * grid * grid * C);
    }
    batch.sets.push_back({integers(rows), integers(word_rows), targets,
                          priors.empty() ? at::Tensor() : at::tensor(priors)});
  }
}

PretrainLoader::PretrainLoader(const PretrainConfig& config, const PretrainBatches& batches,
                               int64_t first)
    : config_(config), batches_(batches), step_(first) {
  start();
}

PretrainLoader::~PretrainLoader() {
  for (std::future<void>& part : work_) part.wait();
}

void PretrainLoader::start() {
  work_.clear();
  if (config_.workers == 0 || step_ >= config_.steps) return;
  draft_ = batches_.begin(step_, config_.side(step_));
  for (int64_t worker = 0; worker < config_.workers; ++worker) {
    work_.push_back(std::async(std::launch::async, [this, worker] {
      for (int64_t slot = worker; slot < std::ssize(draft_.slots); slot += config_.workers) {
        batches_.fill(draft_, slot);
      }
    }));
  }
}

PretrainBatch PretrainLoader::next() {
  TAGCLIP_CHECK(step_ < config_.steps, "all batches have been taken");
  if (config_.workers == 0) {
    const int64_t step = step_++;
    return batches_.batch(step, config_.side(step));
  }
  for (std::future<void>& part : work_) part.wait();
  for (std::future<void>& part : work_) part.get();
  const PretrainBatches::Draft done = std::move(draft_);
  ++step_;
  start();
  return batches_.finish(done);
}

}  // namespace tagclip

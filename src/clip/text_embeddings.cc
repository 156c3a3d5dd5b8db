#include "clip/text_embeddings.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "base/error.h"
#include "base/text.h"
#include "clip/fingerprint.h"
#include "text/tokenizer.h"
#include "weights/tensor_view.h"

namespace tagclip {
namespace {

constexpr int64_t kTextsAtOnce = 128;
// New words are stored in groups of this size, so that a stopped run keeps most of its work.
constexpr size_t kWordsAtOnce = 512;

// Encodes texts in batches and adds each one's unit embedding to the row of its word.
class Encoder {
 public:
  Encoder(const TextTower& tower, const ClipConfig& config)
      : tower_(tower), config_(config), tokenizer_(static_cast<int>(config.vocabulary)) {}

  // Rows [words, d] on the CPU: the means over the templates.
  at::Tensor operator()(std::span<const std::string> words,
                        const std::vector<std::string>& templates) {
    const auto count = static_cast<int64_t>(words.size());
    sums_ = at::zeros({count, config_.embedding});
    cut_.assign(count, false);
    for (int64_t row = 0; row < count; ++row) {
      for (const std::string& prompt : templates) add(fill_template(prompt, words[row]), row);
    }
    flush();
    return sums_ / static_cast<double>(templates.size());
  }

  // True for each word of the last call that had a text that was too long.
  const std::vector<bool>& cut() const { return cut_; }
  std::vector<std::string> take_truncated() { return std::move(truncated_); }

 private:
  void add(const std::string& text, int64_t row) {
    const TokenizedText tokens = tokenizer_.tokenize(text, static_cast<int>(config_.context));
    if (tokens.truncated) {
      truncated_.push_back(text);
      cut_[row] = true;
    }
    tokens_.push_back(at::tensor(tokens.ids, at::kLong));
    rows_.push_back(row);
    if (static_cast<int64_t>(rows_.size()) == kTextsAtOnce) flush();
  }

  void flush() {
    if (rows_.empty()) return;
    const at::Tensor tokens = at::stack(tokens_).to(tower_.token_embedding.device());
    sums_.index_add_(0, at::tensor(rows_, at::kLong), l2_normalize(tower_.encode(tokens)).cpu());
    tokens_.clear();
    rows_.clear();
  }

  const TextTower& tower_;
  const ClipConfig& config_;
  const Tokenizer tokenizer_;
  at::Tensor sums_;
  std::vector<at::Tensor> tokens_;  // of the texts of the current batch
  std::vector<int64_t> rows_;       // their words
  std::vector<bool> cut_;
  std::vector<std::string> truncated_;
};

// Throws where a word's row [d] holds NaN or an infinity: finite weights can multiply to one.
void check_finite(const at::Tensor& rows, const std::vector<std::string>& words,
                  const std::string& source) {
  const at::Tensor flat = rows.contiguous();
  const int64_t at = first_non_finite(
      DType::kF32, static_cast<const std::byte*>(flat.const_data_ptr()), flat.numel());
  if (at < 0) return;
  const double number = flat.const_data_ptr<float>()[at];
  throw bad_input(
      fmt::format("{}: the text embedding of {} holds {} at {}: nothing can be compared with it",
                  source, in_quotes(words[at / rows.size(1)]),
                  std::isnan(number) ? "NaN" : "infinity", at % rows.size(1)),
      "the text tower's weights are damaged or do not fit its settings: take those of another "
      "source");
}

// Words that were cut are not cached, so that the user is warned each time.
void keep(EmbeddingCache& cache, const std::string& tower, const std::string& templates,
          const std::vector<std::string>& words, const std::vector<bool>& cut,
          const at::Tensor& rows) {
  std::vector<std::string> whole;
  std::vector<int64_t> index;
  for (size_t i = 0; i < words.size(); ++i) {
    if (cut[i]) continue;
    whole.push_back(words[i]);
    index.push_back(static_cast<int64_t>(i));
  }
  const at::Tensor kept = rows.index_select(0, at::tensor(index, at::kLong)).contiguous();
  cache.keep(tower, templates, whole, kept.const_data_ptr<float>(), rows.size(1));
}

std::string joined(const std::vector<std::string>& templates) {
  std::string text;
  for (const std::string& prompt : templates) text += prompt + '\n';
  return text;
}

// Copies the rows of cached words into `rows` and returns the other words.
std::vector<size_t> missing_words(const std::vector<std::string>& words, const std::string& tower,
                                  const std::string& templates, const EmbeddingCache* cache,
                                  at::Tensor& rows) {
  std::vector<size_t> missing;
  const auto size = static_cast<size_t>(rows.size(1));
  const auto found = cache ? cache->find(tower, templates, words, size)
                           : std::vector<std::optional<std::vector<float>>>(words.size());
  for (size_t i = 0; i < words.size(); ++i) {
    const auto finite = [](float number) { return std::isfinite(number); };
    if (found[i] && std::ranges::all_of(*found[i], finite)) {
      std::ranges::copy(*found[i], rows.data_ptr<float>() + i * size);
    } else {
      missing.push_back(i);
    }
  }
  return missing;
}

}  // namespace

TextEmbeddings embed_classes(const TextTower& tower, const ClipConfig& config,
                             const std::vector<ClassWords>& classes,
                             const std::vector<std::string>& templates,
                             const EmbedOptions& options) {
  at::NoGradGuard no_grad;
  std::vector<std::string> words;
  for (const ClassWords& entry : classes) {
    words.insert(words.end(), entry.words.begin(), entry.words.end());
  }
  at::Tensor word_rows = at::empty({static_cast<int64_t>(words.size()), config.embedding});
  std::string key = options.tower;
  if (options.cache && key.empty()) key = fingerprint(tower, config);
  const std::string prompts = joined(templates);
  const std::vector<size_t> missing = missing_words(words, key, prompts, options.cache, word_rows);

  TextEmbeddings result;
  result.from_cache = static_cast<int64_t>(words.size() - missing.size());
  Encoder encoder(tower, config);
  const auto texts = [&](size_t n) { return static_cast<int64_t>(n * templates.size()); };
  for (size_t begin = 0; begin < missing.size(); begin += kWordsAtOnce) {
    const size_t n = std::min(kWordsAtOnce, missing.size() - begin);
    std::vector<std::string> part;
    std::vector<int64_t> index;
    for (size_t i = begin; i < begin + n; ++i) {
      part.push_back(words[missing[i]]);
      index.push_back(static_cast<int64_t>(missing[i]));
    }
    const at::Tensor rows = encoder(part, templates);
    check_finite(rows, part, options.source);
    if (options.cache) keep(*options.cache, key, prompts, part, encoder.cut(), rows);
    word_rows.index_copy_(0, at::tensor(index, at::kLong), rows);
    if (!options.progress(texts(begin + n), texts(missing.size()))) return result;
  }
  result.truncated = encoder.take_truncated();

  std::vector<at::Tensor> rows;
  int64_t at = 0;
  for (const ClassWords& entry : classes) {
    const auto count = static_cast<int64_t>(entry.words.size());
    const at::Tensor own = word_rows.narrow(0, at, count);
    const bool apart = entry.synonyms == Synonyms::kMax;
    rows.push_back(apart ? own : own.mean(0, /*keepdim=*/true));
    result.rows_of_class.push_back(apart ? count : 1);
    at += count;
  }
  result.rows = l2_normalize(at::cat(rows)).to(tower.token_embedding.device());
  return result;
}

}  // namespace tagclip

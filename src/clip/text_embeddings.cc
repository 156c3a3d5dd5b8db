#include "clip/text_embeddings.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "text/tokenizer.h"

namespace tagclip {
namespace {

constexpr int64_t kTextsAtOnce = 128;

struct Texts {
  at::Tensor tokens;          // [texts, context]
  std::vector<size_t> owner;  // the class of each text
};

Texts tokenize(const ClipConfig& config, const std::vector<ClassWords>& classes,
               const std::vector<std::string>& templates, std::vector<std::string>& truncated) {
  const Tokenizer tokenizer(static_cast<int>(config.vocabulary));
  Texts texts;
  std::vector<at::Tensor> rows;
  for (size_t c = 0; c < classes.size(); ++c) {
    for (const std::string& word : classes[c].words) {
      for (const std::string& prompt : templates) {
        const std::string text = fill_template(prompt, word);
        const TokenizedText tokens = tokenizer.tokenize(text, static_cast<int>(config.context));
        if (tokens.truncated) truncated.push_back(text);
        rows.push_back(at::tensor(tokens.ids, at::kInt));
        texts.owner.push_back(c);
      }
    }
  }
  texts.tokens = at::stack(rows);
  return texts;
}

}  // namespace

TextEmbeddings embed_classes(const TextTower& tower, const ClipConfig& config,
                             const std::vector<ClassWords>& classes,
                             const std::vector<std::string>& templates) {
  at::NoGradGuard no_grad;
  TextEmbeddings result;
  const Texts texts = tokenize(config, classes, templates, result.truncated);
  const auto count = static_cast<int64_t>(texts.owner.size());
  const at::Device device = tower.token_embedding.device();
  result.rows = at::zeros({static_cast<int64_t>(classes.size()), config.embedding},
                          at::TensorOptions().device(device));
  for (int64_t begin = 0; begin < count; begin += kTextsAtOnce) {
    const int64_t n = std::min(kTextsAtOnce, count - begin);
    const at::Tensor tokens = texts.tokens.narrow(0, begin, n).to(device, at::kLong);
    const std::vector<int64_t> owner(texts.owner.begin() + begin, texts.owner.begin() + begin + n);
    result.rows.index_add_(0, at::tensor(owner, at::kLong).to(device), unit(tower.encode(tokens)));
  }
  // The sum has the direction of the mean.
  result.rows = unit(result.rows);
  return result;
}

}  // namespace tagclip

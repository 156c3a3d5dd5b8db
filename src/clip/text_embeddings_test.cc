#include "clip/text_embeddings.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "clip/fingerprint.h"
#include "clip/test_golden.h"
#include "support/test_dir.h"
#include "support/test_errors.h"
#include "text/tokenizer.h"

namespace tagclip {
namespace {

class Embeddings : public ::testing::Test {
 protected:
  Embeddings() : tower(ParameterScope(list), config) {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(1);
    list.initialise(generator);
  }
  // The unit embedding of one text on its own.
  at::Tensor of(const std::string& text) const {
    const TokenizedText tokens = Tokenizer(config.vocabulary).tokenize(text, config.context);
    return l2_normalize(tower.encode(at::tensor(tokens.ids, at::kLong).unsqueeze(0)))[0];
  }

  at::NoGradGuard no_grad;
  const ClipConfig config{.embedding = 8,
                          .context = 16,
                          .vocabulary = 600,
                          .text_width = 12,
                          .text_layers = 2,
                          .text_heads = 3};
  ParameterList list;
  const TextTower tower;
};

TEST_F(Embeddings, OneTextAClass) {
  const TextEmbeddings found = embed_classes(tower, config, {{{"cat"}}, {{"dog"}}}, {"a {}"});
  expect_near("rows", found.rows, at::stack({of("a cat"), of("a dog")}), 1e-6);
  EXPECT_TRUE(found.truncated.empty());
}

TEST_F(Embeddings, TextsOfAClassAreAveragedAsUnitVectors) {
  const TextEmbeddings found =
      embed_classes(tower, config, {{{"cat", "kitty"}}}, {"a {}", "the {}."});
  const at::Tensor mean = (of("a cat") + of("the cat.") + of("a kitty") + of("the kitty.")) / 4;
  expect_near("rows", found.rows, l2_normalize(mean).unsqueeze(0), 1e-6);
}

TEST_F(Embeddings, ManyTextsAreEncodedInParts) {
  std::vector<ClassWords> classes;
  for (int i = 0; i < 150; ++i) classes.push_back({{std::to_string(i)}});
  const TextEmbeddings found = embed_classes(tower, config, classes, {"{}", "a {}"});
  ASSERT_EQ(found.rows.size(0), 150);
  expect_near("row", found.rows[140], l2_normalize(of("140") + of("a 140")), 1e-6);
  expect_near("length", found.rows.norm(2, 1), at::ones({150}), 1e-6);
}

TEST_F(Embeddings, SynonymsMayKeepTheirOwnRows) {
  const TextEmbeddings found = embed_classes(
      tower, config, {{{"cat", "kitty"}, Synonyms::kMax}, {{"dog"}}}, {"a {}", "the {}."});
  EXPECT_EQ(found.rows_of_class, (std::vector<int64_t>{2, 1}));
  expect_near("row", found.rows[1], l2_normalize(of("a kitty") + of("the kitty.")), 1e-6);
}

TEST_F(Embeddings, TheCacheGivesTheSameAndIsAskedFirst) {
  const TestDir folder;
  EmbeddingDatabase cache(folder / "words");
  const EmbedOptions options{.cache = &cache};
  const std::string longer(40, 'x');
  const std::vector<ClassWords> classes = {{{"cat", "kitty"}}, {{longer}}};
  const auto embed = [&](const std::vector<std::string>& templates) {
    return embed_classes(tower, config, classes, templates, options);
  };
  const TextEmbeddings first = embed({"a {}", "the {}"}), second = embed({"a {}", "the {}"});
  EXPECT_EQ(first.from_cache, 0);
  EXPECT_EQ(second.from_cache, 2);
  EXPECT_TRUE(second.rows.equal(first.rows));
  EXPECT_EQ(second.truncated, first.truncated) << "what is cut is told each time";
  EXPECT_EQ(embed({"the {}", "a {}"}).from_cache, 0) << "other templates";
  at::Tensor(tower.text_projection).mul_(2);
  EXPECT_EQ(embed({"a {}", "the {}"}).from_cache, 0) << "other weights";
}

TEST_F(Embeddings, WhatIsNotFiniteIsRefusedAndNotCached) {
  const TestDir folder;
  EmbeddingDatabase cache(folder / "words");
  const EmbedOptions options{.cache = &cache, .source = "clip.pt"};
  const at::Tensor kept = tower.text_projection.clone();
  at::Tensor(tower.text_projection).fill_(1e38);  // finite, but its products are not
  const std::string why = bad_input_text(
      [&] { embed_classes(tower, config, {{{"cat"}}, {{"dog"}}}, {"a {}"}, options); });
  EXPECT_NE(why.find("clip.pt: the text embedding of \"cat\" holds NaN at 0"), why.npos) << why;
  EXPECT_FALSE(cache.find(fingerprint(tower, config), "a {}\n", {"cat"}, 8)[0].has_value());
  at::Tensor(tower.text_projection).copy_(kept);
  EXPECT_NO_THROW(embed_classes(tower, config, {{{"cat"}}}, {"a {}"}, options));
}

TEST_F(Embeddings, TextsBeyondTheContextAreReported) {
  const std::string longer(40, 'x');
  const TextEmbeddings found = embed_classes(tower, config, {{{"cat"}}, {{longer}}}, {"a {}"});
  EXPECT_EQ(found.truncated, std::vector<std::string>{"a " + longer});
}

TEST_F(Embeddings, WhatFollowsTheEndTokenDoesNotMatter) {
  at::Tensor tokens = at::zeros({2, 16}, at::kLong);
  tokens.select(1, 0).fill_(598);
  tokens.select(1, 1).fill_(7);
  tokens.select(1, 2).fill_(599);
  tokens.select(0, 1).narrow(0, 3, 13).fill_(9);
  const at::Tensor found = tower.encode(tokens);
  expect_near("padding", found[0], found[1], 1e-6);
}

}  // namespace
}  // namespace tagclip

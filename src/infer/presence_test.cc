#include "infer/presence.h"

#include <gmock/gmock.h>

#include <cmath>

#include "clip/clip.h"
#include "infer/test_model.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

// Words along three axes; the everyday ones lie at cosines of 0.1 and 0.3 to the image.
EmbeddedVocabulary words() {
  EmbeddedVocabulary vocabulary{.embeddings = at::eye(3)};
  for (const char* word : {"cat", "dog", "sky"}) vocabulary.classes.push_back({{word}});
  vocabulary.seen = {true, false, true};
  vocabulary.everyday = at::tensor({0.1, 0.0, 0.0, 0.3, 0.0, 0.0}).view({2, 3}).to(at::kFloat);
  return vocabulary;
}

double below(double deviations) { return 0.5 * std::erfc(-deviations / std::sqrt(2.0)); }

TEST(Presence, IsMeasuredAgainstEverydayWords) {
  const at::Tensor image = at::tensor({1.0, 0.2, 0.0}).view({1, 3}).to(at::kFloat);
  const double deviation = std::sqrt(0.02);  // of 0.1 and 0.3
  const std::vector<double> scores = presence_scores(image, words());
  EXPECT_NEAR(scores[0], below((1 - 0.2) / deviation), 1e-6);
  EXPECT_NEAR(scores[1], 0.5, 1e-6);  // as the average word
  EXPECT_NEAR(scores[2], below(-0.2 / deviation), 1e-6);
}

TEST(Presence, TheBestWindowAndTheBestWordCount) {
  const at::Tensor images = at::tensor({1.0, 0.0, 0.0, 1.0, 0.4, 0.0}).view({2, 3}).to(at::kFloat);
  const double deviation = std::sqrt(0.02);
  EXPECT_NEAR(presence_scores(images, words())[1], below(0.2 / deviation), 1e-6);
  EmbeddedVocabulary two = words();
  two.classes = {{{"cat", "dog"}}, {{"sky"}}};
  two.rows_of_class = {2, 1};
  EXPECT_NEAR(presence_scores(images, two)[0], below((1 - 0.2) / deviation), 1e-6);
}

TEST(Presence, TrustInTheKindOfAWordIsAFactor) {
  const at::Tensor image = at::tensor({1.0, 0.2, 0.0}).view({1, 3}).to(at::kFloat);
  const std::vector<double> scores = presence_scores(image, words(), {0.5, 0.25, 1});
  EXPECT_NEAR(scores[1], 0.125, 1e-6);
}

class PresenceTest : public ModelTest {};

TEST_F(PresenceTest, EverydayWordsHaveUnitRows) {
  const InferenceModel model = load();
  const at::Tensor rows = embed_everyday_words(model, embed_vocabulary(model));
  EXPECT_GT(rows.size(0), 50);
  EXPECT_TRUE(at::allclose(rows.norm(2, 1), at::ones({rows.size(0)})));
}

TEST_F(PresenceTest, NeedsATextTower) {
  const InferenceModel model = load(test_classes(), test_config(), /*with_text_tower=*/false);
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { embed_everyday_words(model, words()); }),
              testing::HasSubstr("`presence`"));
}

}  // namespace
}  // namespace tagclip

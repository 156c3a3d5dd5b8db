#include "train/step_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "support/test_errors.h"

namespace tagclip {
namespace {

using ::testing::HasSubstr;

// Two data sets: the first has classes 0 and 1, the second class 2 and, as its second one, class 1.
const JoinedClasses kClasses = {
    .words = {{{"sky"}}, {{"sofa", "couch", "settee"}}, {{"tv", "television"}}},
    .seen = {true, true, true},
    .of_set = {{0, 1}, {2, 1}}};

// The row of a word holds the number of its first letter; several words have their mean's.
at::Tensor embed(const std::vector<ClassWords>& classes) {
  std::vector<at::Tensor> rows;
  for (const ClassWords& entry : classes) {
    double sum = 0;
    for (const std::string& word : entry.words) sum += word[0] + 0.01 * word[1];
    rows.push_back(at::full({4}, sum / static_cast<double>(entry.words.size())));
  }
  return at::stack(rows);
}

TEST(StepText, HasTheRowsOfTheSetsOwnClasses) {
  const TrainConfig config;
  const at::Tensor rows = embed(kClasses.words);
  const StepText text(config, kClasses, rows, embed);
  EXPECT_TRUE(text(0, 0).equal(rows.narrow(0, 0, 2)));
  EXPECT_TRUE(text(1, 5).equal(at::stack({rows[2], rows[1]})));
}

TEST(StepText, DrawsAWordOfEachClassPerStep) {
  TrainConfig config;
  config.synonyms = StepWords::kDrawn;
  const StepText text(config, kClasses, embed(kClasses.words), embed);
  std::set<float> sofas, tvs;
  for (int64_t i = 0; i < 60; ++i) {
    const at::Tensor step = text(1, i);
    ASSERT_EQ(step.sizes(), (std::vector<int64_t>{2, 4}));
    EXPECT_TRUE(step.equal(text(1, i))) << "a step has the words of its iteration";
    tvs.insert(step[0][0].item<float>());
    sofas.insert(step[1][0].item<float>());
    EXPECT_TRUE(text(0, i)[0].equal(embed({{{"sky"}}})[0]));
  }
  EXPECT_EQ(tvs.size(), 2U);
  EXPECT_EQ(sofas.size(), 3U);
}

TEST(StepText, DrawingNeedsSynonyms) {
  TrainConfig config;
  config.synonyms = StepWords::kDrawn;
  const JoinedClasses plain = {.words = {{{"sky"}}}, .seen = {true}, .of_set = {{0}}};
  EXPECT_THAT(error_of(ErrorKind::kUsage,
                       [&] { const StepText text(config, plain, embed(plain.words), embed); }),
              HasSubstr("no class has several words"));
}

}  // namespace
}  // namespace tagclip

#include "infer/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "infer/test_model.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

class Vocabulary : public ModelTest {};

TEST_F(Vocabulary, WithoutWordsIsWhatTheModelWasTrainedOn) {
  const EmbeddedVocabulary vocabulary = embed_vocabulary(load());
  ASSERT_EQ(vocabulary.classes.size(), 3U);
  EXPECT_EQ(vocabulary.classes[1].name(), "Dog");
  EXPECT_EQ(vocabulary.seen, (std::vector{true, true, false}));
  EXPECT_EQ(vocabulary.templates, (std::vector<std::string>{"a {}", "the {}"}));
  EXPECT_EQ(vocabulary.embeddings.sizes(), (std::vector<int64_t>{3, 32}));
  EXPECT_LT((vocabulary.embeddings.norm(2, 1) - 1).abs().max().item<float>(), 1e-5);
}

TEST_F(Vocabulary, SeenIsAClassThatANameOrSynonymMatchesInAnyLetterCase) {
  const std::vector<ClassWords> classes = {{{"puppy", "DOG"}}, {{"Sky"}}, {{"cats"}}, {{"CAT"}}};
  EXPECT_EQ(seen_classes(classes, test_classes()), (std::vector{true, false, false, true}));
}

TEST_F(Vocabulary, ATrainedNameMayHoldAComma) {
  TrainedOn trained = test_classes();
  trained.classes[1] = "building, edifice";
  const EmbeddedVocabulary found =
      embed_vocabulary(load(trained), {{{"Building", "edifice"}}, {{"sky"}}});
  EXPECT_EQ(found.classes[0].words, std::vector<std::string>{"building, edifice"});
  EXPECT_EQ(found.seen, (std::vector{true, false}));
}

TEST_F(Vocabulary, SynonymsOfTrainingAreEmbeddedAgain) {
  TrainedOn trained = test_classes();
  trained.synonyms = {{}, {"hound", "puppy"}, {}};
  const InferenceModel model = load(trained);
  EXPECT_EQ(model.trained_on.words(1), (std::vector<std::string>{"Dog", "hound", "puppy"}));
  const EmbeddedVocabulary own = embed_vocabulary(model);
  EXPECT_EQ(own.classes[1].words, model.trained_on.words(1));
  EXPECT_EQ(embed_vocabulary(model, {{{"Puppy"}}}).seen, std::vector{true});
}

TEST_F(Vocabulary, WordsThatAreTheSameToClipAreOneClass) {
  const EmbeddedVocabulary found = embed_vocabulary(load(), {{{"cat"}}, {{"tree"}}, {{" CAT"}}});
  EXPECT_EQ(found.classes.size(), 2U);
  EXPECT_EQ(found.embeddings.size(0), 2);
  EXPECT_THAT(found.same, testing::ElementsAre(testing::HasSubstr("they are one class")));
}

TEST_F(Vocabulary, TemplatesOfTheUserComeFirst) {
  const EmbeddedVocabulary own = embed_vocabulary(load(), {{{"tree"}}}, {"one {}"});
  EXPECT_EQ(own.templates, std::vector<std::string>{"one {}"});
  TrainedOn without = test_classes();
  without.templates.clear();
  EXPECT_EQ(embed_vocabulary(load(without)).templates, std::vector<std::string>{"a photo of a {}"});
}

TEST_F(Vocabulary, TellsWhichTextsWereCut) {
  const EmbeddedVocabulary vocabulary =
      embed_vocabulary(load(), {{{"a very long name of a class"}}, {{"x"}}});
  EXPECT_EQ(vocabulary.truncated, (std::vector<std::string>{"a a very long name of a class",
                                                            "the a very long name of a class"}));
}

TEST_F(Vocabulary, NeedsATextTowerAndWords) {
  const InferenceModel blind = load(test_classes(), test_config(), false);
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { embed_vocabulary(blind); }),
              testing::HasSubstr("no text tower"));
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { embed_vocabulary(load({})); }),
              testing::HasSubstr("do not say which classes"));
}

TEST_F(Vocabulary, TheBestOfSynonymsCounts) {
  const InferenceModel loaded = load();
  const ClassWords apart{{"sofa", "couch", "settee"}, Synonyms::kMax};
  const EmbeddedVocabulary vocabulary = embed_vocabulary(loaded, {{{"cat"}}, apart, {{"sky"}}});
  EXPECT_EQ(vocabulary.rows_of_class, (std::vector<int64_t>{1, 3, 1}));
  EXPECT_EQ(vocabulary.embeddings.size(0), 5);
  const at::Tensor rows = at::arange(2 * 5 * 4, at::kFloat).view({2, 5, 2, 2}).neg();
  const MaskLogits logits = logits_of_classes({.classes = rows}, vocabulary);
  EXPECT_TRUE(logits.classes.equal(rows.index_select(1, at::tensor({0, 1, 4}, at::kLong))));
}

}  // namespace
}  // namespace tagclip

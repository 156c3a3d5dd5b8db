#include "infer/embedding_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "infer/test_model.h"
#include "support/test_dir.h"
#include "support/test_errors.h"
#include "weights/npy.h"

namespace tagclip {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class EmbeddingFile : public testing::Test {
 protected:
  std::string refusal(const std::vector<ClassWords>& classes = {}) {
    return error_of(ErrorKind::kBadInput, [&] { read_text_embeddings(npy, model, classes); });
  }
  void write_rows(const at::Tensor& rows, const std::string& list) {
    const at::Tensor flat = rows.contiguous();
    write_npy(npy, {.dtype = DType::kF32,
                    .shape = flat.sizes().vec(),
                    .data = {static_cast<const std::byte*>(flat.const_data_ptr()), flat.nbytes()}});
    std::ofstream(folder / "words.txt") << list;
  }

  const TestDir folder;
  const fs::path npy = folder / "words.npy";
  const InferenceModel model = load_test_model(save_test_model(folder / "model.safetensors"));
  const EmbeddedVocabulary words =
      embed_vocabulary(model, {{{"Cat", "kitty"}}, {{"tree"}}}, {"one {}"});
};

TEST_F(EmbeddingFile, BothFormatsThereAndBack) {
  for (const char* name : {"words.npy", "words.safetensors"}) {
    write_text_embeddings(folder / name, words);
    const EmbeddedVocabulary read = read_text_embeddings(folder / name, model);
    EXPECT_LT((read.embeddings - words.embeddings).abs().max().item<float>(), 1e-6);
    ASSERT_EQ(read.classes.size(), 2U);
    EXPECT_EQ(read.classes[0].words, (std::vector<std::string>{"Cat", "kitty"}));
    EXPECT_EQ(read.seen, (std::vector{true, false}));
  }
  EXPECT_EQ(read_text_embeddings(folder / "words.safetensors", model).templates,
            std::vector<std::string>{"one {}"});
}

TEST_F(EmbeddingFile, ClassesOfTheUserComeFirst) {
  write_text_embeddings(npy, words);
  fs::remove(folder / "words.txt");
  EXPECT_EQ(read_text_embeddings(npy, model, {{{"a"}}, {{"b"}}}).classes[1].name(), "b");
  EXPECT_THAT(refusal(), testing::AllOf(HasSubstr("which classes"), HasSubstr("words.txt")));
}

TEST_F(EmbeddingFile, RowsOfAnyLengthBecomeUnitVectors) {
  write_rows(at::full({2, 32}, 7.0f), "a\nb\n");
  EXPECT_LT((read_text_embeddings(npy, model).embeddings.norm(2, 1) - 1).abs().max().item<float>(),
            1e-6);
}

TEST_F(EmbeddingFile, RowsOfClassesThatAreTheSameToClipBecomeOne) {
  at::Tensor rows = at::eye(3, 32);
  write_rows(rows, "a\nb\nA\n");
  const EmbeddedVocabulary all = read_text_embeddings(npy, model);
  EXPECT_TRUE(all.embeddings.equal(rows.narrow(0, 0, 2)));
  EXPECT_EQ(all.classes.size(), 2U);
  EXPECT_EQ(all.same.size(), 1U);
  // The user's own list beside what embed made of it.
  write_rows(rows.narrow(0, 0, 2), "a\nb\nA\n");
  EXPECT_EQ(read_text_embeddings(npy, model).classes.size(), 2U);
}

TEST_F(EmbeddingFile, NamesWithCommasAreReadBack) {
  write_text_embeddings(npy, embed_vocabulary(model, {{{"a, b", "c"}}, {{"tree"}}}));
  const EmbeddedVocabulary read = read_text_embeddings(npy, model);
  ASSERT_EQ(read.classes.size(), 2U);
  EXPECT_EQ(read.classes[0].words, (std::vector<std::string>{"a, b", "c"}));
}

TEST_F(EmbeddingFile, WhatDoesNotFitIsRefused) {
  write_rows(at::ones({3, 32}), "a\nb\n");
  EXPECT_THAT(refusal(), testing::AllOf(HasSubstr("3 embeddings"), HasSubstr("2 classes")));
  write_rows(at::ones({2, 31}), "a\nb\n");
  EXPECT_THAT(refusal(), HasSubstr("rows of 32 numbers"));
  at::Tensor rows = at::ones({2, 32});
  rows[1].zero_();
  write_rows(rows, "a\nb\n");
  EXPECT_THAT(refusal(), HasSubstr("row 1 is zero"));
  rows[1][4] = NAN;
  write_rows(rows, "a\nb\n");
  EXPECT_THAT(refusal(), HasSubstr("NaN at [1, 4]"));
}

TEST_F(EmbeddingFile, SynonymsThatAreLookedForOnTheirOwnHaveNoRow) {
  ClassWords apart{{"sofa", "couch"}, Synonyms::kMax};
  EXPECT_THAT(error_of(ErrorKind::kUsage,
                       [&] { write_text_embeddings(npy, embed_vocabulary(model, {apart})); }),
              HasSubstr("set `synonyms` to mean"));
  EXPECT_FALSE(fs::exists(npy));
}

}  // namespace
}  // namespace tagclip

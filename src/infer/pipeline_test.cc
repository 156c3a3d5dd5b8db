#include "infer/pipeline.h"

#include <gtest/gtest.h>

#include "infer/test_model.h"

namespace tagclip {
namespace {

TEST(Pipeline, KeepsRecentWordsInMemory) {
  const TestDir folder;
  const Pipeline pipeline(save_test_model(folder / "model.safetensors"),
                          {.precision = Precision::kFloat32});
  VocabularyRequest request{.classes = {{{"cat", "kitty"}}}, .use_cache = false};
  const EmbeddedVocabulary first = pipeline.embed(request);
  EXPECT_EQ(first.from_cache, 0);
  request.classes.push_back({{"tree"}});
  const EmbeddedVocabulary second = pipeline.embed(request);
  EXPECT_EQ(second.from_cache, 2);
  EXPECT_TRUE(second.embeddings[0].equal(first.embeddings[0]));
  request.templates = {"one {}"};
  EXPECT_EQ(pipeline.embed(request).from_cache, 0) << "other templates";
}

}  // namespace
}  // namespace tagclip

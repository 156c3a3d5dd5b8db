#include "clip/embedding_cache.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

const std::vector<float> kTwo = {1, 2, 3, 4};

TEST(EmbeddingCache, KeepsByTowerTemplatesAndWord) {
  const TestDir folder;
  const auto file = folder / "sub" / "words.sqlite";
  {
    EmbeddingDatabase cache(file);
    cache.keep("tower", "a {}", {"cat", "dog"}, kTwo.data(), 2);
    cache.keep("tower", "a {}", {"cat"}, kTwo.data() + 2, 2);  // replaces
  }
  const EmbeddingDatabase cache(file);
  const auto found = cache.find("tower", "a {}", {"dog", "cat", "cow"}, 2);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0], (std::vector<float>{3, 4}));
  EXPECT_EQ(found[1], (std::vector<float>{3, 4}));
  EXPECT_FALSE(found[2]);
  EXPECT_FALSE(cache.find("other", "a {}", {"cat"}, 2)[0]);
  EXPECT_FALSE(cache.find("tower", "the {}", {"cat"}, 2)[0]);
  EXPECT_FALSE(cache.find("tower", "a {}", {"cat"}, 3)[0]) << "an embedding of another size";
}

TEST(EmbeddingCache, TwoMayWrite) {
  const TestDir folder;
  EmbeddingDatabase first(folder / "words"), second(folder / "words");
  first.keep("t", "{}", {"a"}, kTwo.data(), 2);
  second.keep("t", "{}", {"b"}, kTwo.data(), 2);
  EXPECT_TRUE(first.find("t", "{}", {"b"}, 2)[0]);
}

TEST(EmbeddingCache, RefusesAFileThatIsNone) {
  const TestDir folder;
  std::ofstream(folder / "words") << "this is no database, and long enough to be told from one";
  try {
    EmbeddingDatabase cache(folder / "words");
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailure);
    EXPECT_NE(std::string(error.what()).find("not a database"), std::string::npos) << error.what();
    EXPECT_NE(error.hint().find("`no_cache`"), std::string::npos);
  }
}

}  // namespace
}  // namespace tagclip

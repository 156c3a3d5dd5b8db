#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>

#include "base/test_dir.h"
#include "infer/test_model.h"
#include "tagclip/tagclip.h"

// Uses nothing but the public header, except to make a model.
namespace {

using tagclip::Segmentation;
using tagclip::Segmenter;
using tagclip::Vocabulary;

class Api : public testing::Test {
 protected:
  std::filesystem::path weights() {
    return tagclip::save_test_model(folder_ / "model.safetensors");
  }

  template <class Action>
  static std::string what(const Action& action) {
    try {
      action();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "nothing was thrown";
  }

  tagclip::TestDir folder_;
  const std::filesystem::path photo_ =
      std::filesystem::path(TAGCLIP_SOURCE_DIR) / "tests/data/photos/cat.jpg";
};

TEST_F(Api, FromWordsToFiles) {
  const Segmenter segmenter(weights());
  const Vocabulary words = segmenter.embed({{"cat"}, {"sofa", "couch"}, {"wall"}});
  ASSERT_EQ(words.classes().size(), 3U);
  EXPECT_TRUE(words.classes()[0].seen);
  EXPECT_FALSE(words.classes()[1].seen);
  EXPECT_EQ(words.classes()[1].words, (tagclip::Words{"sofa", "couch"}));

  const Segmentation result = segmenter.segment(photo_, words);
  EXPECT_EQ(result.width(), 451);
  EXPECT_EQ(result.height(), 300);
  EXPECT_EQ(result.labels().size(), 451U * 300);
  EXPECT_EQ(result.scores().size(), result.labels().size());
  ASSERT_FALSE(result.regions().empty());
  const auto& region = result.regions()[0];
  EXPECT_EQ(region.name, words.classes()[region.label].words[0]);
  const auto pixels = std::ranges::count(result.labels(), region.label);
  EXPECT_NEAR(region.share, static_cast<double>(pixels) / (451 * 300), 1e-9);
  EXPECT_THAT(result.json(), testing::HasSubstr("\"cat.jpg\""));

  result.write_overlay(folder_ / "overlay.png");
  result.write_labels(folder_ / "labels.png");
  EXPECT_GT(std::filesystem::file_size(folder_ / "overlay.png"), 10000U);
  EXPECT_GT(std::filesystem::file_size(folder_ / "labels.png"), 100U);
}

TEST_F(Api, VocabulariesOutliveTheirSegmenter) {
  const std::vector<uint8_t> pixels(60 * 50 * 3, 90);
  const Segmentation result = [&] {
    const Segmenter segmenter(weights());
    return segmenter.segment({pixels.data(), 60, 50}, segmenter.trained_classes());
  }();
  EXPECT_EQ(result.labels().size(), pixels.size() / 3);
  EXPECT_THAT(result.json(), testing::HasSubstr("model.safetensors"));
}

TEST_F(Api, ParsesWhatTheCommandLineTakes) {
  const Segmenter segmenter(weights());
  const Vocabulary words = segmenter.parse("cat, tree", "my {}");
  EXPECT_EQ(words.classes()[1].words, tagclip::Words{"tree"});
  EXPECT_EQ(words.templates(), std::vector<std::string>{"my {}"});
}

TEST_F(Api, MistakesSayWhatToDo) {
  EXPECT_THAT(what([&] { Segmenter("missing.safetensors"); }),
              testing::HasSubstr("missing.safetensors"));
  const Segmenter segmenter(weights()), other(weights());
  const Vocabulary words = segmenter.trained_classes();
  EXPECT_THAT(what([&] { segmenter.embed({}); }), testing::HasSubstr("no class"));
  EXPECT_THAT(what([&] { segmenter.embed({{"a"}, {}}); }),
              testing::HasSubstr("class 2 has no word"));
  EXPECT_THAT(what([&] { segmenter.embed({{"a"}}, {"no place"}); }),
              testing::HasSubstr("write {}"));
  EXPECT_THAT(what([&] { other.segment(photo_, words); }), testing::HasSubstr("another segmenter"));
  EXPECT_THAT(what([&] { segmenter.segment({nullptr, 4, 4}, words); }), testing::HasSubstr("4x4"));
  EXPECT_THAT(what([&] { Segmenter(weights(), {.device = "abacus"}); }),
              testing::HasSubstr("one of auto, cpu, cuda"));
  const Segmenter small(weights(), {.max_pixels = 100});
  EXPECT_THAT(what([&] { small.segment(photo_, small.trained_classes()); }),
              testing::HasSubstr("451"));
}

TEST_F(Api, EncodeOnceAskMany) {
  const Segmenter segmenter(weights());
  const Vocabulary animals = segmenter.embed({{"cat"}, {"dog"}});
  const Vocabulary rooms = segmenter.parse("sofa, wall, floor");
  const tagclip::PhotoEncoding encoding = segmenter.encode(photo_);
  EXPECT_EQ(encoding.width(), 451);
  for (const Vocabulary& words : {animals, rooms}) {
    const Segmentation direct = segmenter.segment(photo_, words);
    EXPECT_EQ(segmenter.segment(encoding, words).labels(), direct.labels());
  }
  encoding.write(folder_ / "cat.encoding");
  const auto kept = segmenter.encoding(folder_ / "cat.encoding", photo_);
  EXPECT_EQ(segmenter.segment(kept, rooms).scores(), segmenter.segment(encoding, rooms).scores());
  EXPECT_THAT(what([&] { segmenter.encoding(photo_, photo_); }), testing::HasSubstr("safetensors"));
  EXPECT_THAT(what([&] { Segmenter(weights()).segment(encoding, animals); }),
              testing::HasSubstr("another segmenter"));
}

TEST_F(Api, ClipWithoutTraining) {
  const Segmenter segmenter(weights(), {.mode = "clip"});
  const Segmentation result = segmenter.segment(photo_, segmenter.embed({{"cat"}, {"sofa"}}));
  EXPECT_EQ(result.labels().size(), 451U * 300);
  EXPECT_THAT(what([&] { Segmenter(weights(), {.mode = "magic"}); }),
              testing::HasSubstr("one of trained, clip, sclip"));
}

}  // namespace

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stop_token>

#include "infer/test_model.h"
#include "support/places.h"
#include "support/test_dir.h"
#include "tagclip/tagclip.h"

// Uses nothing but the public header, except to make a model.
namespace {

using tagclip::Error;
using tagclip::ErrorKind;
using tagclip::InferenceOptions;
using tagclip::Photo;
using tagclip::Pixels;
using tagclip::Precision;
using tagclip::Segmentation;
using tagclip::Segmenter;
using tagclip::Vocabulary;
using testing::HasSubstr;

class Api : public testing::Test {
 protected:
  // The cache folder of the tests is their own.
  void SetUp() override { ::setenv("TAGCLIP_HOME", (folder_ / "home").c_str(), 1); }
  void TearDown() override { ::unsetenv("TAGCLIP_HOME"); }

  std::filesystem::path weights() {
    return tagclip::save_test_model(folder_ / "model.safetensors");
  }
  Segmenter load(InferenceOptions options = {}) {
    options.precision = Precision::kFloat32;
    return Segmenter(weights(), options);
  }

  // The message and the hint of an error of that kind.
  template <class Action>
  static std::string error_of(ErrorKind kind, const Action& action) {
    try {
      action();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      return error.what() + (" | " + error.hint());
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
  }

  static std::vector<std::byte> bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
  }

  tagclip::TestDir folder_;
  const std::filesystem::path photos_ = tagclip::source_folder() / "tests/data/photos";
  const std::filesystem::path photo_ = photos_ / "cat.jpg";
};

TEST_F(Api, FromWordsToFiles) {
  const Segmenter segmenter = load();
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
  EXPECT_THAT(result.json(), HasSubstr("\"cat.jpg\""));

  result.write_overlay(folder_ / "overlay.png");
  result.write_labels(folder_ / "labels.png");
  EXPECT_GT(std::filesystem::file_size(folder_ / "overlay.png"), 10000U);
  EXPECT_EQ(result.overlay_png(), bytes_of(folder_ / "overlay.png"));
  const std::vector<uint8_t> overlay = result.overlay();
  EXPECT_EQ(overlay.size(), result.labels().size() * 3);
  // Another class, another colour.
  const Vocabulary others = segmenter.embed({{"wall"}, {"cat"}});
  EXPECT_NE(overlay, segmenter.segment(photo_, others).overlay());
  EXPECT_EQ(result.labels_png(), bytes_of(folder_ / "labels.png"));
  EXPECT_THAT(
      error_of(ErrorKind::kFailure, [&] { result.write_labels(folder_ / "no/folder.png"); }),
      HasSubstr("no/folder.png"));
}

TEST_F(Api, WordsAreNoFilesAndMayHaveABackground) {
  const Segmenter segmenter = load();
  const std::filesystem::path file = folder_ / "words.txt";
  std::ofstream(file) << "sofa\n";
  const Vocabulary words = segmenter.embed_words(
      {.classes = {{"cat"}, {file}}, .templates = {"the {}"}, .background = {"wall", "floor"}});
  ASSERT_EQ(words.classes().size(), 3U);
  EXPECT_EQ(words.classes()[1].words, tagclip::Words{file.string()});
  EXPECT_EQ(words.classes()[2].words, (tagclip::Words{"wall", "floor"}));
  EXPECT_EQ(words.templates(), std::vector<std::string>{"the {}"});
  const Vocabulary common = segmenter.embed_words({.classes = {{"sky"}}, .background = {"common"}});
  EXPECT_GT(common.classes()[1].words.size(), 10U);
  EXPECT_THAT(
      error_of(ErrorKind::kBadInput,
               [&] { segmenter.embed_words({.classes = {{"cat"}}, .background = {"Cat"}}); }),
      HasSubstr("'Cat' is a class already"));
  EXPECT_THAT(
      error_of(ErrorKind::kBadInput,
               [&] { segmenter.embed_words({.classes = {{"cat"}}, .background = {"a\nb"}}); }),
      HasSubstr("background"));
}

TEST_F(Api, PresenceAndTrustOfAPhoto) {
  const Segmenter segmenter = load({.presence = 1e-9});
  const auto known = segmenter.known_classes();
  ASSERT_EQ(known.size(), 3U);
  EXPECT_EQ(known[1].words, tagclip::Words{"Dog"});
  EXPECT_TRUE(known[1].seen);
  EXPECT_FALSE(known[2].seen);
  const auto encoding = segmenter.encode(photo_);
  EXPECT_GT(encoding.bytes(), 451U * 300 * 3);
  const Vocabulary words = segmenter.embed({{"cat"}, {"sky"}});
  const Segmentation result = segmenter.segment(encoding, words);
  ASSERT_EQ(result.presence().size(), 2U);
  for (const double presence : result.presence()) EXPECT_TRUE(presence >= 0 && presence <= 1);
  const std::vector<float> trusty = result.trusty_map();
  ASSERT_EQ(trusty.size(), result.labels().size());
  EXPECT_NE(*std::ranges::min_element(trusty), *std::ranges::max_element(trusty));
  for (const float trust : trusty) ASSERT_TRUE(trust >= 0 && trust <= 1);
  InferenceOptions without = segmenter.options();
  without.trusty_token = false;
  without.presence = 0;
  const Segmentation plain = segmenter.with(without).segment(encoding, words);
  EXPECT_TRUE(plain.trusty_map().empty());
  EXPECT_TRUE(plain.presence().empty());
}

TEST_F(Api, WarningsReachTheHooks) {
  const Segmenter segmenter = load();
  std::vector<std::string> warnings;
  const tagclip::Hooks hooks{.warn = [&](const std::string& text) { warnings.push_back(text); }};
  const Vocabulary words = segmenter.embed({{"cat"}, {"sky"}, {"Cat"}}, {}, hooks);
  EXPECT_EQ(words.classes().size(), 2U);
  EXPECT_THAT(warnings,
              testing::ElementsAre(HasSubstr("\"Cat\" of class 3 and \"cat\" of class 1")));
  warnings.clear();
  std::vector<std::byte> bytes = bytes_of(photo_);
  bytes.resize(bytes.size() - 2);
  segmenter.segment(Photo(bytes, "upload"), words, hooks);
  EXPECT_THAT(warnings, testing::ElementsAre(HasSubstr("upload: the JPEG lacks its end marker")));
}

TEST_F(Api, APhotoIsAFileItsBytesOrPixels) {
  const Segmenter segmenter = load();
  const Vocabulary words = segmenter.trained_classes();
  const Segmentation from_file = segmenter.segment(photo_, words);
  const std::vector<std::byte> bytes = bytes_of(photo_);
  const Segmentation from_bytes = segmenter.segment(Photo(bytes, "upload"), words);
  EXPECT_EQ(from_bytes.labels(), from_file.labels());
  EXPECT_EQ(from_bytes.scores(), from_file.scores());
  EXPECT_THAT(from_bytes.json(), HasSubstr("\"upload\""));

  const std::vector<uint8_t> grey(60 * 50 * 3, 90);
  EXPECT_EQ(segmenter.segment(Pixels{grey.data(), 60, 50}, words).width(), 60);

  const auto cut = std::span(bytes).first(bytes.size() / 2);
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { segmenter.segment(Photo(cut, "half"), words); }),
              HasSubstr("half"));
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { segmenter.segment("missing.jpg", words); }),
              HasSubstr("missing.jpg"));
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { segmenter.segment(Pixels{nullptr, 4, 4}, words); }),
              HasSubstr("4x4"));
  const Segmenter small = load({.max_pixels = 100});
  EXPECT_THAT(
      error_of(ErrorKind::kBadInput, [&] { small.segment(photo_, small.trained_classes()); }),
      HasSubstr("`max_pixels`"));
}

TEST_F(Api, VocabulariesOutliveTheirSegmenter) {
  const std::vector<uint8_t> pixels(60 * 50 * 3, 90);
  const Segmentation result = [&] {
    const Segmenter segmenter = load();
    return segmenter.segment(Pixels{pixels.data(), 60, 50}, segmenter.trained_classes());
  }();
  EXPECT_EQ(result.labels().size(), pixels.size() / 3);
  EXPECT_EQ(result.class_scores(std::vector{0, 1}).size(), 2U);
  EXPECT_THAT(result.json(), HasSubstr("model.safetensors"));
}

TEST_F(Api, WordsAsAPersonWritesThem) {
  const Segmenter segmenter = load();
  std::vector<std::string> notes;
  const tagclip::Hooks hooks{.note = [&](const std::string& text) { notes.push_back(text); }};
  const Vocabulary words = segmenter.parse(
      {.classes = "cat, tree", .prompt = "my {}", .background = "wall", .no_cache = true}, hooks);
  ASSERT_EQ(words.classes().size(), 3U);
  EXPECT_EQ(words.classes()[1].words, tagclip::Words{"tree"});
  EXPECT_EQ(words.templates(), std::vector<std::string>{"my {}"});
  EXPECT_THAT(notes, testing::ElementsAre("3 classes: 1 seen in training, 2 new to the model"));

  const Vocabulary two = segmenter.parse({.classes = "cat, tree", .no_cache = true});
  two.write(folder_ / "words.npy");
  const Vocabulary kept = segmenter.parse({.text_embeddings = folder_ / "words.npy"});
  EXPECT_EQ(segmenter.segment(photo_, kept).labels(), segmenter.segment(photo_, two).labels());
}

TEST_F(Api, MistakesSayWhoHasToActAndWhatToDo) {
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { Segmenter("missing.safetensors"); }),
              HasSubstr("missing.safetensors"));
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { load({.threshold = 2}); }),
              HasSubstr("threshold: expected a number from 0 to 1"));
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { load({.window = 3}); }), HasSubstr("`window`"));
  const Segmenter segmenter = load(), other = load();
  const Vocabulary words = segmenter.trained_classes();
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { segmenter.embed({}); }), HasSubstr("no class"));
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { segmenter.embed({{"a"}, {}}); }),
              HasSubstr("class 2 has no word"));
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { segmenter.embed({{"a"}}, {"no place"}); }),
              HasSubstr("write {}"));
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { other.segment(photo_, words); }),
              HasSubstr("another segmenter"));
  EXPECT_THAT(error_of(ErrorKind::kUsage,
                       [&] { other.segment(segmenter.encode(photo_), other.trained_classes()); }),
              HasSubstr("another segmenter"));
}

TEST_F(Api, EncodeOnceAskMany) {
  const Segmenter segmenter = load();
  const Vocabulary animals = segmenter.embed({{"cat"}, {"dog"}});
  const Vocabulary rooms = segmenter.embed({{"sofa"}, {"wall"}, {"floor"}});
  const tagclip::PhotoEncoding encoding = segmenter.encode(photo_);
  EXPECT_EQ(encoding.width(), 451);
  for (const Vocabulary& words : {animals, rooms}) {
    const Segmentation direct = segmenter.segment(photo_, words);
    EXPECT_EQ(segmenter.segment(encoding, words).labels(), direct.labels());
  }
  encoding.write(folder_ / "cat.encoding");
  const auto kept = segmenter.read_encoding(folder_ / "cat.encoding", photo_);
  EXPECT_EQ(segmenter.segment(kept, rooms).scores(), segmenter.segment(encoding, rooms).scores());
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { segmenter.read_encoding(photo_, photo_); }),
              HasSubstr("safetensors"));
}

TEST_F(Api, OtherWindowsAndScoresOnTheSameModel) {
  const Segmenter segmenter = load();
  const Vocabulary words = segmenter.trained_classes();
  const tagclip::PhotoEncoding encoding = segmenter.encode(photo_);
  InferenceOptions options = segmenter.options();
  options.threshold = 1;
  const Segmentation strict = segmenter.with(options).segment(encoding, words);
  EXPECT_EQ(std::ranges::count(strict.labels(), Segmentation::kUnlabelled), 451 * 300);
  EXPECT_EQ(strict.scores(), segmenter.segment(encoding, words).scores());
  options = segmenter.options();
  options.stride = 16;
  EXPECT_NE(segmenter.with(options).segment(photo_, words).scores(),
            segmenter.segment(photo_, words).scores());
  options.mode = tagclip::Mode::kClip;
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { segmenter.with(options); }), HasSubstr("`mode`"));
}

TEST_F(Api, SeveralPhotosAtOnce) {
  const Segmenter segmenter = load();
  const Vocabulary words = segmenter.trained_classes();
  const std::vector<Photo> photos = {photo_, photos_ / "coffee.jpg"};
  std::vector<std::string> heard;
  const tagclip::Hooks hooks{.progress = [&](const std::string& what, int64_t done, int64_t total) {
    heard.push_back(what + " " + std::to_string(done) + "/" + std::to_string(total));
  }};
  const std::vector<Segmentation> results = segmenter.segment(photos, words, hooks);
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].labels(), segmenter.segment(photo_, words).labels());
  EXPECT_THAT(results[1].json(), HasSubstr("coffee.jpg"));
  EXPECT_THAT(heard, testing::ElementsAre("photos 1/2", "photos 2/2"));
  EXPECT_EQ(segmenter.encode(photos).size(), 2U);
}

TEST_F(Api, StopsWhenAsked) {
  const Segmenter segmenter = load();
  const Vocabulary words = segmenter.trained_classes();
  std::stop_source source;
  const std::vector<Photo> photos(5, Photo(photo_));
  int64_t last = 0;
  const tagclip::Hooks hooks{.progress =
                                 [&](const std::string&, int64_t done, int64_t) {
                                   last = done;
                                   if (done == 2) source.request_stop();
                                 },
                             .stop_requested = [&] { return source.stop_requested(); }};
  error_of(ErrorKind::kStopped, [&] { segmenter.segment(photos, words, hooks); });
  EXPECT_EQ(last, 2);
  error_of(ErrorKind::kStopped, [&] { segmenter.embed({{"tree"}}, {}, hooks); });
}

TEST_F(Api, LongPhotosStopBetweenTheirWindows) {
  constexpr int kLength = 1500;  // more windows than go through the encoder together
  const Segmenter segmenter = load({.window = 32, .stride = 32, .short_side = 32});
  EXPECT_EQ(segmenter.count_windows(32, 32), 1U);
  EXPECT_EQ(segmenter.count_windows(kLength, 1), size_t{kLength});
  EXPECT_THAT(error_of(ErrorKind::kBadInput, [&] { segmenter.count_windows(60'000'000, 1); }),
              HasSubstr("long and thin"));
  const std::vector<uint8_t> pixels(size_t{kLength} * 3);
  const Photo photo(Pixels{pixels.data(), kLength, 1});
  int asked = 0;
  const tagclip::Hooks hooks{.stop_requested = [&] { return ++asked == 3; }};
  error_of(ErrorKind::kStopped, [&] { segmenter.encode(photo, hooks); });
  EXPECT_EQ(asked, 3) << "before it begins, and before each of two batches";
}

// The largest of them are the labels' scores.
TEST_F(Api, ScoresOfEveryClassOnRequest) {
  for (const auto mode : {tagclip::Mode::kTrained, tagclip::Mode::kClip}) {
    const Segmenter segmenter = load({.mode = mode});
    const Segmentation result =
        segmenter.segment(photo_, segmenter.embed({{"cat"}, {"sofa", "couch"}, {"wall"}}));
    const auto maps = result.class_scores(std::vector{0, 1, 2});
    ASSERT_EQ(maps.size(), 3U);
    for (size_t i = 0; i < result.labels().size(); ++i) {
      ASSERT_NEAR(maps.at(result.labels()[i])[i], result.scores()[i], 1e-5);
      ASSERT_NEAR(std::max({maps[0][i], maps[1][i], maps[2][i]}), result.scores()[i], 1e-5);
      if (mode == tagclip::Mode::kClip) {  // sofa and couch compete, and the better one counts
        ASSERT_LE(maps[0][i] + maps[1][i] + maps[2][i], 1 + 1e-5);
      }
    }
    EXPECT_EQ(result.class_scores(std::vector{2}).at(0), maps[2]);
    EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { result.class_scores(std::vector{3}); }),
                HasSubstr("3"));
  }
}

TEST_F(Api, WordsThatAreNotThere) {
  const Segmenter segmenter = load({.presence = 1});
  const Vocabulary words = segmenter.embed({{"cat"}, {"sky"}});
  const Segmentation none = segmenter.segment(photo_, words);
  ASSERT_EQ(none.absent().size(), 2U);
  EXPECT_EQ(none.absent()[1].name, "sky");
  EXPECT_EQ(none.absent()[1].label, 1);
  EXPECT_THAT(none.json(), HasSubstr("\"absent\""));
  EXPECT_TRUE(none.regions().empty());

  const auto with_presence = [](const Segmenter& of, double presence) {
    InferenceOptions options = of.options();
    options.presence = presence;
    return of.with(options);
  };
  const Segmentation all = with_presence(segmenter, 1e-9).segment(photo_, words);
  EXPECT_TRUE(all.absent().empty());
  for (const auto& region : all.regions()) EXPECT_GT(region.presence.value(), 0);
  const Segmentation plain = with_presence(segmenter, 0).segment(photo_, words);
  EXPECT_EQ(plain.labels(), all.labels());
  EXPECT_FALSE(plain.regions().front().presence.has_value());

  const Segmenter without = load();
  const Vocabulary plain_words = without.embed({{"cat"}, {"sky"}});
  EXPECT_THAT(error_of(ErrorKind::kUsage,
                       [&] { with_presence(without, 0.5).segment(photo_, plain_words); }),
              HasSubstr("`presence`"));
}

TEST_F(Api, TemplatesTunedOnPhotos) {
  const Segmenter segmenter = load({.mode = tagclip::Mode::kNaclip});
  EXPECT_EQ(segmenter.mode(), tagclip::Mode::kNaclip);
  EXPECT_EQ(load().mode(), tagclip::Mode::kTrained);
  const std::vector<Photo> photos = {photo_, photos_ / "none.jpg"};
  std::vector<std::string> warned;
  const tagclip::Hooks hooks{.warn = [&](const std::string& text) { warned.push_back(text); }};
  const tagclip::VocabularyOptions options{.classes = "cat, sofa, wall", .prompt = "multi"};
  const Vocabulary tuned = segmenter.tune(options, photos, hooks);
  ASSERT_EQ(tuned.class_templates().size(), 3U);
  EXPECT_THAT(warned, testing::Contains(HasSubstr("none.jpg")));
  EXPECT_EQ(segmenter.segment(photo_, tuned).width(), 451);
  EXPECT_TRUE(segmenter.parse(options).class_templates().empty());
}

TEST_F(Api, PrecisionAutoIsChosenAtTheFirstPhotoAndKept) {
  const Segmenter segmenter(weights(), {.device = tagclip::Device::kCpu});
  EXPECT_EQ(segmenter.precision(), Precision::kAuto);
  segmenter.encode(photo_);  // no words yet
  EXPECT_EQ(segmenter.precision(), Precision::kAuto);
  const Vocabulary words = segmenter.trained_classes();
  const Segmentation result = segmenter.segment(photo_, words);
  EXPECT_NE(segmenter.precision(), Precision::kAuto);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ / "home/precision"), {}), 1);
  const Segmenter again(weights(), {.device = tagclip::Device::kCpu});
  EXPECT_EQ(again.segment(photo_, again.trained_classes()).labels(), result.labels());
  EXPECT_EQ(again.precision(), segmenter.precision());
}

TEST_F(Api, SettingsByName) {
  InferenceOptions options;
  tagclip::set(options, "mode", "clip");
  tagclip::set(options, "seen_bias", "0");
  tagclip::set(options, "window", "64");
  tagclip::set(options, "scales", "0.5,1");
  EXPECT_EQ(options.mode, tagclip::Mode::kClip);
  EXPECT_EQ(options.seen_bias, 0.0);
  EXPECT_EQ(options.window, 64);
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { tagclip::set(options, "wndow", "1"); }),
              HasSubstr("did you mean window?"));
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { tagclip::set(options, "mode", "magic"); }),
              HasSubstr("one of auto, trained, clip, quick"));
  const std::vector<tagclip::SettingInfo> all = tagclip::settings(options);
  const auto mode = std::ranges::find(all, "mode", &tagclip::SettingInfo::name);
  ASSERT_NE(mode, all.end());
  EXPECT_EQ(mode->value, "clip");
  EXPECT_THAT(mode->choices, testing::IsSupersetOf({"trained", "clip", "naclip", "scclip"}));
  EXPECT_FALSE(mode->help.empty());

  tagclip::VocabularyOptions words;
  tagclip::set(words, "synonyms", "max");
  EXPECT_EQ(words.synonyms, tagclip::Synonyms::kMax);
  EXPECT_EQ(tagclip::settings(words)[0].name, "classes");
  EXPECT_STREQ(tagclip::version(), TAGCLIP_VERSION);
}

TEST_F(Api, ClipWithoutTraining) {
  const Segmenter segmenter = load({.mode = tagclip::Mode::kClip});
  const Segmentation result = segmenter.segment(photo_, segmenter.embed({{"cat"}, {"sofa"}}));
  EXPECT_EQ(result.labels().size(), 451U * 300);
}

}  // namespace

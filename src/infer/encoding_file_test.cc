#include "infer/encoding_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "infer/sliding_segmenter.h"
#include "infer/test_model.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using testing::HasSubstr;

Image noise(int width, int height, unsigned seed = 3) {
  std::mt19937 random(seed);
  Image image{width, height, {}};
  for (size_t i = 0; i < image.size() * 3; ++i) {
    image.pixels.push_back(static_cast<uint8_t>(random()));
  }
  return image;
}

class EncodingFile : public testing::Test {
 protected:
  EncodingFile()
      : loaded(load_test_model(save_test_model(folder / "model.safetensors"))),
        segmenter(loaded.model, embed_vocabulary(loaded)),
        encoder(loaded.model.encoder->info.fingerprint->digits()) {
    StageTimes times;
    encoded = segmenter.encoder()(photo, times);
    write_encoding(file, encoded, photo, encoder);
  }
  std::string refusal(const Image& of, const std::string& by, const WindowGrid& grid) {
    return error_of(ErrorKind::kBadInput,
                    [&] { read_encoding(file, of, by, grid, loaded.model.encoder->info.clip); });
  }

  const TestDir folder;
  const std::filesystem::path file = folder / "photo.encoding.safetensors";
  const Image photo = noise(150, 70);
  InferenceModel loaded;
  SlidingSegmenter segmenter;
  std::string encoder;
  EncodedPhoto encoded;
};

TEST_F(EncodingFile, StandsInForThePhoto) {
  const EncodedPhoto kept = read_encoding(file, photo, encoder, segmenter.encoder().grid(),
                                          loaded.model.encoder->info.clip);
  EXPECT_TRUE(kept.views[0].encoding.patches.equal(encoded.views[0].encoding.patches));
  EXPECT_TRUE(kept.views[0].encoding.image.equal(encoded.views[0].encoding.image));
  const SegmentedPhoto direct = segmenter(photo), from_file = segmenter(kept);
  EXPECT_EQ(from_file.labels.labels, direct.labels.labels);
  EXPECT_EQ(from_file.scores, direct.scores);
}

TEST_F(EncodingFile, HoldsAllViews) {
  const SlidingSegmenter several(loaded.model, segmenter.vocabulary(),
                                 {.scales = {0.5, 1, 2}, .flip = true});
  StageTimes times;
  const EncodedPhoto fresh = several.encoder()(photo, times);
  ASSERT_EQ(fresh.views.size(), 6U);
  write_encoding(file, fresh, photo, encoder);
  const ClipConfig& clip = loaded.model.encoder->info.clip;
  const EncodedPhoto kept = read_encoding(file, photo, encoder, several.encoder().grid(), clip);
  EXPECT_EQ(several(kept).scores, several(fresh).scores);
  EXPECT_THAT(refusal(photo, encoder, segmenter.encoder().grid()), HasSubstr("`scales`"));
}

TEST_F(EncodingFile, StandsInForNothingElse) {
  const WindowGrid own = segmenter.encoder().grid();
  EXPECT_THAT(refusal(noise(150, 70, 4), encoder, own), HasSubstr("another photo"));
  EXPECT_THAT(refusal(noise(70, 150), encoder, own), HasSubstr("another photo"));
  EXPECT_THAT(refusal(photo, "other", own), HasSubstr("other weights"));
  WindowGrid other = own;
  other.stride += 1;
  EXPECT_THAT(refusal(photo, encoder, other), HasSubstr("cut up otherwise"));
  other = own;
  other.flip = true;
  EXPECT_THAT(refusal(photo, encoder, other), HasSubstr("cut up otherwise"));
}

TEST_F(EncodingFile, DamagedFilesAreRefused) {
  const WindowGrid own = segmenter.encoder().grid();
  const Metadata metadata = SafetensorsFile::open(file).metadata();
  const auto write = [&](const at::Tensor& patches, const at::Tensor& image,
                         const Metadata& entries) {
    save(file, {{"patches", patches}, {"image", image}}, entries);
  };
  const at::Tensor patches = encoded.views[0].encoding.patches.clone();
  const at::Tensor image = encoded.views[0].encoding.image.clone();
  write(patches.narrow(0, 0, 1), image.narrow(0, 0, 1), metadata);
  EXPECT_THAT(refusal(photo, encoder, own), HasSubstr("sizes do not fit"));
  write(at::cat({patches, patches}, 2), at::cat({image, image}, 1), metadata);
  EXPECT_THAT(refusal(photo, encoder, own), HasSubstr("sizes do not fit"));
  write(patches.to(at::kHalf), image, metadata);
  EXPECT_THAT(refusal(photo, encoder, own), HasSubstr("sizes do not fit"));
  write(patches, image, {});
  EXPECT_THAT(refusal(photo, encoder, own), HasSubstr("not the encoding of a photo"));
  write(patches, image, {{"tagclip.encoding", "{\"encoder\": 3}"}});
  EXPECT_THAT(refusal(photo, encoder, own), HasSubstr("other weights"));
  write(patches, image, {{"tagclip.encoding", "[]"}});
  EXPECT_THAT(refusal(photo, encoder, own), HasSubstr("damaged"));
}

}  // namespace
}  // namespace tagclip

#include "model/dense_clip.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <set>

#include "clip/clip_file.h"
#include "clip/test_golden.h"
#include "support/places.h"

// Against the values of the authors' own code (see tests/data/dense_clip).
namespace tagclip {
namespace {

// The whole set where the shared data are, otherwise the part of it that is in the tree.
std::filesystem::path dense_golden(const std::string& name) {
  const auto shared = shared_folder() / "golden/dense_clip" / name;
  return exists(shared) ? shared : source_folder() / "tests/data/dense_clip" / name;
}

struct DenseGolden {
  explicit DenseGolden(const std::string& name)
      : file(SafetensorsFile::open(dense_golden(name))), tensors(StateDict::from(file)) {}
  const at::Tensor& operator[](const std::string& name) const { return tensors.at(name); }
  bool has(const std::string& name) const { return tensors.contains(name); }

  SafetensorsFile file;
  StateDict tensors;
};

const std::vector<std::pair<std::string, DenseMethod>> kMethods = {
    {"maskclip", DenseMethod::kMaskClip},   {"sclip", DenseMethod::kSclip},
    {"clearclip", DenseMethod::kClearClip}, {"naclip", DenseMethod::kNaclip},
    {"scclip", DenseMethod::kScClip},       {"sfp", DenseMethod::kSfp},
    {"plain", DenseMethod::kPlain},
};

class DenseClipTest : public testing::Test {
 protected:
  DenseClipTest() : clip(load_clip(dense_golden("weights.safetensors"))) {}

  const ResidualBlock& last() const { return clip.visual.transformer.resblocks.back(); }
  PatchLayout layout_of(const at::Tensor& pixels) const {
    const int64_t patch = clip.config.patch;
    return {{pixels.size(2) / patch, pixels.size(3) / patch}, patch};
  }
  // Records H_0 to H_(L-1).
  TrunkTokens trunk(const at::Tensor& pixels) const {
    const auto& blocks = clip.visual.transformer.resblocks;
    const auto layers = static_cast<int64_t>(blocks.size());
    TrunkRecorder recorder(layers, /*all=*/true);
    at::Tensor x = clip.visual.embed(pixels, PositionResize::kBicubic);
    for (int64_t n = 0; n < layers; ++n) {
      recorder.record(n, x);
      x = blocks[n](x, /*causal=*/false);
    }
    return recorder.tokens();
  }

  at::NoGradGuard no_grad;
  const DenseGolden expected{"expected.safetensors"};
  Clip clip;
};

constexpr double kFeature = 5e-6;

TEST_F(DenseClipTest, PatchesOfEveryMethodAndSize) {
  int compared = 0;
  for (const std::string size : {"square", "wide", "tall", "big"}) {
    if (!expected.has("in." + size)) continue;
    for (const auto& [name, method] : kMethods) {
      const std::string key = size + "." + name;
      if (!expected.has(key + ".patches")) continue;
      const DenseModel model = dense_clip(clip, method);
      const Encoding encoding = (*model.encoder)(expected["in." + size]);
      expect_near(key, encoding.patches[0], expected[key + ".patches"], kFeature);
      expect_near(key + " image", encoding.image[0], expected[size + ".plain.cls"], kFeature);
      if (!expected.has(key + ".cosines")) continue;
      const MaskLogits logits = (*model.decoder)(encoding, expected["in.text"], {.logit_scale = 1});
      expect_near(key + " cosines", logits.classes[0], expected[key + ".cosines"], kFeature);
      ++compared;
    }
  }
  if (compared == 0) {
    GTEST_SKIP() << "square and tall alone: the shared data hold the other sizes and the cosines";
  }
  EXPECT_EQ(compared, 24);
}

TEST_F(DenseClipTest, ClassTokenOfTheSimpleMethods) {
  for (const std::string size : {"square", "tall"}) {
    const at::Tensor pixels = expected["in." + size];
    const at::Tensor x = trunk(pixels).last;
    for (const auto& [name, method] : kMethods) {
      if (reads_trunk(method)) continue;
      at::Tensor tokens = dense_attention(last().attn, last().ln_1(x), method, layout_of(pixels));
      if (patches_have_mlp(method)) tokens = last().add_mlp(x + tokens);
      const at::Tensor features =
          l2_normalize(clip.visual.ln_post(tokens).matmul(clip.visual.proj));
      expect_near(size + "." + name, features[0][0], expected[size + "." + name + ".cls"],
                  kFeature);
    }
  }
}

// The tower's own forward pass, at the size whose positions need no resizing.
TEST_F(DenseClipTest, PlainPatchesAreTheTowersOwn) {
  const int64_t side = clip.config.resolution;
  const at::Tensor pixels = at::linspace(0, 900, 6 * side * side).sin().view({2, 3, side, side});
  const at::Tensor tokens = clip.visual.hidden(pixels);
  const at::Tensor expected_patches = l2_normalize(
      clip.visual.ln_post(tokens.narrow(1, 1, tokens.size(1) - 1)).matmul(clip.visual.proj));
  const DenseModel model = dense_clip(clip, DenseMethod::kPlain);
  expect_near("plain", (*model.encoder)(pixels).patches, expected_patches, kFeature);
}

TEST_F(DenseClipTest, PositionsAreResizedByScaleFactors) {
  expect_near("tall",
              resize_positions(clip.visual.positional_embedding, 10, 7, PositionResize::kBicubic),
              expected["positions.tall"], 2e-6);
}

TEST_F(DenseClipTest, PositionsOfAnotherShapeAndEqualCountAreResized) {
  const at::Tensor positions =
      resize_positions(clip.visual.positional_embedding, 4, 16, PositionResize::kBicubic);
  EXPECT_FALSE(positions.equal(clip.visual.positional_embedding));
}

TEST_F(DenseClipTest, ScalesOfThePublishedResults) {
  const at::Tensor text = l2_normalize(at::randn({3, clip.config.embedding}));
  for (const auto& [name, method] : kMethods) {
    const DenseModel model = dense_clip(clip, method);
    const Encoding encoding = (*model.encoder)(expected["in.tall"]);
    const MaskLogits logits = (*model.decoder)(encoding, text, {});
    EXPECT_EQ(logits.classes.sizes(), (std::vector<int64_t>{1, 3, 10, 7}));
    EXPECT_FALSE(logits.trusty.defined());
    const double scale = method == DenseMethod::kClearClip ? 50 : 40;
    const double cosine = encoding.patches[0][17].dot(text[2]).item<double>();
    EXPECT_NEAR(logits.classes[0][2][2][3].item<double>(), scale * cosine, 1e-4) << name;
    const MaskLogits scaled = (*model.decoder)(encoding, text, {.logit_scale = 65});
    EXPECT_NEAR(scaled.classes[0][2][2][3].item<double>(), 65 * cosine, 1e-4) << name;
  }
}

TEST_F(DenseClipTest, ImagesOfABatchDoNotMeet) {
  const at::Tensor both =
      at::cat({expected["in.square"], expected["in.square"].flip(3) * 0.5}).contiguous();
  for (const auto& [name, method] : kMethods) {
    const DenseModel model = dense_clip(clip, method);
    const Encoding together = (*model.encoder)(both);
    for (int64_t b = 0; b < 2; ++b) {
      const Encoding alone = (*model.encoder)(both.narrow(0, b, 1));
      expect_near(name, together.patches[b], alone.patches[0], kFeature);
      expect_near(name, together.image[b], alone.image[0], kFeature);
    }
  }
}

TEST_F(DenseClipTest, JoinedWindowsAttendToEachOther) {
  const at::Tensor pixels = expected["in.square"];
  const at::Tensor twice = at::cat({pixels, pixels}), other = at::cat({pixels, pixels.flip(3)});
  const int64_t side = pixels.size(3);
  for (const auto& [name, method] : kMethods) {
    const DenseModel model = dense_clip(clip, method);
    EXPECT_EQ(model.encoder->info.joins_windows, method != DenseMethod::kMaskClip);
    const at::Tensor alone = (*model.encoder)(pixels).patches;
    const Encoding one = (*model.encoder)(pixels, {.joined = {{0, 0}}});
    expect_near(name + ", one window", one.patches, alone, kFeature);
    // The same window twice at the same place weighs each patch twice.
    const Encoding same = (*model.encoder)(twice, {.joined = {{0, 0}, {0, 0}}});
    expect_near(name + ", twice", same.patches, alone.expand({2, -1, -1}), kFeature);

    const Encoding joined = (*model.encoder)(other, {.joined = {{0, 0}, {0, side}}});
    const Encoding apart = (*model.encoder)(other);
    expect_near(name + ", image", joined.image, apart.image, kFeature);
    const bool changes = (joined.patches - apart.patches).abs().max().item<double>() > 1e-3;
    EXPECT_EQ(changes, method != DenseMethod::kMaskClip) << name;
    // Only NACLIP reads the places of windows.
    const Encoding moved = (*model.encoder)(other, {.joined = {{0, 0}, {0, side / 2}}});
    const bool moves = (joined.patches - moved.patches).abs().max().item<double>() > 1e-3;
    EXPECT_EQ(moves, method == DenseMethod::kNaclip) << name;

    const auto packed_encoder = packed(model, GemmPrecision::kFloat32).encoder;
    expect_near(name + ", packed",
                (*packed_encoder)(other, {.joined = {{0, 0}, {0, side}}}).patches, joined.patches,
                1e-4);
  }
}

TEST_F(DenseClipTest, FlatAndTinyImagesHaveFiniteFeatures) {
  const int64_t patch = clip.config.patch;
  for (const auto& [name, method] : kMethods) {
    const DenseModel model = dense_clip(clip, method);
    for (const auto& [height, width] : {std::pair{8 * patch, 8 * patch},
                                        {patch, patch},
                                        {patch, 40 * patch},
                                        {2 * patch, 3 * patch}}) {
      const Encoding encoding = (*model.encoder)(at::full({1, 3, height, width}, 1.5));
      EXPECT_TRUE(encoding.patches.isfinite().all().item<bool>())
          << name << " " << height << "x" << width;
    }
  }
}

TEST_F(DenseClipTest, FingerprintsTellEncodersApart) {
  const auto fingerprint = [&](DenseMethod method) {
    return dense_clip(clip, method).encoder->info.fingerprint->digits();
  };
  std::set<std::string> digits;
  for (const auto& [name, method] : kMethods) digits.insert(fingerprint(method));
  EXPECT_EQ(digits.size(), kMethods.size());
  const std::string before = fingerprint(DenseMethod::kNaclip);
  at::Tensor(clip.text.text_projection).view(-1)[3] += 1;  // plays no part
  EXPECT_EQ(fingerprint(DenseMethod::kNaclip), before);
  at::Tensor(clip.visual.proj).view(-1)[3] += 1e-3;
  EXPECT_NE(fingerprint(DenseMethod::kNaclip), before);
}

TEST_F(DenseClipTest, WholePhotoIsOneWindow) {
  const WindowSizes sizes =
      dense_clip(clip, DenseMethod::kNaclip, /*whole_photo=*/true).encoder->info.windows;
  EXPECT_TRUE(sizes.whole_photo);
  EXPECT_EQ(sizes.short_side * sizes.window, 1.5 * clip.config.resolution);
}

// --- The parts of SC-CLIP ---

TEST(ScClip, OutlierScores) {
  const DenseGolden units("units.safetensors");
  for (const std::string name : {"lof31", "lof49", "lof81", "lof196"}) {
    const at::Tensor scores = outlier_scores(units[name + ".x"].unsqueeze(0));
    expect_near(name, scores[0], units[name + ".scores"], 1e-5, 1e-5);
    const at::Tensor found = outliers(scores)[0].nonzero().flatten();
    EXPECT_TRUE(found.equal(std::get<0>(units[name + ".outliers"].sort()))) << name << found;
  }
}

TEST_F(DenseClipTest, OutliersOfTheLastPatches) {
  for (const std::string size : {"square", "tall"}) {
    const at::Tensor x = trunk(expected["in." + size]).last;
    const at::Tensor scores = outlier_scores(x.narrow(1, 1, x.size(1) - 1));
    expect_near(size, scores[0], expected[size + ".scclip.outlier_scores"], 1e-4, 1e-4);
    EXPECT_TRUE(outliers(scores)[0].nonzero().flatten().equal(
        std::get<0>(expected[size + ".scclip.outliers"].sort())))
        << size;
  }
}

TEST_F(DenseClipTest, OutliersByTheAttentionOfTheClassToken) {
  int compared = 0;
  for (const std::string size : {"square", "tall", "wide", "big"}) {
    if (!expected.has(size + ".sfp.outliers")) continue;
    const auto& blocks = clip.visual.transformer.resblocks;
    const ResidualBlock& before = blocks[blocks.size() - 2];
    const at::Tensor found =
        attention_outliers(trunk(expected["in." + size]).before, before.ln_1, before.attn);
    EXPECT_TRUE(
        found[0].nonzero().flatten().equal(std::get<0>(expected[size + ".sfp.outliers"].sort())))
        << size;
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

TEST(ScClip, MendsOutliersFromSoundNeighbours) {
  const DenseGolden units("units.safetensors");
  const at::Tensor grid = units["mend.grid"];  // [C, h, w]
  at::Tensor is_outlier = at::zeros({1, grid[0].numel()}, at::kBool);
  is_outlier.index_fill_(1, units["mend.outliers"], true);
  const at::Tensor rows = grid.flatten(1).t().unsqueeze(0);
  const at::Tensor mended = mend(rows, is_outlier, {grid.size(1), grid.size(2)});
  expect_near("mend", mended[0].t().unflatten(1, {grid.size(1), grid.size(2)}),
              units["mend.scclip"], 1e-6);
}

TEST(ScClip, DepthsOfOtherTowers) {
  for (const int64_t layers : {1, 2, 3, 4, 6, 12, 24}) {
    TrunkRecorder recorder(layers, /*all=*/true);
    for (int64_t n = 0; n < layers; ++n) {
      recorder.record(n, at::full({1, 1, 1}, static_cast<double>(n)));
    }
    const TrunkTokens& tokens = recorder.tokens();
    EXPECT_EQ(tokens.last.item<double>(), static_cast<double>(layers - 1));
    ASSERT_TRUE(tokens.early.defined() && tokens.late.defined() && tokens.middle.defined());
    if (layers != 12) continue;
    EXPECT_EQ(tokens.early.item<double>(), 4);
    EXPECT_EQ(tokens.late.item<double>(), 9);
    EXPECT_EQ(tokens.middle.item<double>(), 4 + 5 + 6 + 7 + 8 + 9 + 10);
  }
}

}  // namespace
}  // namespace tagclip

#include "data/photometric.h"

#include <cmath>

#include "data/test_golden.h"

namespace tagclip {
namespace {

Image rgb(const SafetensorsFile& file, const std::string& bgr_name) {
  return test::swap_red_and_blue(test::image(file, bgr_name));
}

Photometric decision_of(const nlohmann::json& entry) {
  const auto number = [&](const char* key, float off) {
    return entry.at(key).is_null() ? off : entry.at(key).get<float>();
  };
  Photometric decision;
  decision.brightness = number("brightness_delta", 0);
  decision.contrast = number("contrast_alpha", 1);
  decision.saturation = number("saturation_alpha", 1);
  decision.hue = static_cast<int>(number("hue_delta", 0));
  decision.contrast_first = entry.at("contrast_position") == "first";
  return decision;
}

void put(const Rgb& rgb, uint8_t* pixel) {
  pixel[0] = static_cast<uint8_t>(rgb.red);
  pixel[1] = static_cast<uint8_t>(rgb.green);
  pixel[2] = static_cast<uint8_t>(rgb.blue);
}

TEST(Photometric, GoldenCases) {
  TAGCLIP_NEEDS_SHARED(test::pipeline_file("photometric.safetensors"));
  const auto file = SafetensorsFile::open(test::pipeline_file("photometric.safetensors"));
  int compared = 0;
  for (const auto& entry : test::pipeline_json().at("photometric_cases")) {
    const Photometric decision = decision_of(entry);
    const int number = entry.at("case");
    const std::string suffix = (number < 10 ? ".case0" : ".case") + std::to_string(number) + "_bgr";
    for (const std::string crop : {"photo", "synthetic"}) {
      const Image distorted = distort(rgb(file, crop + ".input_bgr"), decision);
      const Image expected = rgb(file, crop + suffix);
      EXPECT_EQ(distorted.pixels, expected.pixels) << crop << entry;
      ++compared;
    }
  }
  EXPECT_EQ(compared, 24);
}

TEST(Hsv, GoldenConversions) {
  TAGCLIP_NEEDS_SHARED(test::pipeline_file("photometric.safetensors"));
  const auto file = SafetensorsFile::open(test::pipeline_file("photometric.safetensors"));
  for (const std::string crop : {"photo", "synthetic"}) {
    const Image input = rgb(file, crop + ".input_bgr");
    const auto expected_hsv = test::values<uint8_t>(file, crop + ".hsv");
    std::vector<uint8_t> hsv;
    Image round_trip = input;
    for (size_t i = 0; i < input.pixels.size(); i += 3) {
      const Hsv pixel = to_hsv(input.pixels[i], input.pixels[i + 1], input.pixels[i + 2]);
      for (const int part : {pixel.hue, pixel.saturation, pixel.value}) {
        hsv.push_back(static_cast<uint8_t>(part));
      }
      put(to_rgb(pixel), &round_trip.pixels[i]);
    }
    EXPECT_EQ(hsv, expected_hsv) << crop;
    EXPECT_EQ(round_trip.pixels, rgb(file, crop + ".hsv_back_bgr").pixels) << crop;
  }
}

TEST(Hsv, KnownColours) {
  const auto hsv = [](int r, int g, int b) {
    const Hsv pixel = to_hsv(r, g, b);
    return std::array<int, 3>{pixel.hue, pixel.saturation, pixel.value};
  };
  using Triple = std::array<int, 3>;
  EXPECT_EQ(hsv(0, 0, 0), (Triple{0, 0, 0}));
  EXPECT_EQ(hsv(200, 200, 200), (Triple{0, 0, 200}));
  EXPECT_EQ(hsv(255, 0, 0), (Triple{0, 255, 255}));
  EXPECT_EQ(hsv(255, 255, 0), (Triple{30, 255, 255}));
  EXPECT_EQ(hsv(0, 255, 0), (Triple{60, 255, 255}));
  EXPECT_EQ(hsv(0, 0, 255), (Triple{120, 255, 255}));
  EXPECT_EQ(hsv(255, 0, 255), (Triple{150, 255, 255}));
  EXPECT_EQ(hsv(128, 64, 64), (Triple{0, 128, 128}));
}

// OpenCV has tables: numerator / i, rounded half up.
TEST(Hsv, ReciprocalsAreOpenCVs) {
  for (int i = 1; i < 256; ++i) {
    EXPECT_EQ(hsv_detail::reciprocal<255>(i), ((255 << 13) + i) / (2 * i)) << i;
    EXPECT_EQ(hsv_detail::reciprocal<30>(i), ((30 << 13) + i) / (2 * i)) << i;
  }
}

// Pure colours of full brightness show each channel's weight: OpenCV's, by sector of six.
TEST(Hsv, EveryHueHasTheWeightsOfItsSector) {
  for (int hue = 0; hue < kHues; ++hue) {
    const float position = static_cast<float>(hue) * (6.0f / kHues);
    const int sector = static_cast<int>(position);
    const float falling = position - static_cast<float>(sector), rising = 1 - falling;
    const float weights[6][3] = {{0, rising, 1},  {falling, 0, 1}, {1, 0, rising},
                                 {1, falling, 0}, {rising, 1, 0},  {0, 1, falling}};
    for (int saturation = 0; saturation < 256; ++saturation) {
      const float part = static_cast<float>(saturation) * (1 / 255.0f);
      const auto level = [&](int c) {
        return static_cast<int>(std::fma(-part, weights[sector][c], 1.0f) * 255.0f);
      };
      const Rgb rgb = to_rgb({hue, saturation, 255});
      ASSERT_EQ(rgb.red, level(0)) << hue << " " << saturation;
      ASSERT_EQ(rgb.green, level(1)) << hue << " " << saturation;
      ASSERT_EQ(rgb.blue, level(2)) << hue << " " << saturation;
    }
  }
}

// Within one step of hue the colour cannot come back exactly; grey and pure colours do.
TEST(Hsv, RoundTripStaysNear) {
  int largest = 0;
  for (int r = 0; r < 256; r += 5) {
    for (int g = 0; g < 256; g += 5) {
      for (int b = 0; b < 256; b += 5) {
        const Hsv pixel = to_hsv(r, g, b);
        ASSERT_LT(pixel.hue, kHues);
        ASSERT_EQ(pixel.value, std::max({r, g, b}));
        const Rgb back = to_rgb(pixel);
        largest = std::max(
            {largest, std::abs(back.red - r), std::abs(back.green - g), std::abs(back.blue - b)});
      }
    }
  }
  EXPECT_LE(largest, 6);
}

// The loops are compiled for several processors: each must make the same of every colour.
TEST(Photometric, ManyPixelsAreChangedAsOne) {
  Image colours{256, 256, {}};
  for (int i = 0; i < 256 * 256; ++i) {
    for (const int level : {i & 255, (i >> 8) & 255, i * 37 % 256}) {
      colours.pixels.push_back(static_cast<uint8_t>(level));
    }
  }
  colours.height = 255, colours.width = 257;  // no multiple of any vector
  const size_t count = colours.size();
  colours.pixels.resize(count * 3);
  const Image distorted = distort(colours, {.saturation = 1.37f, .hue = -7});
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* pixel = &colours.pixels[3 * i];
    Hsv hsv = to_hsv(pixel[0], pixel[1], pixel[2]);
    hsv.saturation = std::min(static_cast<int>(static_cast<float>(hsv.saturation) * 1.37f), 255);
    const Rgb between = to_rgb(hsv);
    hsv = to_hsv(between.red, between.green, between.blue);
    hsv.hue = (hsv.hue + kHues - 7) % kHues;
    uint8_t expected[3];
    put(to_rgb(hsv), expected);
    for (int c = 0; c < 3; ++c) ASSERT_EQ(distorted.pixels[3 * i + c], expected[c]) << i;
  }
}

TEST(Photometric, NothingDecidedChangesNothing) {
  const Image image{2, 1, {1, 2, 3, 250, 130, 7}};
  EXPECT_EQ(distort(image, {}).pixels, image.pixels);
}

TEST(Photometric, ClipsAndTruncates) {
  const Image image{1, 1, {0, 101, 250}};
  EXPECT_EQ(distort(image, {.brightness = 20.7f}).pixels, (std::vector<uint8_t>{20, 121, 255}));
  EXPECT_EQ(distort(image, {.brightness = -20.7f}).pixels, (std::vector<uint8_t>{0, 80, 229}));
  EXPECT_EQ(distort(image, {.contrast = 1.5f}).pixels, (std::vector<uint8_t>{0, 151, 255}));
}

TEST(Photometric, ContrastBeforeOrAfterTheColours) {
  const Image image{1, 1, {200, 120, 40}};
  const Photometric first{.contrast = 1.5f, .saturation = 0.5f, .contrast_first = true};
  const Photometric last{.contrast = 1.5f, .saturation = 0.5f, .contrast_first = false};
  EXPECT_NE(distort(image, first).pixels, distort(image, last).pixels);
}

TEST(Photometric, HueTurnsAround) {
  const Image red{1, 1, {255, 0, 0}};
  EXPECT_EQ(distort(red, {.hue = 60}).pixels, (std::vector<uint8_t>{0, 255, 0}));
  EXPECT_EQ(distort(red, {.hue = -60}).pixels, (std::vector<uint8_t>{0, 0, 255}));
  EXPECT_EQ(distort(red, {.hue = 180}).pixels, red.pixels);
}

TEST(Photometric, DrawsCoverTheReleasedRanges) {
  std::mt19937_64 random(3);
  int bright = 0, contrasted = 0, saturated = 0, turned = 0, first = 0;
  int lowest_hue = 0, highest_hue = 0;
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) {
    const Photometric decision = draw_photometric(random);
    ASSERT_LE(std::abs(decision.brightness), 32);
    ASSERT_GE(std::min(decision.contrast, decision.saturation), 0.5);
    ASSERT_LE(std::max(decision.contrast, decision.saturation), 1.5);
    bright += decision.brightness != 0;
    contrasted += decision.contrast != 1;
    saturated += decision.saturation != 1;
    turned += decision.hue != 0;
    first += decision.contrast_first;
    lowest_hue = std::min(lowest_hue, decision.hue);
    highest_hue = std::max(highest_hue, decision.hue);
  }
  for (int count : {bright, contrasted, saturated, first}) EXPECT_NEAR(count, kDraws / 2.0, 300);
  EXPECT_NEAR(turned, kDraws * 35 / 72.0, 300);  // one turn in 36 is by nothing
  EXPECT_EQ(lowest_hue, -18);
  EXPECT_EQ(highest_hue, 17);
}

}  // namespace
}  // namespace tagclip

#include "outputs/output_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "base/base64.h"
#include "base/files.h"
#include "image/image.h"
#include "image/palette.h"
#include "label_formats/json_values.h"
#include "label_formats/raster.h"
#include "outputs/run_lengths.h"
#include "outputs/stored_result.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

// Labels of 6 x 4 pixels: class 0 with a hole, class 2 in the hole and beside, the rest unlabelled.
//   0 0 0 2 2 .
//   0 2 0 2 2 .
//   0 0 0 . . .
//   . . . . . 2
class Formats : public testing::Test {
 protected:
  std::string written(const std::string& format) {
    std::string text;
    const OutputFormat& found = *parse_output_formats(format).front();
    found.write_photo(output(), [&](std::span<const std::byte> bytes) {
      text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    });
    return text;
  }
  PhotoOutput output() {
    return {run_,
            {"photos/street.jpg", "street", labels_, regions_},
            photo_,
            {{{1, 2, 3}, "cat", ""}},
            [](std::span<const int> classes) {
              std::vector<std::vector<float>> maps;
              for (const int c : classes) maps.emplace_back(24, 0.25F * static_cast<float>(c));
              return maps;
            }};
  }
  std::string run_file(const std::string& format, size_t index = 0) {
    std::string text;
    const ByteSink sink = [&](std::span<const std::byte> bytes) {
      text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    const RunFile& file = parse_output_formats(format).front()->run_files.at(index);
    const auto writer = file.open(run_, sink);
    writer->add(output().labelled);
    writer->finish();
    return text;
  }

  static constexpr uint16_t kNone = kIgnoreIndex;
  LabelMap labels_{6, 4, {0, 0, 0, 2,     2,     kNone, 0,     2,     0,     2,     2,     kNone,
                          0, 0, 0, kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone, 2}};
  Regions regions_ = find_regions(labels_, false);
  OutputRun run_{"out", {"cat", "dog", "sky & sea"}, {{9, 8, 7}, {0, 255, 0}, {1, 2, 3}}, "mini"};
  Image photo_{6, 4, std::vector<uint8_t>(72, 50)};
};

TEST(OutputFormats, AreFoundByName) {
  const auto names = [](const std::string& list) {
    std::vector<std::string_view> found;
    for (const OutputFormat* format : parse_output_formats(list)) found.push_back(format->name);
    return found;
  };
  EXPECT_THAT(names("overlay, labels,labels"), ElementsAre("labels", "overlay"));
  EXPECT_THAT(names("none"), testing::IsEmpty());
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { names("labels,labelmee"); }),
              HasSubstr("labelmee"));
  for (const OutputFormat& format : output_formats()) {
    EXPECT_EQ(format.photo_file.empty(), !format.write_photo && !format.photo_folder)
        << format.name;
    EXPECT_EQ(format.photo_file.ends_with('/'), format.is_folder()) << format.name;
    EXPECT_FALSE(format.photo_file.empty() && format.run_files.empty()) << format.name;
  }
}

TEST(OutputFormats, ClassesBecomeFileNames) {
  EXPECT_THAT(class_file_names({"cat", "Cat", "a/b", "..", std::string(300, 'x')}),
              ElementsAre("cat", "Cat-2", "a_b", "_..", std::string(100, 'x')));
}

TEST_F(Formats, CocoMasksAndPolygonsAreTheRegions) {
  for (const bool runs : {false, true}) {
    const json coco = json::parse(run_file(runs ? "coco-rle" : "coco"));
    EXPECT_EQ(coco["images"][0]["file_name"], "street.jpg");
    EXPECT_EQ(coco["categories"].size(), 3U);
    ASSERT_EQ(coco["annotations"].size(), 2U);
    LabelMap map{6, 4, std::vector<uint16_t>(24, kNone)};
    for (const json& annotation : coco["annotations"]) {
      const uint16_t label = annotation["category_id"].get<uint16_t>() - 1;
      if (runs) {
        fill_runs(map, unpack_runs(annotation["segmentation"]["counts"].get<std::string>()), label);
        continue;
      }
      for (const json& numbers : annotation["segmentation"]) {
        Polygon polygon;
        for (size_t i = 0; i < numbers.size(); i += 2)
          polygon.push_back({numbers[i], numbers[i + 1]});
        fill_coco_polygon(map, polygon, label);
      }
    }
    EXPECT_EQ(map.labels, labels_.labels);
    EXPECT_EQ(coco["annotations"][1]["area"], 6);
    EXPECT_EQ(coco["annotations"][1]["bbox"], json::parse("[1,0,5,4]"));
  }
}

TEST_F(Formats, LabelMe) {
  const json polygons = json::parse(written("labelme"));
  EXPECT_EQ(polygons["imagePath"], "../../photos/street.jpg");
  EXPECT_EQ(polygons["shapes"].size(), 4U);
  EXPECT_EQ(polygons["shapes"][1]["group_id"], 2) << "parts of one region";
  EXPECT_TRUE(polygons["shapes"][0]["group_id"].is_null());
  const json masks = json::parse(written("labelme-masks"));
  EXPECT_EQ(masks["shapes"][1]["points"], json::parse("[[1,0],[5,3]]"));
  const auto png = from_base64(masks["shapes"][1]["mask"].get<std::string>());
  EXPECT_EQ(decode_image(std::as_bytes(std::span(png.value())), "").width, 5);
}

TEST_F(Formats, Yolo) {
  const std::string text = written("yolo");
  EXPECT_THAT(text, testing::StartsWith("0 0.083333333 0.125 "));
  EXPECT_EQ(std::ranges::count(text, '\n'), 4);
  EXPECT_THAT(run_file("yolo"), HasSubstr("names:\n  0: \"cat\"\n"));
}

TEST_F(Formats, GeoJsonHasHolesAndTurnsAgainstTheClock) {
  const json features = json::parse(written("geojson"))["features"];
  ASSERT_EQ(features.size(), 2U);
  EXPECT_EQ(features[0]["geometry"]["coordinates"],
            json::parse("[[[[0,0],[3,0],[3,3],[0,3],[0,0]],[[1,2],[2,2],[2,1],[1,1],[1,2]]]]"));
  EXPECT_EQ(features[1]["properties"]["classification"]["name"], "sky & sea");
}

// The sizes in bits of what follows are those of the head: 32, 5, 4 x 4.
TEST_F(Formats, LabelStudioRuns) {
  const json tasks = json::parse(run_file("label-studio"));
  const json result = tasks[0]["predictions"][0]["result"][0];
  EXPECT_EQ(result["value"]["brushlabels"], json::parse(R"(["cat"])"));
  std::string bits;
  for (const int byte : result["value"]["rle"]) {
    for (int b = 7; b >= 0; --b) bits += byte >> b & 1 ? '1' : '0';
  }
  size_t at = 0;
  const auto read = [&](size_t count) {
    const size_t value = std::stoull(bits.substr(at, count), nullptr, 2);
    at += count;
    return value;
  };
  std::vector<size_t> values, sizes;
  ASSERT_EQ(read(32), 96U);
  const size_t word = read(5) + 1;
  for (int i = 0; i < 4; ++i) sizes.push_back(read(4) + 1);
  while (values.size() < 96) {
    ASSERT_EQ(read(1), 1U);
    const size_t count = read(sizes[read(2)]) + 1;
    values.insert(values.end(), count, read(word));
  }
  for (size_t i = 0; i < 96; ++i) {
    EXPECT_EQ(values[i], labels_.labels[i / 4] == 0 ? 255U : 0U) << i;
  }
  EXPECT_THAT(run_file("label-studio", 1),
              HasSubstr("value=\"sky &amp; sea\" background=\"#010203\""));
}

TEST_F(Formats, CvatArchive) {
  const std::string zip = run_file("cvat-masks");
  EXPECT_TRUE(zip.starts_with("PK\x03\x04"));
  EXPECT_THAT(zip,
              HasSubstr("background:0,0,0::\ncat:9,8,7::\ndog:0,255,0::\nsky & sea:1,2,3::\n"));
  EXPECT_THAT(zip, HasSubstr("SegmentationObject/street.png"));
  EXPECT_EQ(zip, run_file("cvat-masks")) << "the same bytes every time";
}

// Those who read the archive know the colours of 255 objects.
TEST_F(Formats, CvatArchiveOfManyRegions) {
  labels_ = {60, 20, std::vector<uint16_t>(1200, kNone)};
  for (int i = 0; i < 300; ++i) {  // single pixels
    labels_.labels[(i / 30 * 2) * 60 + i % 30 * 2] = i % 2 == 0 ? 0 : 2;
  }
  regions_ = find_regions(labels_, /*instances=*/true);
  ASSERT_EQ(regions_.all.size(), 300U);
  const std::string zip = run_file("cvat-masks");
  const size_t name = zip.find("SegmentationObject/street.png");
  const Image objects =
      decode_image(std::as_bytes(std::span(zip)).subspan(zip.find("\x89PNG", name)), "");
  std::map<Colour, std::set<uint16_t>> classes;
  for (size_t i = 0; i < labels_.labels.size(); ++i) {
    const uint8_t* pixel = &objects.pixels[3 * i];
    if (labels_.labels[i] != kNone)
      classes[{pixel[0], pixel[1], pixel[2]}].insert(labels_.labels[i]);
  }
  EXPECT_EQ(classes.size(), 254U) << "253 regions, and the rest, all of the last class";
  const std::vector<Colour> palette = voc_palette(256);
  for (const auto& [colour, of_object] : classes) {
    EXPECT_EQ(of_object.size(), 1U);
    EXPECT_NE(std::ranges::find(palette, colour), palette.end());
  }
}

TEST_F(Formats, ScoresAsNumPyArray) {
  const std::string npy = written("probabilities");
  EXPECT_EQ(npy.size() % 64, (3 * 24 * 4) % 64U);
  EXPECT_THAT(npy.substr(0, 128), HasSubstr("'shape': (3, 4, 6)"));
  float last = 0;
  std::memcpy(&last, npy.data() + npy.size() - 4, 4);
  EXPECT_EQ(last, 0.5F);
}

TEST_F(Formats, PicturesPerClass) {
  const auto masks = parse_output_formats("masks").front()->photo_folder(output());
  ASSERT_EQ(masks.size(), 2U);
  EXPECT_EQ(masks[1].name, "sky & sea.png");
  EXPECT_EQ(decode_image(masks[0].bytes, "").pixels[0], 255);
  EXPECT_EQ(parse_output_formats("cutouts").front()->photo_folder(output()).size(), 2U);
}

TEST_F(Formats, RunFilesReplaceNothingOfTheUsers) {
  const TestDir folder;
  run_.folder = folder.path();
  const auto formats = parse_output_formats("coco");
  const auto write = [&](bool overwrite) {
    RunFiles files(run_, formats, overwrite);
    files.add(output().labelled);
    files.commit();
  };
  write(false);
  write(false);  // its own
  const auto file = folder / "coco/polygons.json";
  write_file(file, "mine");
  EXPECT_THAT(error_of(ErrorKind::kFailure, [&] { write(false); }), HasSubstr("polygons.json"));
  EXPECT_EQ(read_text(file), "mine");
  write(true);
  EXPECT_THAT(read_text(file), HasSubstr("street.jpg"));
}

TEST_F(Formats, StoredResultsAreReadBack) {
  const TestDir folder;
  write_label_map(folder / "a_labels.png", labels_, run_.palette);
  const auto classes = folder / "a_classes.json";
  write_file(classes,
             R"({"classes": [{"index": 0, "mean_score": 0.5}, {"index": 2, "mean_score": 1}]})");
  const StoredResult stored = read_stored_result(folder / "a_labels.png", classes, run_);
  EXPECT_EQ(stored.labels.labels, labels_.labels);
  EXPECT_EQ(stored.regions.all[1].score, 1);
  write_file(classes, R"({"classes": [{"index": 0, "mean_score": 0.5}]})");
  EXPECT_THAT(error_of(ErrorKind::kBadInput,
                       [&] { read_stored_result(folder / "a_labels.png", classes, run_); }),
              HasSubstr("does not fit"));
}

}  // namespace
}  // namespace tagclip

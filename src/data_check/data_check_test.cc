#include "data_check/data_check.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "data/test_dataset.h"
#include "data/test_golden.h"
#include "image/palette.h"
#include "image/test_images.h"

namespace tagclip {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kSide = 16;

// Returns a label map of equal stripes, one per value.
std::vector<uint16_t> stripes(const std::vector<uint16_t>& values) {
  std::vector<uint16_t> labels(kSide * kSide);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = values[i * values.size() / labels.size()];
  return labels;
}

// A faultless folder set of four classes, which tests then break.
class DataCheckTest : public testing::Test {
 protected:
  DataCheckTest() {
    files_.text("classes.txt", "sky\ngrass\nroad\nwater\n");
    files_.text("unseen.txt", "water\n");
    for (const char* name : {"a", "b", "c", "d"}) {
      add_photo(name, static_cast<uint64_t>(*name));
      add_labels(name, {0, 1, 2, 3, kIgnoreIndex});
    }
    files_.text("train.txt", "a\nb\n");
    files_.text("val.txt", "c\nd\n");
  }

  void add_photo(const std::string& name, uint64_t seed) {
    files_.photo("images/" + name + ".png", test::make_photo(kSide, kSide, seed));
  }
  void add_labels(const std::string& name, const std::vector<uint16_t>& values) {
    files_.labels("labels/" + name + ".png", kSide, kSide, stripes(values));
  }
  void label_all(const std::vector<uint16_t>& values) {
    for (const char* name : {"a", "b", "c", "d"}) add_labels(name, values);
  }

  DataCheck check(const DatasetOptions& options) const {
    return *check_data(options, {}, [](size_t, size_t) { return true; });
  }
  DataCheck check() const { return check(files_.options()); }

  // "error ids-off-by-one" of each finding.
  static std::vector<std::string> codes(const DataCheck& check) {
    std::vector<std::string> codes;
    for (const Finding& finding : check.findings) {
      codes.push_back((finding.severity == Severity::kError ? "error " : "warning ") +
                      finding.code);
    }
    return codes;
  }

  test::DatasetFiles files_;
};

TEST_F(DataCheckTest, AGoodSetHasNoFindings) {
  const DataCheck good = check();
  EXPECT_THAT(codes(good), IsEmpty());
  EXPECT_TRUE(good.usable());
}

TEST_F(DataCheckTest, MissingPartnersDoNotHideTheRest) {
  files_.text("train.txt", "a\nb\nx\n");
  std::filesystem::remove(files_ / "labels/b.png");
  const DataCheck found = check();
  EXPECT_THAT(codes(found), ElementsAre("error photos-missing", "error labels-missing"));
  EXPECT_THAT(found.findings[0].what, HasSubstr("train: 1 photo of the list not there: x"));
  EXPECT_THAT(found.findings[1].what, HasSubstr("2 photos without label file: b, x"));
  EXPECT_EQ(found.splits[0].stats.size(), 1u);
  EXPECT_FALSE(found.usable());
}

TEST_F(DataCheckTest, UnreadableFiles) {
  files_.text("images/a.png", "not a picture");
  files_.text("labels/c.png", "");
  const DataCheck found = check();
  EXPECT_THAT(codes(found), ElementsAre("error photos-unreadable", "error labels-unreadable"));
  EXPECT_THAT(found.findings[0].what, AllOf(HasSubstr("train"), HasSubstr("images/a.png")));
  EXPECT_THAT(found.findings[1].what, AllOf(HasSubstr("val"), HasSubstr("labels/c.png")));
}

TEST_F(DataCheckTest, SizesThatDiffer) {
  files_.photo("images/a.png", test::make_photo(20, kSide, 1));
  const DataCheck found = check();
  EXPECT_THAT(codes(found), ElementsAre("error sizes-differ"));
  EXPECT_THAT(found.findings[0].what, HasSubstr("a is 20x16, its labels 16x16"));
}

TEST_F(DataCheckTest, TurnedPhotosAreNamed) {
  files_.photo("images/a.png", test::make_photo(8, 32, 1));
  files_.labels("labels/a.png", 32, 8, stripes({0, 1, 2, 3}));
  EXPECT_THAT(check().findings.at(0).advice, HasSubstr("EXIF"));
}

TEST_F(DataCheckTest, PhotosWithoutAnyLabel) {
  add_labels("b", {kIgnoreIndex});
  EXPECT_THAT(codes(check()), ElementsAre("warning nothing-labelled"));
}

TEST_F(DataCheckTest, LabelsOutOfRange) {
  add_labels("b", {0, 1, 2, 3, 7, 8, 9, 40});
  const DataCheck found = check();
  EXPECT_THAT(codes(found), ElementsAre("error labels-out-of-range"));
  EXPECT_THAT(found.findings[0].what,
              AllOf(HasSubstr("label 7 to 9, 40"), HasSubstr("first in b")));
}

TEST_F(DataCheckTest, AStrayLabelIsNoBackground) {
  files_.text("classes.txt", "a\nb\nc\nd\ne\nf\ng\nh\n");
  files_.text("unseen.txt", "h\n");
  label_all({3, 0, 4, 1, 5, 2, 7, 6, 7, 7, 7, 7, 7, 7, 7, 8});
  EXPECT_THAT(codes(check()), ElementsAre("error labels-out-of-range"));
}

TEST_F(DataCheckTest, ZeroLabelNotReduced) {
  label_all({0, 0, 0, 0, 0, 1, 2, 3, 4, kIgnoreIndex});
  const DataCheck found = check();
  EXPECT_THAT(codes(found), ElementsAre("error zero-label-not-reduced"));
  EXPECT_THAT(found.findings[0].what, HasSubstr("labels go from 0 to 4, but there are 4 classes"));
  // The advice helps.
  files_.text("classes.txt", "background\nsky\ngrass\nroad\nwater\n");
  EXPECT_THAT(codes(check()), ElementsAre("warning background-is-a-class"));
  DatasetOptions options = files_.options();
  options.zero_label = ZeroLabel::kReduce;
  EXPECT_THAT(codes(check(options)), IsEmpty());
}

TEST_F(DataCheckTest, ZeroLabelReducedTwice) {
  files_.text("classes.txt", "background\nsky\ngrass\nroad\nwater\n");
  label_all({kIgnoreIndex, kIgnoreIndex, kIgnoreIndex, 0, 1, 2, 3});
  EXPECT_THAT(codes(check()), testing::Contains("error zero-label-reduced-twice"));
}

TEST_F(DataCheckTest, IdsOffByOne) {
  label_all({1, 2, 3, 4, kIgnoreIndex});
  const DataCheck found = check();
  EXPECT_THAT(codes(found), testing::Contains("error ids-off-by-one"));
  EXPECT_THAT(found.findings[0].what, HasSubstr("labels go from 1 to 4 and 0 never occurs"));
}

TEST_F(DataCheckTest, VoidThatLostOne) {
  label_all({0, 1, 2, 3, 254});
  EXPECT_THAT(codes(check()), ElementsAre("error void-decremented"));
}

// Returns labels as an RGB image in the colours of VOC's palette.
Image coloured(const std::vector<uint16_t>& labels) {
  const std::vector<Colour>& colours = label_palettes().front().colours;
  Image picture{kSide, kSide, {}};
  for (const uint16_t label : labels) {
    picture.pixels.insert(picture.pixels.end(), colours[label].begin(), colours[label].end());
  }
  return picture;
}

TEST_F(DataCheckTest, PaletteReadAsRgb) {
  for (const char* name : {"a", "b", "c", "d"}) {
    files_.photo("labels/" + std::string(name) + ".png", coloured(stripes({0, 1, 2, 3})));
  }
  const DataCheck found = check();
  EXPECT_EQ(codes(found)[0], "error palette-as-rgb");
  EXPECT_THAT(found.findings[0].what, HasSubstr("PASCAL VOC palette"));
}

TEST_F(DataCheckTest, OtherRgbLabelsAreUnreadable) {
  files_.photo("labels/a.png", test::make_photo(kSide, kSide, 5));
  EXPECT_THAT(codes(check()), ElementsAre("error labels-unreadable"));
}

TEST_F(DataCheckTest, MostlyBlackPicturesAreOfNoPalette) {
  std::vector<Colour> own(kSide * kSide);
  for (size_t i = 0; i < 9; ++i) own[i] = {200, 10, 77};
  for (const char* name : {"a", "b", "c", "d"}) {
    Image picture{kSide, kSide, {}};
    for (const Colour& c : own) picture.pixels.insert(picture.pixels.end(), c.begin(), c.end());
    files_.photo("labels/" + std::string(name) + ".png", picture);
  }
  const DataCheck found = check();
  EXPECT_EQ(codes(found)[0], "error colours-as-labels");
  EXPECT_THAT(found.findings[0].what, HasSubstr("(0,0,0; 200,10,77)"));
  EXPECT_THAT(found.findings[0].advice, HasSubstr("tagclip data convert"));
}

TEST_F(DataCheckTest, IndicesInThreeChannels) {
  Image picture{kSide, kSide, {}};
  for (const uint16_t label : stripes({0, 1, 2, 3})) {
    picture.pixels.insert(picture.pixels.end(), 3, static_cast<uint8_t>(label));
  }
  files_.photo("labels/a.png", picture);
  EXPECT_THAT(codes(check()), ElementsAre("error indices-in-three-channels"));
}

TEST_F(DataCheckTest, ObjectsOf255) {
  label_all({0, 0, kIgnoreIndex});
  const DataCheck found = check();
  EXPECT_EQ(codes(found)[0], "error object-is-255");
  EXPECT_THAT(found.findings[0].what, HasSubstr("hold 0 (67% of the pixels) and 255 only"));
}

TEST_F(DataCheckTest, LabelsThatWereResizedLikePhotos) {
  std::vector<uint16_t> labels(kSide * kSide);
  for (int i = 0; i < kSide * kSide; ++i) {
    // Blocks of 0 and 3 with what bilinear resizing puts between them.
    constexpr uint16_t kRow[] = {0, 0, 0, 1, 2, 3, 3, 3, 3, 2, 1, 0, 0, 0, 1, 2};
    labels[i] = kRow[i % kSide];
  }
  for (const char* name : {"a", "b", "c", "d"}) {
    files_.labels("labels/" + std::string(name) + ".png", kSide, kSide, labels);
  }
  EXPECT_THAT(codes(check()), ElementsAre("error smoothed-labels"));
}

TEST_F(DataCheckTest, NothingToLearn) {
  label_all({kIgnoreIndex});
  EXPECT_THAT(codes(check()), testing::Contains("error nothing-labelled").Times(2));
  for (const char* name : {"a", "b"}) add_labels(name, {3, kIgnoreIndex});  // unseen water alone
  for (const char* name : {"c", "d"}) add_labels(name, {0, 1, 2, 3});
  EXPECT_THAT(codes(check()), testing::Contains("error no-seen-class"));
  const auto quick = quick_check(files_.options(), "train", 300);
  EXPECT_THAT(quick, testing::Contains(testing::Field(&Finding::code, "no-seen-class")));
}

TEST_F(DataCheckTest, OddClassLists) {
  files_.text("classes.txt", "sky\ntall_grass\n2: road\nwater\n");
  const DataCheck found = check();
  EXPECT_THAT(codes(found), ElementsAre("warning class-names"));
  EXPECT_THAT(found.findings[0].what, HasSubstr("tall_grass, 2: road"));
  files_.text("classes.txt", "sky\n");
  files_.text("unseen.txt", "sky\n");
  std::filesystem::remove(files_ / "unseen.txt");
  label_all({0});
  EXPECT_THAT(codes(check()), ElementsAre("warning one-class"));
}

TEST_F(DataCheckTest, PhotosThatExifTurnsUpsideDown) {
  const Image photo = test::make_photo(kSide, kSide, 'a');
  const auto write = [&](uint8_t orientation) {
    const Bytes png = encode_png(kSide, kSide, photo.pixels,
                                 {.exif = exif_block(orientation, /*big_endian=*/false)});
    write_file(files_ / "images/a.png", png);
    return codes(check());
  };
  EXPECT_THAT(write(3), ElementsAre("warning exif-turned"));
  EXPECT_THAT(write(1), IsEmpty());
}

TEST_F(DataCheckTest, PaletteTurnedGrey) {
  label_all({0, 38, 75, 113, 147});  // background, aeroplane, bicycle, bird, person
  const DataCheck found = check();
  EXPECT_EQ(codes(found)[0], "error palette-as-grey");
  EXPECT_THAT(found.findings[0].what, HasSubstr("grey shades of the PASCAL VOC palette"));
}

TEST_F(DataCheckTest, SeenAndUnseenSwapped) {
  files_.text("unseen.txt", "sky\ngrass\nroad\n");
  EXPECT_THAT(codes(check()), ElementsAre("error seen-unseen-swapped"));
  files_.text("unseen.txt", "sky\ngrass\nroad\nwater\n");
  EXPECT_THAT(check().findings.at(0).what, HasSubstr("all 4 classes are unseen"));
}

TEST_F(DataCheckTest, ClassesThatNeverOccur) {
  for (const char* name : {"a", "b"}) add_labels(name, {0, 1, 3});
  for (const char* name : {"c", "d"}) add_labels(name, {0, 1, 2});
  const DataCheck found = check();
  EXPECT_THAT(codes(found),
              ElementsAre("warning seen-class-absent", "warning unseen-class-absent"));
  EXPECT_THAT(found.findings[0].what, HasSubstr("train: seen classes that never occur: road"));
  EXPECT_THAT(found.findings[1].what, HasSubstr("val: 1 of 1 unseen classes never occur: water"));
  EXPECT_THAT(found.findings[1].advice, HasSubstr("counts 0 where it is predicted"));
}

TEST_F(DataCheckTest, PhotosOfBothSplits) {
  files_.text("val.txt", "b\nc\nd\n");
  files_.photo("images/d.png", test::make_photo(kSide, kSide, 'a'));
  const DataCheck found = check();
  EXPECT_THAT(codes(found),
              ElementsAre("warning shared-between-splits", "warning near-duplicates"));
  EXPECT_THAT(found.findings[0].what, HasSubstr("1 photo of val also in train: b"));
  EXPECT_THAT(found.findings[1].what, HasSubstr("a = d"));
}

TEST_F(DataCheckTest, CocoStuffFilesUnderTheWrongName) {
  test::DatasetFiles coco;
  const auto check_values = [&](const std::string& file, const std::vector<uint16_t>& values) {
    coco.photo("images/val2017/a.png", test::make_photo(kSide, kSide, 1));
    coco.labels("annotations/val2017/" + file, kSide, kSide, stripes(values));
    const DataCheck found = check(coco.options("coco-stuff"));
    std::filesystem::remove(coco / "annotations/val2017" / file);
    return found.findings.at(0).code;
  };
  EXPECT_EQ(check_values("a.png", {0, 11, 170}), "train-ids-as-ids");
  EXPECT_EQ(check_values("a_labelTrainIds.png", {0, 12, 181}), "ids-as-train-ids");
  EXPECT_EQ(check_values("a.png", {1, 11, 13, 182}), "ids-off-by-one");
  EXPECT_EQ(check_values("a.png", {0, 1, 11, 13, 182}), "zero-label-not-reduced");
  EXPECT_EQ(check_values("a.png", {0, 200}), "labels-out-of-range");
}

TEST_F(DataCheckTest, NamedSplitsAlone) {
  const auto progress = [](size_t, size_t) { return true; };
  const auto val = check_data(files_.options(), {"val"}, progress);
  ASSERT_EQ(val->splits.size(), 1u);
  EXPECT_EQ(val->splits[0].name, "val");
  EXPECT_THROW(check_data(files_.options(), {"test"}, progress), Error);
}

TEST_F(DataCheckTest, StopsWhenAsked) {
  EXPECT_FALSE(check_data(files_.options(), {}, [](size_t, size_t) { return false; }));
}

TEST_F(DataCheckTest, ReportsForPeopleAndPrograms) {
  label_all({0, 1, 2, 4});
  const DataCheck found = check();
  EXPECT_THAT(
      format_report(found),
      AllOf(HasSubstr("a folder set, 4 classes, 1 unseen: water"), HasSubstr("2 photos, 16x16"),
            HasSubstr("error: no class has the label 4"), HasSubstr("not fit to train on")));
  const auto json = nlohmann::json::parse(to_json(found));
  EXPECT_EQ(json["usable"], false);
  EXPECT_EQ(json["findings"][0]["code"], "labels-out-of-range");
  EXPECT_EQ(json["classes"][0]["train"]["pixels"], 128);
  EXPECT_EQ(json["classes"][3]["seen"], false);
  EXPECT_EQ(json["splits"][1]["pairs"], 2);
}

TEST(DataCheck, TheRealSetsHaveNoErrors) {
  TAGCLIP_NEEDS_SHARED(test::shared_data() / "data/msrc21");
  for (const char* name : {"msrc21", "nyuv2", "voc2012_animals", "coco_things", "voc2012_mini"}) {
    const DatasetOptions options{.folder = (test::shared_data() / "data" / name).string()};
    const auto found = check_data(options, {}, [](size_t, size_t) { return true; });
    EXPECT_TRUE(found->usable()) << format_report(*found);
  }
}

}  // namespace
}  // namespace tagclip

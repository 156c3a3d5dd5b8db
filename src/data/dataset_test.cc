#include "data/dataset.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/files.h"
#include "data/test_golden.h"
#include "image/png.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A small data set on disk; tests then break it.
class DatasetTest : public testing::Test {
 protected:
  DatasetTest() {
    std::filesystem::create_directories(dir_ / "images");
    std::filesystem::create_directories(dir_ / "labels");
    write_file(dir_ / "classes.txt", "sky\npotted plant\nroad\n");
    write_file(dir_ / "unseen.txt", "road\n");
    write_file(dir_ / "train.txt", "a\nb\n");
    for (const char* name : {"a", "b"}) {
      write_png(dir_ / "images" / (std::string(name) + ".png"),
                {3, 2, std::vector<uint8_t>(18, 50)});
      write_labels(name, {3, 2, {0, 1, 2, 0, 1, kIgnoreIndex}});
    }
  }

  void write_labels(const std::string& name, const LabelMap& map) {
    write_label_map(dir_ / "labels" / (name + ".png"), map, {});
  }

  Error error_of(const std::string& split = "train") {
    try {
      Dataset dataset({.folder = dir_.path().string()}, split);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      return error;
    }
    return failure("no error");
  }

  TestDir dir_;
};

TEST_F(DatasetTest, ReadsPairs) {
  const Dataset dataset({.folder = dir_.path().string()}, "train");
  ASSERT_EQ(dataset.size(), 2u);
  EXPECT_EQ(dataset.name(1), "b");
  EXPECT_EQ(dataset.image_path(1), dir_ / "images/b.png");
  EXPECT_EQ(dataset.label_path(1), dir_ / "labels/b.png");
  EXPECT_EQ(dataset.classes(), (std::vector<std::string>{"sky", "potted plant", "road"}));
  EXPECT_EQ(dataset.seen(), (std::vector<bool>{true, true, false}));
  const LabelledImage pair = dataset.read(0);
  EXPECT_EQ(pair.image.pixels, std::vector<uint8_t>(18, 50));
  EXPECT_EQ(pair.labels.labels, (std::vector<uint16_t>{0, 1, 2, 0, 1, kIgnoreIndex}));
}

TEST_F(DatasetTest, WithoutAnUnseenListAllAreSeen) {
  std::filesystem::remove(dir_ / "unseen.txt");
  EXPECT_EQ(Dataset({.folder = dir_.path().string()}, "train").seen(),
            (std::vector<bool>{true, true, true}));
}

TEST_F(DatasetTest, ClassesHaveTheGrammarOfAllClassFiles) {
  write_file(dir_ / "classes.txt", "0: sky, heavens\n1: \"plant, potted\"\n2: road\n");
  write_file(dir_ / "unseen.txt", "heavens\nRoad\n");
  const Dataset dataset({.folder = dir_.path().string()}, "train");
  EXPECT_EQ(dataset.classes(), (std::vector<std::string>{"sky", "plant, potted", "road"}));
  EXPECT_EQ(dataset.words()[0].words, (std::vector<std::string>{"sky", "heavens"}));
  EXPECT_EQ(dataset.seen(), (std::vector<bool>{false, true, false}));
  EXPECT_EQ(
      Dataset({.folder = dir_.path().string(), .unseen = "\"plant, potted\", 2"}, "train").seen(),
      (std::vector<bool>{true, false, false}));
}

TEST_F(DatasetTest, NumbersOfClassesAreLabelValues) {
  write_file(dir_ / "classes.txt", "1: sky\n2: plant\n3: road\n");
  EXPECT_THAT(error_of().what(), AllOf(HasSubstr("classes.txt, line 1"), HasSubstr("number 1"),
                                       HasSubstr("it is class 0")));
  write_file(dir_ / "classes.txt", "sky\n\nroad\n");
  EXPECT_THAT(error_of().what(), HasSubstr("classes.txt, line 3: an empty line"));
  write_file(dir_ / "classes.txt", "# label values from 0\nsky\nplant\nroad\n");
  EXPECT_EQ(Dataset({.folder = dir_.path().string()}, "train").classes().size(), 3U);
}

TEST_F(DatasetTest, ClassesThatAreTheSameToClipAreRefused) {
  write_file(dir_ / "classes.txt", "Tree\nplant\ntree\n");
  EXPECT_THAT(error_of().what(), AllOf(HasSubstr("classes.txt, line 3"),
                                       HasSubstr("\"tree\" is the same to CLIP as "
                                                 "\"Tree\" of"),
                                       HasSubstr("line 1")));
  write_file(dir_ / "classes.txt", "traffic light\nplant, traffic\u00A0light\nroad\n");
  EXPECT_THAT(error_of().what(), HasSubstr("the same to CLIP"));
}

TEST_F(DatasetTest, LargerPhotosThanTheLimitAreRefused) {
  EXPECT_THROW(Dataset({.folder = dir_.path().string(), .max_pixels = 5}, "train").read(0), Error);
  Dataset({.folder = dir_.path().string(), .max_pixels = 6}, "train").read(0);
}

TEST_F(DatasetTest, SuggestsTheClassThatAnUnseenNameMeant) {
  write_file(dir_ / "unseen.txt", "pottedplant\n");
  const Error error = error_of();
  EXPECT_THAT(error.what(), AllOf(HasSubstr("unseen.txt"), HasSubstr("\"pottedplant\"")));
  EXPECT_THAT(error.hint(), HasSubstr("\"potted plant\""));
}

TEST_F(DatasetTest, ListsWhatTheFolderLacks) {
  std::filesystem::remove_all(dir_ / "labels");
  std::filesystem::remove(dir_ / "classes.txt");
  EXPECT_THAT(error_of().what(), HasSubstr("lacks labels/, classes.txt"));
  std::filesystem::remove_all(dir_.path());
  EXPECT_THAT(error_of().what(), HasSubstr("no data set folder"));
}

TEST_F(DatasetTest, NamesTheSplitsThereAre) {
  const Error error = error_of("trian");
  EXPECT_THAT(error.what(), HasSubstr("trian.txt"));
  EXPECT_THAT(error.hint(), HasSubstr("splits here: train"));
}

TEST_F(DatasetTest, ListsPhotosAndLabelsWithoutPartner) {
  write_file(dir_ / "train.txt", "a\nb\nc\n../images/a\n");
  std::filesystem::remove(dir_ / "labels/b.png");
  EXPECT_THAT(error_of().what(), AllOf(HasSubstr("train.txt: no photo for c, ../images/a;"),
                                       HasSubstr("no label file for b, c, ../images/a")));
}

TEST_F(DatasetTest, ReadsNamesAsToolsGiveThem) {
  // Endings of cameras, labels with a suffix, folders, names that are listed with their ending.
  std::filesystem::create_directories(dir_ / "images/site");
  std::filesystem::create_directories(dir_ / "labels/site");
  std::filesystem::rename(dir_ / "images/a.png", dir_ / "images/a.PNG");
  std::filesystem::rename(dir_ / "labels/a.png", dir_ / "labels/a_mask.PNG");
  std::filesystem::rename(dir_ / "images/b.png", dir_ / "images/site/b.png");
  std::filesystem::rename(dir_ / "labels/b.png", dir_ / "labels/site/b_label.png");
  write_file(dir_ / "images/._a.PNG", "macOS");
  write_file(dir_ / "train.txt", "a.PNG\nsite/b\n");
  const Dataset dataset({.folder = dir_.path().string()}, "train");
  ASSERT_EQ(dataset.size(), 2u);
  EXPECT_EQ(dataset.image_path(0), dir_ / "images/a.PNG");
  EXPECT_EQ(dataset.label_path(0), dir_ / "labels/a_mask.PNG");
  EXPECT_EQ(dataset.label_path(1), dir_ / "labels/site/b_label.png");
  EXPECT_NO_THROW(dataset.read(1));
}

TEST_F(DatasetTest, SaysWhatIsThereInstead) {
  std::filesystem::rename(dir_ / "images/a.png", dir_ / "images/a.bmp");
  EXPECT_THAT(error_of().what(), HasSubstr("images/a.bmp is there, but photos are JPEG"));
  std::filesystem::rename(dir_ / "images/a.bmp", dir_ / "images/a.png");
  std::filesystem::rename(dir_ / "labels/a.png", dir_ / "labels/a.jpg");
  EXPECT_THAT(error_of().what(), HasSubstr("labels/a.jpg is there, but label files are PNG"));
  std::filesystem::rename(dir_ / "labels/a.jpg", dir_ / "labels/a.png");
  std::filesystem::create_directories(dir_ / "images/site");
  std::filesystem::rename(dir_ / "images/a.png", dir_ / "images/site/a.png");
  EXPECT_THAT(error_of().what(),
              HasSubstr("images/site/a.png is there: the list has to say site/a"));
}

TEST_F(DatasetTest, NamesALabelFileOfAnotherSuffix) {
  std::filesystem::rename(dir_ / "labels/a.png", dir_ / "labels/a_labelIds.png");
  EXPECT_THAT(error_of().what(),
              HasSubstr("labels/a_labelIds.png is there, but its name is another one"));
}

TEST_F(DatasetTest, MissingFilesKeepTheirPlaces) {
  std::filesystem::remove(dir_ / "images/a.png");
  const DatasetOptions options{.folder = dir_.path().string()};
  const Dataset dataset(options, "train", MissingFiles::kKept);
  ASSERT_EQ(dataset.size(), 2U);
  EXPECT_EQ(dataset.name(0), "a");
  EXPECT_THAT(bad_input_text([&] { dataset.read(0); }), HasSubstr("No such file or directory"));
  EXPECT_NO_THROW(dataset.read(1));
  std::filesystem::remove(dir_ / "labels/b.png");
  EXPECT_THAT(bad_input_text([&] { Dataset(options, "train", MissingFiles::kKept); }),
              HasSubstr("no photo for a"));
}

TEST_F(DatasetTest, LabelMesListOfLabelsIsNoListOfValues) {
  write_file(dir_ / "classes.txt", "__ignore__\n_background_\nsky\n");
  EXPECT_THAT(error_of().what(), HasSubstr("classes.txt, line 1: __ignore__ stands for pixels"));
}

TEST_F(DatasetTest, TwoLabelFilesOfOnePhotoAreAmbiguous) {
  std::filesystem::rename(dir_ / "labels/a.png", dir_ / "labels/a_mask.png");
  write_labels("a_label", {3, 2, std::vector<uint16_t>(6)});
  EXPECT_THAT(error_of().what(), AllOf(HasSubstr("a_mask.png"), HasSubstr("a_label.png")));
}

TEST_F(DatasetTest, ShortensLongLists) {
  write_file(dir_ / "train.txt", "1\n2\n3\n4\n5\n6\n7\n");
  EXPECT_THAT(error_of().what(), HasSubstr("no photo for 1, 2, 3, 4, 5 and 2 more"));
}

TEST_F(DatasetTest, TwoPhotosOfOneNameAreAmbiguous) {
  write_file(dir_ / "images/a.jpg", "x");
  EXPECT_THAT(error_of().what(), AllOf(HasSubstr("a.jpg"), HasSubstr("a.png")));
}

TEST_F(DatasetTest, RepeatedNamesAreErrors) {
  write_file(dir_ / "train.txt", "a\nb\na\n");
  EXPECT_THAT(error_of().what(), HasSubstr("train.txt, line 3: repeats \"a\" of line 1"));
}

TEST_F(DatasetTest, LabelsBeyondTheClassesAreErrors) {
  write_labels("b", {3, 2, {0, 1, 2, 0, 7, 9}});
  const Dataset dataset({.folder = dir_.path().string()}, "train");
  try {
    dataset.labels(1);
    FAIL() << "label 7 was accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("labels/b.png"), HasSubstr("x 1, y 1"),
                                    HasSubstr("label 7"), HasSubstr("the last is 2")));
  }
}

TEST_F(DatasetTest, SizesMustAgree) {
  write_labels("a", {2, 3, std::vector<uint16_t>(6)});
  const Dataset dataset({.folder = dir_.path().string()}, "train");
  try {
    dataset.read(0);
    FAIL() << "different sizes were accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("labels/a.png is 2x3"), HasSubstr("is 3x2")));
  }
}

struct RealSet {
  const char* name;
  size_t train, val, classes, unseen;
};

TEST(Dataset, ReadsTheRealSets) {
  TAGCLIP_NEEDS_SHARED(test::shared_data() / "data/msrc21");
  for (const RealSet& set :
       {RealSet{"msrc21", 352, 118, 21, 5}, RealSet{"nyuv2", 400, 100, 37, 0},
        RealSet{"voc2012_animals", 420, 100, 21, 5}, RealSet{"coco_things", 224, 80, 80, 7}}) {
    SCOPED_TRACE(set.name);
    const DatasetOptions options{.folder = (test::shared_data() / "data" / set.name).string()};
    const Dataset train(options, "train");
    const Dataset val(options, "val");
    EXPECT_EQ(train.size(), set.train);
    EXPECT_EQ(val.size(), set.val);
    EXPECT_EQ(train.classes().size(), set.classes);
    EXPECT_EQ(std::ranges::count(train.seen(), false), static_cast<ptrdiff_t>(set.unseen));
    for (size_t i = 0; i < val.size(); ++i) EXPECT_NO_THROW(val.read(i)) << val.name(i);
  }
}

}  // namespace
}  // namespace tagclip

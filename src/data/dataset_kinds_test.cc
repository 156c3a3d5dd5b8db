#include "data/dataset_kinds.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "data/dataset.h"
#include "data/split_files.h"
#include "data/test_dataset.h"
#include "data/test_golden.h"
#include "text/list_file.h"

namespace tagclip {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint16_t kVoid = kIgnoreIndex;

class DatasetKindsTest : public testing::Test {
 protected:
  // A photo and its label file, four pixels wide.
  void add(const std::string& photo, const std::string& labels, std::vector<uint16_t> values) {
    files_.photo(photo, test::make_photo(4, 1, 1));
    files_.labels(labels, 4, 1, std::move(values));
  }

  void make_voc() {
    add("JPEGImages/2007_000001.png", "SegmentationClass/2007_000001.png", {0, 1, 20, kVoid});
    add("JPEGImages/2007_000002.png", "SegmentationClassAug/2007_000002.png", {0, 2, 3, kVoid});
    files_.text("ImageSets/Segmentation/train.txt", "2007_000001\n");
    files_.text("ImageSets/Segmentation/aug.txt", "2007_000002\n");
  }

  void make_context() {
    add("JPEGImages/2007_000001.png", "SegmentationClassContext/2007_000001.png",
        {0, 1, 59, kVoid});
    files_.text("ImageSets/SegmentationContext/val.txt", "2007_000001\n");
  }

  Error error_of(const DatasetOptions& options, const std::string& split = "train") {
    try {
      Dataset dataset(options, split);
    } catch (const Error& error) {
      return error;
    }
    return failure("no error");
  }

  test::DatasetFiles files_;
};

TEST_F(DatasetKindsTest, Voc2012LeavesOutBackground) {
  make_voc();
  const Dataset train(files_.options(), "train");
  EXPECT_EQ(train.classes().size(), 20u);
  EXPECT_EQ(train.classes().front(), "aeroplane");
  EXPECT_EQ(std::ranges::count(train.seen(), false), 5);
  EXPECT_FALSE(train.seen()[19]);
  EXPECT_THAT(train.labels(0).labels, ElementsAre(kIgnoreIndex, 0, 19, kIgnoreIndex));
}

TEST_F(DatasetKindsTest, Voc2012KeepsBackgroundWhenAsked) {
  make_voc();
  DatasetOptions options = files_.options();
  options.zero_label = ZeroLabel::kKeep;
  const Dataset train(options, "train");
  EXPECT_EQ(train.classes().size(), 21u);
  EXPECT_EQ(train.classes().front(), "background");
  EXPECT_TRUE(train.seen()[0]);
  EXPECT_FALSE(train.seen()[20]);
  EXPECT_THAT(train.labels(0).labels, ElementsAre(0, 1, 20, kIgnoreIndex));
}

TEST_F(DatasetKindsTest, TrainaugJoinsTheListsOfTrainAndAug) {
  make_voc();
  const Dataset both(files_.options(), "trainaug");
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both.label_path(0), files_ / "SegmentationClass/2007_000001.png");
  EXPECT_EQ(both.label_path(1), files_ / "SegmentationClassAug/2007_000002.png");
  files_.text("ImageSets/Segmentation/trainaug.txt", "2007_000002\n");
  EXPECT_EQ(Dataset(files_.options(), "trainaug").size(), 1u);
}

TEST_F(DatasetKindsTest, TheSetsOwnListsComeFirst) {
  make_voc();
  files_.text("unseen.txt", "cat\n");
  files_.text("train.txt", "2007_000002\n");
  const Dataset train(files_.options(), "train");
  EXPECT_EQ(train.name(0), "2007_000002");
  EXPECT_EQ(std::ranges::count(train.seen(), false), 1);
  EXPECT_FALSE(train.seen()[7]);
}

TEST_F(DatasetKindsTest, ClassesTxtRenamesBuiltInClasses) {
  make_voc();
  std::string names;
  for (int i = 0; i < 20; ++i) names += "name " + std::to_string(i) + "\n";
  files_.text("classes.txt", names);
  const Dataset train(files_.options(), "train");
  EXPECT_EQ(train.classes()[3], "name 3");
  EXPECT_FALSE(train.seen()[15]);  // still the usual five
  files_.text("classes.txt", "sky\n");
  EXPECT_THAT(error_of(files_.options("voc2012")).what(),
              AllOf(HasSubstr("names 1,"), HasSubstr("20 classes")));
}

TEST_F(DatasetKindsTest, HiddenFilesAreNoPartOfASet) {
  add("images/train2017/000000000001.png", "annotations/train2017/000000000001.png",
      {0, 10, 12, 181});
  files_.text("images/train2017/._000000000001.png", "beside 000000000001.png on a disk of macOS");
  files_.text("._train.txt", "beside train.txt");
  EXPECT_EQ(Dataset(files_.options(), "train").size(), 1U);
  EXPECT_THAT(splits_of(read_dataset_info(files_.options())), ElementsAre("train"));
}

TEST_F(DatasetKindsTest, AFolderThatCannotBeReachedIsNamed) {
  std::filesystem::create_symlink("loop", files_ / "loop");
  DatasetOptions options = files_.options();
  options.folder = files_ / "loop";
  EXPECT_THAT(error_of(options).what(), HasSubstr("loop: Too many levels of symbolic links"));
}

TEST_F(DatasetKindsTest, AnOwnSetInVocsFoldersIsAnOwnSet) {
  add("JPEGImages/cup.png", "SegmentationClass/cup.png", {0, 1, 2, kVoid});
  files_.text("ImageSets/Segmentation/train.txt", "cup\n");
  // Its classes must be known: they are not VOC's.
  EXPECT_THAT(error_of(files_.options()).what(), HasSubstr("needs a class list"));
  files_.text("labelmap.txt", "background:0,0,0::\n");
  EXPECT_THAT(error_of(files_.options()).hint(), HasSubstr("tagclip data convert"));
  files_.text("class_names.txt", "_background_\ncup\nplate\n");
  for (const char* kind : {"auto", "folder"}) {
    const Dataset own(files_.options(kind), "train");
    EXPECT_THAT(own.classes(), ElementsAre("background", "cup", "plate"));
    EXPECT_EQ(std::ranges::count(own.seen(), false), 0);
    EXPECT_THAT(own.labels(0).labels, ElementsAre(0, 1, 2, kIgnoreIndex));
  }
}

TEST_F(DatasetKindsTest, AnotherNumberOfClassesMakesVocsPhotosAnOwnSet) {
  make_voc();
  files_.labels("SegmentationClass/2007_000001.png", 4, 1, {0, 1, 1, kVoid});
  files_.text("classes.txt", "floor\nchair\n");
  const Dataset own(files_.options(), "train");
  EXPECT_THAT(own.classes(), ElementsAre("floor", "chair"));
  EXPECT_THAT(own.labels(0).labels, ElementsAre(0, 1, 1, kIgnoreIndex));
}

TEST_F(DatasetKindsTest, AnOwnSetInCocosFoldersIsAnOwnSet) {
  add("images/train2017/cup.png", "annotations/train2017/cup.png", {0, 1, 1, kVoid});
  files_.text("classes.txt", "table\ncup\n");
  const Dataset own(files_.options(), "train");
  EXPECT_THAT(own.classes(), ElementsAre("table", "cup"));
  EXPECT_THAT(own.labels(0).labels, ElementsAre(0, 1, 1, kIgnoreIndex));
}

TEST_F(DatasetKindsTest, ContextWithAndWithoutBackground) {
  make_context();
  const Dataset without(files_.options(), "val");
  EXPECT_EQ(without.classes().size(), 59u);
  EXPECT_EQ(std::ranges::count(without.seen(), false), 10);
  EXPECT_THAT(without.labels(0).labels, ElementsAre(kIgnoreIndex, 0, 58, kIgnoreIndex));
  const Dataset with(files_.options("context60"), "val");
  EXPECT_EQ(with.classes().size(), 60u);
  EXPECT_THAT(with.labels(0).labels, ElementsAre(0, 1, 59, kIgnoreIndex));
}

TEST_F(DatasetKindsTest, CocoObjectKeepsBackground) {
  add("images/val2017/000000000001.png", "annotations/val2017/000000000001_instanceTrainIds.png",
      {0, 1, 80, kVoid});
  const Dataset val(files_.options("coco-object"), "val");
  EXPECT_EQ(val.classes().size(), 81u);
  EXPECT_EQ(val.classes()[0], "background");
  EXPECT_EQ(val.classes()[80], "toothbrush");
  EXPECT_THAT(val.labels(0).labels, ElementsAre(0, 1, 80, kIgnoreIndex));
}

TEST_F(DatasetKindsTest, Ade20kCallsItsSplitsTrainingAndValidation) {
  add("images/training/ADE_train_00000001.png", "annotations/training/ADE_train_00000001.png",
      {0, 1, 3, 150});
  add("images/validation/ADE_val_00000001.png", "annotations/validation/ADE_val_00000001.png",
      {0, 2, 2, 2});
  const Dataset train(files_.options(), "train");
  EXPECT_EQ(train.classes().size(), 150u);
  EXPECT_EQ(std::ranges::count(train.seen(), false), 0);
  EXPECT_EQ(train.classes()[2], "sky");
  EXPECT_EQ(train.classes()[149], "flag");
  EXPECT_THAT(train.labels(0).labels, ElementsAre(kIgnoreIndex, 0, 2, 149));
  EXPECT_EQ(Dataset(files_.options(), "val").name(0), "ADE_val_00000001");
  EXPECT_THAT(splits_of(read_dataset_info(files_.options())), ElementsAre("train", "val"));
}

TEST_F(DatasetKindsTest, AnOwnSetInAdesFoldersIsAnOwnSet) {
  add("images/training/cup.png", "annotations/training/cup.png", {0, 1, 1, kVoid});
  EXPECT_THAT(error_of(files_.options()).what(), HasSubstr("needs a class list"));
  files_.text("classes.txt", "table\ncup\n");
  const Dataset own(files_.options(), "train");
  EXPECT_THAT(own.classes(), ElementsAre("table", "cup"));
  EXPECT_THAT(own.labels(0).labels, ElementsAre(0, 1, 1, kIgnoreIndex));
}

TEST_F(DatasetKindsTest, CocoStuffReadsPixelMaps) {
  add("images/val2017/000000000001.png", "annotations/val2017/000000000001.png", {0, 10, 12, 181});
  const Dataset val(files_.options(), "val");
  EXPECT_EQ(val.classes().size(), 171u);
  EXPECT_EQ(std::ranges::count(val.seen(), false), 15);
  EXPECT_THAT(val.labels(0).labels, ElementsAre(0, 10, 11, 170));
}

TEST_F(DatasetKindsTest, CocoStuffPrefersTrainIds) {
  add("images/train2017/000000000001.png", "annotations/train2017/000000000001.png",
      {0, 10, 12, 181});
  files_.labels("annotations/train2017/000000000001_labelTrainIds.png", 4, 1, {0, 10, 11, 170});
  const Dataset train(files_.options(), "train");
  ASSERT_EQ(train.size(), 1u);
  EXPECT_EQ(train.label_path(0), files_ / "annotations/train2017/000000000001_labelTrainIds.png");
  EXPECT_THAT(train.labels(0).labels, ElementsAre(0, 10, 11, 170));
}

TEST_F(DatasetKindsTest, UnusedCocoIdsAreErrors) {
  add("images/val2017/000000000001.png", "annotations/val2017/000000000001.png", {0, 11, 0, 0});
  const Dataset val(files_.options(), "val");
  EXPECT_THROW(val.labels(0), Error);
}

TEST_F(DatasetKindsTest, CocoStuffNamesPhotosWithoutLabels) {
  add("images/val2017/000000000001.png", "annotations/val2017/000000000001.png", {0, 0, 0, 0});
  files_.photo("images/val2017/000000000002.png", test::make_photo(4, 1, 2));
  EXPECT_THAT(error_of(files_.options(), "val").what(),
              HasSubstr("no label file for 000000000002"));
}

TEST_F(DatasetKindsTest, CocoStuffHasNoZeroLabel) {
  add("images/val2017/000000000001.png", "annotations/val2017/000000000001.png", {0, 0, 0, 0});
  DatasetOptions options = files_.options();
  options.zero_label = ZeroLabel::kReduce;
  const Error error = error_of(options, "val");
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("0 is \"person\""));
}

TEST_F(DatasetKindsTest, AFolderReducesItsFirstClass) {
  add("images/a.png", "labels/a.png", {0, 1, 2, kVoid});
  files_.text("classes.txt", "background\nsky\nroad\n");
  files_.text("train.txt", "a\n");
  DatasetOptions options = files_.options();
  options.zero_label = ZeroLabel::kReduce;
  const Dataset train(options, "train");
  EXPECT_THAT(train.classes(), ElementsAre("sky", "road"));
  EXPECT_THAT(train.labels(0).labels, ElementsAre(kIgnoreIndex, 0, 1, kIgnoreIndex));
}

TEST_F(DatasetKindsTest, SixteenBitFilesMayCallVoid255) {
  files_.photo("images/a.png", test::make_photo(4, 1, 1));
  // A label beyond 254 makes the file one of 16 bits.
  files_.labels("labels/a.png", 4, 1, {0, 255, 1, kVoid});
  files_.text("classes.txt", "sky\nroad\n");
  files_.text("train.txt", "a\n");
  EXPECT_THAT(Dataset(files_.options(), "train").labels(0).labels,
              ElementsAre(0, kIgnoreIndex, 1, kIgnoreIndex));
}

TEST_F(DatasetKindsTest, TwoFittingKindsMustBeToldApart) {
  make_voc();
  make_context();
  EXPECT_THAT(error_of(files_.options()).what(), HasSubstr("could be voc2012 or context59"));
  EXPECT_EQ(Dataset(files_.options("context59"), "val").classes().size(), 59u);
}

TEST_F(DatasetKindsTest, SaysWhatEachKindLacks) {
  files_.text("readme", "");
  EXPECT_THAT(error_of(files_.options()).what(),
              AllOf(HasSubstr("folder lacks images/, labels/, classes.txt"),
                    HasSubstr("voc2012 lacks JPEGImages/, SegmentationClass/ or "
                              "SegmentationClassAug/, ImageSets/Segmentation/"),
                    HasSubstr("coco-stuff lacks"), HasSubstr("context59 lacks")));
  files_.photo("JPEGImages/2007_000001.png", test::make_photo(4, 1, 1));
  EXPECT_THAT(error_of(files_.options()).what(), testing::Not(HasSubstr("coco-stuff")));
  EXPECT_THAT(error_of(files_.options("voc2012")).what(), HasSubstr("lacks SegmentationClass/"));
}

TEST_F(DatasetKindsTest, FindsTheSetInsideTheFolder) {
  add("VOCdevkit/VOC2012/JPEGImages/2007_000001.png",
      "VOCdevkit/VOC2012/SegmentationClass/2007_000001.png", {0, 0, 0, 0});
  files_.text("VOCdevkit/VOC2012/ImageSets/Segmentation/train.txt", "2007_000001\n");
  EXPECT_THAT(error_of(files_.options()).hint(), HasSubstr("VOCdevkit/VOC2012?"));
}

TEST_F(DatasetKindsTest, SuggestsTheNearestKindAndSplit) {
  make_voc();
  EXPECT_EQ(error_of(files_.options("voc2021")).kind(), ErrorKind::kUsage);
  EXPECT_THAT(error_of(files_.options("voc2021")).hint(), HasSubstr("did you mean voc2012?"));
  EXPECT_THAT(error_of(files_.options(), "test").hint(),
              HasSubstr("splits here: aug, train, trainaug"));
}

TEST(DatasetKinds, BuiltInNamesAreThoseOfTheClassLists) {
  const auto lists = test::shared_data() / "data/class_lists";
  TAGCLIP_NEEDS_SHARED(lists);
  const auto names = [](NameList list) {
    return std::vector<std::string>(list.begin(), list.end());
  };
  EXPECT_EQ(names(voc_classes()), read_names(lists / "voc20.txt"));
  EXPECT_EQ(names(context_classes()), read_names(lists / "context59.txt"));
  EXPECT_EQ(names(coco_stuff_classes()), read_names(lists / "coco_stuff171.txt"));
}

TEST(DatasetKinds, ReadsOriginalVocFiles) {
  const auto folder = test::shared_data() / "data/voc2012_mini";
  TAGCLIP_NEEDS_SHARED(folder);
  const DatasetOptions options{.folder = folder.string()};
  for (const auto& [split, size] :
       {std::pair{"train", 1}, {"val", 2}, {"aug", 1}, {"trainaug", 2}}) {
    const Dataset dataset(options, split);
    EXPECT_EQ(dataset.size(), static_cast<size_t>(size)) << split;
    for (size_t i = 0; i < dataset.size(); ++i) EXPECT_NO_THROW(dataset.read(i)) << dataset.name(i);
  }
}

}  // namespace
}  // namespace tagclip

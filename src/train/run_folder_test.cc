#include "train/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fields_json.h"
#include "runs/run_record.h"
#include "support/test_dir.h"
#include "support/test_errors.h"
#include "train/run_identity.h"

namespace tagclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Checkpoints of a run with the settings `before_`, and what a start with other ones says.
class RunFolderTest : public ::testing::Test {
 protected:
  RunFolderTest() {
    before_.output = dir_.path();
    before_.data.folders = {"data"};
    before_.clip = "clip.pt";
    before_.schedule.iterations = 100;
  }

  void save() {
    const RunIdentity identity{.trained_on = {.classes = {"a"}, .seen = {true}}, .photos = {"p"}};
    Metadata metadata = identity.metadata(ModelConfig());
    metadata["tagclip.train.config"] = to_json(before_.fields());
    write(std::move(metadata));
  }
  // Saves as versions did that bound runs to the places of their files.
  void save_as_before() {
    const ConstFieldList binding = std::as_const(before_).fields().where(
        [](const Field& field) { return !free_settings().contains(field.name); });
    write({{"tagclip.train.config", to_json(binding)}});
  }
  // Returns what a start with these settings notes, or is refused with.
  std::string start(const TrainConfig& now) {
    std::string notes;
    try {
      const World world;
      const RunFolder folder(
          now, world, [](const std::string&) {},
          [&](const std::string& note) { notes += note + "\n"; });
      EXPECT_FALSE(folder.is_new());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      return std::string("refused: ") + error.what() + " | " + error.hint();
    }
    return notes;
  }

  TestDir dir_;
  TrainConfig before_;

 private:
  void write(Metadata metadata) {
    Checkpoints(dir_.path(), 1).save(10, {{"weight", at::ones({1})}}, std::move(metadata));
  }
};

TEST_F(RunFolderTest, TakesOverWhatDoesNotChangeTheLearning) {
  save();
  EXPECT_EQ(start(before_), "");
  TrainConfig now = before_;
  now.data.folders = {"/elsewhere/data/"};
  now.bad_photos = BadImagePolicy::kSkip;
  now.max_pixels = 1000;
  now.validation.weighting = Weighting::kNone;
  now.val_split = "test";
  now.log_every = 1;
  EXPECT_THAT(start(now), AllOf(HasSubstr("settings that were changed: "),
                                HasSubstr(R"(data was "data", is "/elsewhere/data/")"),
                                HasSubstr(R"(val_split was "val", is "test")"),
                                HasSubstr(R"(validation.weighting was "both", is "none")")));
}

TEST_F(RunFolderTest, RefusesWhatDoes) {
  save();
  TrainConfig now = before_;
  now.optimizer.lr = 0.5;
  now.batch = 3;
  EXPECT_THAT(start(now), AllOf(HasSubstr("refused"), HasSubstr("batch was 16, is 3"),
                                HasSubstr("optimizer.lr was 0.0002, is 0.5")));
}

TEST_F(RunFolderTest, TrainsLongerWhereAsked) {
  save();
  TrainConfig now = before_;
  now.schedule.iterations = 200;
  EXPECT_THAT(start(now), AllOf(HasSubstr("schedule.iterations was 100, is 200"),
                                HasSubstr("set extend = true")));
  now.extend = true;
  EXPECT_THAT(start(now), HasSubstr("the run of 100 iterations is extended to 200"));
  now.schedule.iterations = 50;
  EXPECT_THAT(start(now), HasSubstr("schedule.iterations was 100, is 50"));
}

TEST_F(RunFolderTest, KnowsThePreviousFormat) {
  save_as_before();
  EXPECT_EQ(start(before_), "");
  TrainConfig now = before_;
  now.workers = 1;
  now.bad_photos = BadImagePolicy::kSkip;
  EXPECT_EQ(start(now), "settings that were changed: bad_photos was \"fail\", is \"skip\"\n");
  now.data.folders = {"elsewhere"};
  EXPECT_THAT(start(now), AllOf(HasSubstr(R"(data was "data", is "elsewhere")"),
                                HasSubstr("an earlier version wrote it")));
}

}  // namespace
}  // namespace tagclip

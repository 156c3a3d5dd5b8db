#include "train/checkpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "base/fields_json.h"
#include "base/files.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CheckpointsTest : public ::testing::Test {
 protected:
  void save(int64_t iteration) {
    checkpoints_.save(iteration, {{"weight", at::full({100}, static_cast<double>(iteration))}},
                      {{"iteration", std::to_string(iteration)}});
  }
  std::filesystem::path file(int64_t iteration) const {
    return dir_ / "checkpoints" / ("iteration_" + std::to_string(iteration) + ".safetensors");
  }
  // Flips a bit.
  static void damage(const std::filesystem::path& path, int64_t from_end) {
    std::fstream bytes(path, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekg(-from_end, std::ios::end);
    const char byte = static_cast<char>(bytes.get() ^ 1);
    bytes.seekp(-from_end, std::ios::end);
    bytes.put(byte);
  }
  std::string newest() {
    const auto found = checkpoints_.newest([&](const std::string& w) { warnings_.push_back(w); });
    return found ? found->metadata.at("iteration") : "none";
  }

  TestDir dir_;
  Checkpoints checkpoints_{dir_.path(), 2};
  std::vector<std::string> warnings_;
};

TEST_F(CheckpointsTest, ANewRunHasNone) { EXPECT_EQ(newest(), "none"); }

TEST_F(CheckpointsTest, KeepsTheLastFew) {
  for (int64_t iteration : {8, 9, 10}) save(iteration);  // 10 is after 9, not before 8
  EXPECT_FALSE(std::filesystem::exists(file(8)));
  EXPECT_TRUE(std::filesystem::exists(file(9)));
  const Checkpoint found = checkpoints_.newest([](const std::string&) {}).value();
  EXPECT_EQ(found.metadata.at("iteration"), "10");
  EXPECT_TRUE(found.state.tensors.at("weight").eq(10).all().item<bool>());
}

TEST_F(CheckpointsTest, PassesOverDamagedOnes) {
  save(1);
  save(2);
  damage(file(2), 3);  // within the values: the format itself cannot tell
  EXPECT_EQ(newest(), "1");
  EXPECT_THAT(warnings_,
              ElementsAre(HasSubstr("iteration_2.safetensors: its content does not match")));
  std::filesystem::resize_file(file(2), 100);
  EXPECT_EQ(newest(), "1");
}

TEST_F(CheckpointsTest, MetadataIsUnderTheChecksumToo) {
  save(1);
  save(2);
  std::ifstream in(file(2), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const std::string entry = R"("iteration":"2")";
  bytes.replace(bytes.find(entry), entry.size(), R"("iteration":"7")");
  write_file(file(2), bytes);
  EXPECT_EQ(newest(), "1");
}

TEST_F(CheckpointsTest, TidiesUp) {
  save(1);
  save(2);
  damage(file(2), 3);
  write_file(dir_ / "checkpoints" / "iteration_3.safetensors.tmp-12-0", "half");
  write_file(dir_ / "checkpoints" / "notes.txt", "the user's");
  checkpoints_.tidy(checkpoints_.newest([](const std::string&) {}).value());
  EXPECT_FALSE(std::filesystem::exists(file(2)));
  EXPECT_TRUE(std::filesystem::exists(file(2).string() + ".damaged"));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "checkpoints" / "iteration_3.safetensors.tmp-12-0"));
  EXPECT_TRUE(std::filesystem::exists(dir_ / "checkpoints" / "notes.txt"));
}

TEST_F(CheckpointsTest, NoneOfUseIsAnError) {
  save(1);
  damage(file(1), 3);
  EXPECT_THROW(newest(), Error);
}

constexpr const char* kSettings = "run.settings";

struct Settings {
  int64_t batch = 2;
  double rate = 0.1;
  std::string output = "here";

  ConstFieldList fields() const {
    ConstFieldList list;
    list.add("batch", batch, {}, "photos a step");
    list.add("rate", rate, {}, "learning rate");
    list.add("output", output, "folder");
    return list;
  }
};

// A model of one parameter and its optimizer.
struct SmallRun {
  ParameterList parameters;
  at::Tensor weight =
      ParameterScope(parameters).add("weight", {2}, [](at::Tensor& t, at::Generator&) {
        t.fill_(1);
      });
  AdamW optimizer = make_optimizer();

  AdamW make_optimizer() {
    at::Generator generator = at::detail::createCPUGenerator(1);
    parameters.initialise(generator);
    parameters.set_trained([](const std::string&) { return true; });
    return AdamW(parameters.trained(), {});
  }
  void step() {
    weight.mutable_grad() = at::full({2}, 0.5);
    optimizer.step(0.1);
  }
  void save_to(const std::filesystem::path& folder) {
    const Settings settings;
    Checkpoints(folder, 1).save(7, run_state(parameters.all(), optimizer),
                                {{kSettings, to_json(settings.fields())}, {"step", "7"}});
  }
};

Checkpoint newest(const std::filesystem::path& folder) {
  return Checkpoints(folder, 1).newest([](const std::string&) {}).value();
}

std::string changes(const Checkpoint& checkpoint, const Settings& settings) {
  const Settings defaults;
  return describe(changed_settings(checkpoint, kSettings, settings.fields(), defaults.fields()));
}

TEST(RunState, RestoresWhatTheNextStepNeeds) {
  TestDir dir;
  SmallRun first, second;
  first.step();
  first.save_to(dir.path());
  const Checkpoint checkpoint = newest(dir.path());
  restore(checkpoint, second.parameters.all(), second.optimizer);
  EXPECT_EQ(stored_count(checkpoint, "step"), 7);
  first.step();
  second.step();
  EXPECT_TRUE(at::equal(first.weight, second.weight));
  EXPECT_LT(first.weight[0].item<double>(), 0.9);
}

TEST(RunState, NamesTheSettingsThatDiffer) {
  TestDir dir;
  SmallRun run;
  run.save_to(dir.path());
  const Checkpoint checkpoint = newest(dir.path());
  EXPECT_EQ(changes(checkpoint, {}), "");
  EXPECT_EQ(changes(checkpoint, {.batch = 4, .output = "there"}),
            R"(batch was 2, is 4; output was "here", is "there")");
  const Checkpoint nothing{.path = "file"};
  EXPECT_THROW(changes(nothing, {}), Error);
}

// A checkpoint of before a setting was invented means its default.
TEST(RunState, ASettingThatIsNotThereHadItsDefault) {
  const Checkpoint old{.path = "old", .metadata = {{kSettings, R"({"batch":2,"output":"here"})"}}};
  EXPECT_EQ(changes(old, {}), "");
  EXPECT_EQ(changes(old, {.rate = 0.5}), "rate was 0.1, is 0.5");
}

TEST(RunState, NumbersKeepEveryDigit) {
  const double third = 1.0 / 3;
  const Checkpoint checkpoint{
      .path = "file", .metadata = {{"best", exact(third)}, {"none", exact(-1)}, {"step", "7x"}}};
  EXPECT_EQ(stored_number(checkpoint, "best"), third);
  EXPECT_EQ(stored_number(checkpoint, "none"), -1);
  EXPECT_THROW(stored_count(checkpoint, "step"), Error);
  EXPECT_THROW(stored_count(checkpoint, "missing"), Error);
}

}  // namespace
}  // namespace tagclip

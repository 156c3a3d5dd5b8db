#include "train/run_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "base/fields_json.h"
#include "base/files.h"
#include "support/test_dir.h"
#include "train/run_log.h"
#include "train/trainer.h"

namespace tagclip {
namespace {

using ::testing::HasSubstr;

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

StoredSettings stored(const Settings& settings, const Settings& defaults,
                      const std::set<std::string>& free) {
  return {kSettings, binding(settings.fields(), free), binding(defaults.fields(), free)};
}

std::string refusal(const Checkpoint& checkpoint, const StoredSettings& settings) {
  try {
    check_settings(checkpoint, settings);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
  return "accepted";
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
  Settings settings{.batch = 4, .rate = 0.2}, defaults;
  const std::string words = refusal(checkpoint, stored(settings, defaults, {"rate"}));
  EXPECT_THAT(words, HasSubstr("batch was 2, is 4"));
  EXPECT_THAT(words, Not(HasSubstr("rate")));
  Settings elsewhere{.output = "elsewhere"};
  EXPECT_EQ(refusal(checkpoint, stored(elsewhere, defaults, {"output"})), "accepted");
}

// A checkpoint of before a setting was invented means its default.
TEST(RunState, ASettingThatIsNotThereHadItsDefault) {
  const Checkpoint old{.path = "old", .metadata = {{kSettings, R"({"batch":2,"output":"here"})"}}};
  Settings same, other{.rate = 0.5}, defaults;
  EXPECT_EQ(refusal(old, stored(same, defaults, {})), "accepted");
  EXPECT_THAT(refusal(old, stored(other, defaults, {})), HasSubstr("rate was 0.1, is 0.5"));
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

// The validation of iteration 2 was not saved either.
TEST(RunLog, DropsWhatAKilledRunWroteAfterItsLastSave) {
  TestDir dir;
  write_file(dir / "log.jsonl",
             "{\"iteration\":1}\n{\"iteration\":2,\"loss\":1}\n{\"iteration\":2}\n"
             "{\"iteration\":3,\"loss\":1}\nno json\n{\"iteration\":4");
  RunLog log(dir.path(), 2, 1);
  log.add(TrainReport{.iteration = 3});
  std::ifstream file(dir / "log.jsonl");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(text, ::testing::StartsWith(
                        "{\"iteration\":1}\n{\"iteration\":2,\"loss\":1}\n{\"iteration\":3,"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 3);
}

}  // namespace
}  // namespace tagclip

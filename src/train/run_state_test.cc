#include "train/run_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/test_dir.h"
#include "clip/clip_file.h"
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

  FieldList fields() {
    FieldList list;
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
  void save_to(const std::filesystem::path& path) {
    std::map<std::string, at::Tensor> tensors = optimizer.state();
    tensors["weight"] = weight;
    Settings settings;
    save(path, tensors, {{kSettings, to_json(settings.fields())}, {"step", "7"}});
  }
};

TEST(RunState, RestoresWhatTheNextStepNeeds) {
  TestDir dir;
  SmallRun first, second;
  first.step();
  first.save_to(dir / "last");
  Settings settings{.output = "elsewhere"};
  const Metadata metadata = restore(dir / "last", kSettings, settings.fields(), {"output"},
                                    second.parameters, second.optimizer);
  EXPECT_EQ(stored_count(metadata, "step", dir / "last"), 7);
  first.step();
  second.step();
  EXPECT_TRUE(at::equal(first.weight, second.weight));
  EXPECT_LT(first.weight[0].item<double>(), 0.9);
}

TEST(RunState, NamesTheSettingsThatDiffer) {
  TestDir dir;
  SmallRun run;
  run.save_to(dir / "last");
  Settings settings{.batch = 4, .rate = 0.2};
  try {
    restore(dir / "last", kSettings, settings.fields(), {"rate"}, run.parameters, run.optimizer);
    FAIL() << "other settings were accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    EXPECT_THAT(error.what(), HasSubstr("batch was 2, is 4"));
    EXPECT_THAT(error.what(), Not(HasSubstr("rate")));
  }
}

TEST(RunState, NumbersKeepEveryDigit) {
  const double third = 1.0 / 3;
  EXPECT_EQ(stored_number({{"best", exact(third)}}, "best", "file"), third);
  EXPECT_EQ(stored_number({{"best", exact(-1)}}, "best", "file"), -1);
  EXPECT_THROW(stored_count({{"step", "7x"}}, "step", "file"), Error);
  EXPECT_THROW(stored_count({}, "step", "file"), Error);
}

TEST(RunLog, DropsWhatAKilledRunWroteAfterItsLastSave) {
  TestDir dir;
  write_file(dir / "log.jsonl",
             "{\"iteration\":1}\n{\"iteration\":2}\n{\"iteration\":3}\nno json\n{\"iteration\":4");
  RunLog log(dir.path(), 2);
  log.add(TrainReport{.iteration = 3});
  std::ifstream file(dir / "log.jsonl");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(text,
              ::testing::StartsWith("{\"iteration\":1}\n{\"iteration\":2}\n{\"iteration\":3,"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 3);
}

}  // namespace
}  // namespace tagclip

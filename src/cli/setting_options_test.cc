#include "cli/setting_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "cli/command_line.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using testing::HasSubstr;

enum class Mode { kFast, kFine };

struct Settings {
  int64_t short_side = 0;
  std::optional<double> seen_bias;
  bool token = true;
  bool no_cache = false;
  Mode mode = Mode::kFast;
  std::vector<double> scales = {1};

  FieldList fields() {
    FieldList list;
    list.add("short_side", short_side, {0, 100}, "How long");
    list.add("seen_bias", seen_bias, {0, 1}, "auto", "How much");
    list.add("token", token, "Whether");
    list.add("no_cache", no_cache, "Without");
    list.add("mode", mode, {{"fast", Mode::kFast}, {"fine", Mode::kFine}}, "How");
    list.add("scales", scales, {0.5, 2}, "How far");
    return list;
  }
};

class SettingOptions : public testing::Test {
 protected:
  SettingOptions() { add_fields(options_, settings_.fields()); }
  void parse(std::vector<std::string> words) {
    parse_command_line("tagclip test", options_, help_, std::move(words));
  }

  Settings settings_;
  OptionList options_;
  bool help_ = false;
};

TEST_F(SettingOptions, EverySettingIsAnOption) {
  parse({"--short-side", "64", "--seen-bias", "0.25", "--token", "false", "--no-cache", "--mode",
         "fine"});
  EXPECT_EQ(settings_.short_side, 64);
  EXPECT_EQ(settings_.seen_bias, 0.25);
  EXPECT_FALSE(settings_.token);
  EXPECT_TRUE(settings_.no_cache);
  EXPECT_EQ(settings_.mode, Mode::kFine);
}

TEST_F(SettingOptions, HelpIsThatOfTheList) {
  std::vector<std::string> lines;
  for (const Option& option : options_.all())
    lines.push_back(option.usage() + ": " + option.help());
  EXPECT_THAT(lines, testing::ElementsAre("--short-side N: How long (default 0)",
                                          "--seen-bias X: How much (default auto)",
                                          "--token WORD: Whether (true, false; default true)",
                                          "--no-cache: Without",
                                          "--mode WORD: How (fast, fine; default fast)",
                                          "--scales X,...: How far (default 1)"));
}

TEST_F(SettingOptions, RefusalsNameTheOption) {
  const auto refusal = [&](const std::string& option, const std::string& value) {
    return error_of(ErrorKind::kUsage, [&] { parse({option, value}); });
  };
  EXPECT_THAT(refusal("--short-side", "1e3"), HasSubstr("--short-side: expected a whole number"));
  EXPECT_THAT(refusal("--seen-bias", "2"), HasSubstr("--seen-bias: expected auto or a number"));
  EXPECT_THAT(refusal("--mode", "slow"), HasSubstr("--mode: expected one of fast, fine"));
}

TEST_F(SettingOptions, MessagesNameOptionsForSettings) {
  const auto wording = option_wording(options_);
  EXPECT_EQ(wording("set `short_side` to 0"), "set --short-side to 0");
  EXPECT_EQ(wording("`mode` fine, `short_side`"), "--mode fine, --short-side");
  EXPECT_EQ(wording("the file `mood` and `mode`"), "the file `mood` and --mode");
  EXPECT_EQ(wording("`` ` `mode"), "`` ` `mode");
}

}  // namespace
}  // namespace tagclip

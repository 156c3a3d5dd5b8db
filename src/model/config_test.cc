#include "model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "model/test_model.h"

namespace tagclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Returns what and hint of the error that check() throws for the changed small model, if it does.
template <class Change>
std::string complaint(Change change) {
  ModelConfig config = small_config();
  change(config);
  try {
    config.check();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return std::string(error.what()) + "; " + error.hint();
  }
  return "";
}

TEST(ModelConfig, SaysWhatDoesNotFit) {
  EXPECT_EQ(complaint([](ModelConfig&) {}), "");
  EXPECT_THAT(complaint([](ModelConfig& c) { c.self_attention = "a_x_n"; }), HasSubstr("a_x_n"));
  EXPECT_THAT(complaint([](ModelConfig& c) { c.decoder_heads = 5; }), HasSubstr("decoder_heads"));
  EXPECT_THAT(complaint([](ModelConfig& c) { c.clip.vision_heads = 5; }),
              HasSubstr("vision_heads"));
  EXPECT_THAT(complaint([](ModelConfig& c) { c.clip.patch = 5; }), HasSubstr("patch"));
  EXPECT_THAT(complaint([](ModelConfig& c) { c.prompts = -1; }), HasSubstr("prompts"));
}

TEST(ModelConfig, PromptDepthIsWithinTheTowerAndNeedsPrompts) {
  EXPECT_EQ(complaint([](ModelConfig& c) { c.prompt_depth = 2; }), "");
  EXPECT_THAT(complaint([](ModelConfig& c) { c.prompt_depth = 3; }),
              HasSubstr("prompt_depth is 3, but the vision tower has 2 layers"));
  EXPECT_THAT(complaint([](ModelConfig& c) {
                c.prompts = 0;
                c.prompt_depth = 1;
              }),
              HasSubstr("prompt_depth is 1, but prompts is 0"));
}

TEST(ModelConfig, ALearnerOfItsOwnFitsPatternAndInputs) {
  const auto with_query = [](LearnerInput query, const char* pattern, bool text_after) {
    return complaint([=](ModelConfig& c) {
      c.learner_query = query;
      c.self_attention = pattern;
      c.learner_text_after = text_after;
    });
  };
  EXPECT_EQ(with_query(LearnerInput::kText, "n_n_n", false), "");
  EXPECT_EQ(with_query(LearnerInput::kText, "n_a_a", true), "");
  EXPECT_THAT(with_query(LearnerInput::kText, "a_n_n", false),
              AllOf(HasSubstr("a_n_n"), HasSubstr("begin it with n")));
  EXPECT_EQ(with_query(LearnerInput::kImage, "n_n_n", true), "");
  EXPECT_THAT(with_query(LearnerInput::kImage, "n_n_n", false),
              AllOf(HasSubstr("learner_query = image"), HasSubstr("learner_text_after = true")));
  EXPECT_THAT(with_query(LearnerInput::kTHat, "a_n_n", true), HasSubstr("learner_text_after"));
}

TEST(ModelConfig, LearnerInputsAreWords) {
  ModelConfig config = small_config();
  FieldList fields = config.fields();
  fields.set_from_text("learner_query=product");
  fields.set_from_text("learner_key=text");
  fields.set_from_text("learner_value=concat");
  EXPECT_EQ(config.learner_query, LearnerInput::kProduct);
  EXPECT_EQ(config.learner_key, LearnerInput::kText);
  EXPECT_EQ(config.learner_value, LearnerInput::kConcat);
  EXPECT_THROW(fields.set_from_text("learner_key=qms"), Error);
}

TEST(ModelConfig, ArchitecturesAreWholes) {
  ModelConfig config = small_config();
  EXPECT_THROW(apply_architecture("segclip", config), Error);
  config.self_attention = "n_n_n";
  config.learner_key = LearnerInput::kImage;
  config.learner_text_after = true;
  apply_architecture("tagclip", config);
  EXPECT_EQ(config.self_attention, "a_n_n");
  EXPECT_FALSE(config.has_own_learner());
  config.check();
}

}  // namespace
}  // namespace tagclip

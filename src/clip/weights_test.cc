#include "clip/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "clip/clip_file.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Weights, EveryElementTypeSurvivesTheFile) {
  const TestDir dir;
  std::map<std::string, at::Tensor> tensors;
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong,
                                    at::kInt, at::kShort, at::kChar, at::kByte, at::kBool}) {
    tensors[at::toString(type)] = at::arange(6).view({2, 3}).remainder(2).to(type);
  }
  tensors["scalar"] = at::tensor(2.5).squeeze();
  tensors["transposed"] = at::arange(6).view({2, 3}).t();
  save(dir / "a.safetensors", tensors, {{"key", "value"}});

  const SafetensorsFile file = SafetensorsFile::open(dir / "a.safetensors");
  const StateDict state = StateDict::from(file);
  EXPECT_EQ(file.metadata().at("key"), "value");
  ASSERT_EQ(state.tensors.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(state.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(state.at(name).equal(tensor)) << name;
  }
}

class StrictLoading : public ::testing::Test {
 protected:
  StrictLoading() {
    ParameterScope(list).add("a", {2}, constant(0));
    ParameterScope(list).add("b", {2, 2}, constant(0));
  }
  std::string refusal(std::map<std::string, at::Tensor> tensors) {
    return bad_input_text([&] { load(list, {"w.safetensors", std::move(tensors)}); });
  }
  ParameterList list;
};

TEST_F(StrictLoading, ConvertsToTheParametersType) {
  load(list, {"w.safetensors",
              {{"a", at::tensor({1, 2}).to(at::kHalf)}, {"b", at::eye(2, at::kDouble)}}});
  EXPECT_TRUE(list.find("a")->equal(at::tensor({1.0f, 2.0f})));
  EXPECT_TRUE(list.find("b")->equal(at::eye(2)));
}

TEST_F(StrictLoading, ListsAllThatDoesNotFit) {
  EXPECT_THAT(refusal({{"b", at::zeros({2, 3})}, {"c", at::zeros({1})}, {"d\x1b", at::zeros({1})}}),
              AllOf(HasSubstr("w.safetensors"), HasSubstr("1 missing:\n    a"),
                    HasSubstr("b: [2, 3] in the file, [2, 2] expected"), HasSubstr("2 unexpected"),
                    HasSubstr("\"c\""), Not(HasSubstr("\x1b"))));
}

TEST_F(StrictLoading, ARefusedFileChangesNothing) {
  load(list, {"w.safetensors", {{"a", at::ones({2})}, {"b", at::ones({2, 2})}}});
  refusal({{"a", at::zeros({2})}});
  EXPECT_TRUE(list.find("a")->equal(at::ones({2})));
}

TEST(StateDict, LooksUpAndCounts) {
  const StateDict state{
      "w.safetensors",
      {{"x.0.a", at::zeros({1, 2})}, {"x.1.a", at::zeros({})}, {"x.3.a", at::zeros({})}}};
  EXPECT_TRUE(state.contains_prefix("x.3."));
  EXPECT_FALSE(state.contains_prefix("x.2."));
  EXPECT_EQ(count_numbered(shapes_of(state), "x."), 2);
  EXPECT_EQ(state.at("x.0.a", 2).size(1), 2);
  EXPECT_THAT(bad_input_text([&] { state.at("y"); }),
              AllOf(HasSubstr("w.safetensors"), HasSubstr("y")));
  EXPECT_THAT(bad_input_text([&] { state.at("x.0.a", 4); }),
              HasSubstr("expected 4 dimensions, found [1, 2]"));
}

}  // namespace
}  // namespace tagclip

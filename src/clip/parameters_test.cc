#include "clip/parameters.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace tagclip {
namespace {

at::Generator seeded(uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

TEST(Parameters, NamesFollowTheScopes) {
  ParameterList list;
  const ParameterScope root(list), attention = root / "blocks" / "0" / "attn";
  root.add("scale", {}, constant(1));
  attention.add("weight", {2, 3}, constant(0));
  ASSERT_EQ(list.all().size(), 2u);
  EXPECT_EQ(list.all()[0].name, "scale");
  EXPECT_EQ(list.all()[1].name, "blocks.0.attn.weight");
  EXPECT_EQ(list.count(), 7);
  EXPECT_EQ(list.find("blocks.0.attn.bias"), nullptr);
  EXPECT_THROW(root.add("scale", {}, constant(1)), InternalError);
}

TEST(Parameters, DeclaringTakesNoMemory) {
  ParameterList list;
  const at::Tensor huge = ParameterScope(list).add("huge", {1 << 20, 1 << 20, 8}, constant(0));
  EXPECT_EQ(huge.numel(), int64_t{1} << 43);
  EXPECT_LE(huge.storage().nbytes(), 64u);
}

TEST(Parameters, ModulesSeeWhatIsDoneToTheList) {
  ParameterList list;
  const at::Tensor held = ParameterScope(list).add("w", {4}, constant(3));
  at::Generator generator = seeded(1);
  list.initialise(generator);
  EXPECT_TRUE(held.equal(at::full({4}, 3.0f)));
  EXPECT_TRUE(held.is_contiguous());

  list.set_trained([](const std::string& name) { return name == "w"; });
  EXPECT_TRUE(held.requires_grad());
  list.to(at::kCPU);
  EXPECT_TRUE(held.requires_grad());
  ASSERT_EQ(list.trained().size(), 1u);
  list.set_trained([](const std::string&) { return false; });
  EXPECT_TRUE(list.trained().empty());
}

TEST(Parameters, AllocatingKeepsValues) {
  ParameterList list;
  const at::Tensor held = ParameterScope(list).add("w", {4}, constant(3));
  at::Generator generator = seeded(1);
  list.initialise(generator);
  list.allocate();
  EXPECT_TRUE(held.equal(at::full({4}, 3.0f)));
}

TEST(Parameters, MayStartAsACopy) {
  ParameterList list;
  const ParameterScope first(list, "layers.1"), second(list, "layers.10");
  const at::Tensor one = first.add("w", {4}, normal(1)), other = second.add("w", {4}, normal(1));
  second.start_as_copy_of(first);
  at::Generator generator = seeded(1);
  list.initialise(generator);
  EXPECT_TRUE(other.equal(one));
  EXPECT_FALSE(other.is_alias_of(one));
  EXPECT_GT(one.std().item<float>(), 0);
}

TEST(Initialisers, StayInTheirBounds) {
  at::Generator generator = seeded(2);
  at::Tensor x = at::empty({20000});
  uniform(-0.3, 0.2)(x, generator);
  EXPECT_GE(x.min().item<float>(), -0.3f);
  EXPECT_LE(x.max().item<float>(), 0.2f);
  EXPECT_NEAR(x.mean().item<float>(), -0.05, 0.01);

  normal(0.5)(x, generator);
  EXPECT_NEAR(x.mean().item<float>(), 0, 0.02);
  EXPECT_NEAR(x.std().item<float>(), 0.5, 0.02);

  fan_in_uniform(16)(x, generator);
  EXPECT_NEAR(x.abs().max().item<float>(), 0.25, 1e-4);
  EXPECT_NEAR(x.std().item<float>(), 0.25 / std::sqrt(3.0), 0.002);

  at::Tensor matrix = at::empty({400, 200});
  xavier_uniform()(matrix, generator);
  EXPECT_NEAR(matrix.abs().max().item<float>(), 0.1, 1e-4);
  EXPECT_NEAR(matrix.std().item<float>(), 0.1 / std::sqrt(3.0), 0.001);
}

}  // namespace
}  // namespace tagclip

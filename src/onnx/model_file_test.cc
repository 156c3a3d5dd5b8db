#include "onnx/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "onnx/operators.h"
#include "support/test_dir.h"

namespace tagclip::onnx {
namespace {

using testing::HasSubstr;
using testing::Not;

Tensor numbers(int64_t count, float first) {
  auto values = std::make_shared<std::vector<float>>(count);
  for (int64_t i = 0; i < count; ++i) (*values)[i] = first + static_cast<float>(i);
  return {ElementType::kFloat, {count}, std::as_bytes(std::span(*values)), values};
}

std::string text_of(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size()};
}

class ModelFileTest : public testing::Test {
 protected:
  ModelFileTest() {
    const Value x = graph_.input("x", ElementType::kFloat, {"n", int64_t{300}});
    const Value large = graph_.initializer("large", large_);
    const Value other = graph_.initializer("other", other_);
    graph_.output(x + large + other + 0.5F, "y", ElementType::kFloat, {"n", int64_t{300}});
  }

  std::string written(const std::string& name) { return read_text(folder_ / name); }

  TestDir folder_;
  Tensor large_ = numbers(300, 1), other_ = numbers(300, 1000);
  Graph graph_{"test"};
};

TEST_F(ModelFileTest, HoldsItsTensors) {
  const ModelFile file(graph_, {{"key", "value"}}, folder_ / "model.onnx");
  EXPECT_EQ(file.paths(), std::vector{folder_ / "model.onnx"});
  file.write();
  const std::string model = written("model.onnx");
  EXPECT_THAT(model, HasSubstr(text_of(large_)));
  EXPECT_THAT(model, HasSubstr(text_of(other_)));
  EXPECT_FALSE(path_exists(folder_ / "model.onnx.data"));
}

// Readers of protocol buffers take 2 GB at most.
TEST_F(ModelFileTest, HasLargeTensorsBesideItWhereTheyDoNotFit) {
  const ModelFile file(graph_, {}, folder_ / "model.onnx", /*max_bytes=*/1000);
  EXPECT_EQ(file.paths(), (std::vector{folder_ / "model.onnx", folder_ / "model.onnx.data"}));
  file.write();
  const std::string model = written("model.onnx"), data = written("model.onnx.data");
  ASSERT_EQ(data.size(), 4096 + 1200);
  EXPECT_TRUE(data.starts_with(text_of(large_)));
  EXPECT_TRUE(data.substr(4096) == text_of(other_));
  EXPECT_THAT(model, Not(HasSubstr(text_of(large_))));
  EXPECT_THAT(model, HasSubstr("model.onnx.data"));
  EXPECT_THAT(model, HasSubstr("4096"));
  EXPECT_LT(model.size(), 1000);
}

TEST_F(ModelFileTest, HoldsAConstantOnce) {
  const size_t before = graph_.initializers().size();
  graph_.constant(0.5F);
  EXPECT_EQ(graph_.initializers().size(), before);
  graph_.constant(0.25F);
  EXPECT_EQ(graph_.initializers().size(), before + 1);
}

}  // namespace
}  // namespace tagclip::onnx

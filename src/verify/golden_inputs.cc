#include "verify/golden_inputs.h"

#include <c10/util/StringUtil.h>

#include "base/error.h"
#include "verify/golden_clip.h"

namespace tagclip {
namespace {

constexpr int64_t kIgnored = 255;

void require(bool holds, const StateDict& file, const std::string& name,
             const std::string& expected) {
  if (holds) return;
  throw bad_input(c10::str(file.source, ": ", name, ": expected ", expected, ", found ",
                           file.at(name).scalar_type(), " ", file.at(name).sizes()));
}

at::Tensor read_text(const StateDict& file, const ClipConfig& clip) {
  const at::Tensor text = file.at("in.text", 2).to(at::kFloat);
  require(text.size(0) > 0 && text.size(1) == clip.embedding, file, "in.text",
          c10::str("[classes, ", clip.embedding, "]"));
  return text;
}

std::vector<int64_t> read_seen(const StateDict& file, int64_t classes) {
  const at::Tensor index = file.at("in.seen_idx", 1).to(at::kLong);
  const std::vector<int64_t> seen(index.const_data_ptr<int64_t>(),
                                  index.const_data_ptr<int64_t>() + index.numel());
  const bool fits = !seen.empty() && index.ge(0).logical_and(index.lt(classes)).all().item<bool>();
  require(fits, file, "in.seen_idx", c10::str("indices of the ", classes, " rows of in.text"));
  return seen;
}

// Undefined where there is none. Values are below `classes`, or ignored.
at::Tensor read_label(const StateDict& file, const std::string& name, int64_t batch,
                      int64_t classes) {
  if (!file.contains(name)) return {};
  at::Tensor label = file.at(name).to(at::kLong);
  if (label.dim() == 4 && label.size(1) == 1) label = label.squeeze(1);
  require(label.dim() == 3 && label.size(0) == batch && label.numel() > 0, file, name,
          c10::str("[", batch, ", 1, h, w]"));
  const at::Tensor is_class = label.ge(0).logical_and(label.lt(classes));
  require(is_class.logical_or(label.eq(kIgnored)).all().item<bool>(), file, name,
          c10::str("labels from 0 to ", classes - 1, " or ", kIgnored));
  return label;
}

}  // namespace

at::Tensor GoldenInputs::seen_text() const {
  return text.index_select(0, at::tensor(seen, at::kLong));
}

GoldenInputs read_golden_inputs(const StateDict& expected, const ModelConfig& config) {
  GoldenInputs inputs;
  inputs.image = read_golden_image(expected, "in.image", config.clip.patch);
  inputs.text = read_text(expected, config.clip);
  const int64_t batch = inputs.image.size(0), classes = inputs.text.size(0);
  inputs.seen = read_seen(expected, classes);
  const auto seen = static_cast<int64_t>(inputs.seen.size());
  inputs.label = read_label(expected, "in.label", batch, classes);
  inputs.label_seen = read_label(expected, "in.label_seen", batch, seen);
  if (inputs.label.defined() && inputs.label_seen.defined()) {
    require(inputs.label.sizes() == inputs.label_seen.sizes(), expected, "in.label_seen",
            "the shape of in.label");
  }
  return inputs;
}

}  // namespace tagclip

#include <c10/util/StringUtil.h>

#include <cmath>

#include "base/error.h"
#include "engine/commands.h"
#include "engine/comparison.h"
#include "engine/golden_values.h"
#include "io/safetensors_fields.h"

namespace tagclip {
namespace {

void check_tolerances(const VerifyOptions& options) {
  for (const double tolerance : {options.tolerance, options.loss_tolerance,
                                 options.gradient_absolute, options.gradient_relative}) {
    if (std::isfinite(tolerance) && tolerance >= 0) continue;
    throw usage_error(c10::str("a tolerance must be a number of at least 0, not ", tolerance));
  }
}

Tolerance tolerance_of(const std::string& name, const VerifyOptions& options) {
  if (name.starts_with("grad.")) return {options.gradient_absolute, options.gradient_relative};
  if (name.starts_with("train.")) return {0, options.loss_tolerance};
  return {options.tolerance, 0};
}

// in.* are inputs, w.* weights that stand in the same file.
bool is_expected_value(const std::string& name) {
  return !name.starts_with("in.") && !name.starts_with("w.");
}

Verification verify(const SafetensorsFile& file, const NamedTensors& values,
                    const VerifyOptions& options) {
  Verification result;
  std::string misshapen;
  for (const TensorView& view : file.tensors()) {
    if (!is_expected_value(view.name)) continue;
    const auto found = values.find(golden_name(view.name));
    if (found == values.end()) {
      result.unknown.push_back(view.name);
    } else if (found->second.sizes() != view.shape) {
      misshapen += c10::str("\n  ", printable(view.name), ": ", at::IntArrayRef(view.shape),
                            " in the file, ", found->second.sizes(), " computed");
    } else {
      result.compared.push_back(
          compare(view.name, found->second, as_tensor(view), tolerance_of(view.name, options)));
    }
  }
  if (!misshapen.empty()) {
    throw bad_input(file.name() + ": tensors of another shape than the model's:" + misshapen);
  }
  if (result.compared.empty()) {
    throw bad_input(file.name() + ": holds no value that these weights can be compared with",
                    "expected are inputs in.* and values such as vision.*, decoder.*, infer.*, "
                    "train.*, grad.*");
  }
  return result;
}

}  // namespace
}  // namespace tagclip

int tagclip_verify(const tagclip::VerifyOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  check_tolerances(options);
  const SafetensorsFile expected = SafetensorsFile::open(options.expected);
  const SafetensorsFile inputs =
      options.inputs.empty() ? expected : SafetensorsFile::open(options.inputs);
  const NamedTensors values =
      golden_values(options.weights, expected, inputs, options.architecture);
  const Verification verification = verify(expected, values, options);
  console.print(options.json ? to_json(verification) : format_table(verification));
  return verification.passed() ? 0 : 1;
}

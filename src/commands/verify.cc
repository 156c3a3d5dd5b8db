#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "commands/commands.h"
#include "verify/comparison.h"
#include "verify/golden_values.h"
#include "weights/safetensors.h"

namespace tagclip {
namespace {

void check_tolerances(const VerifyOptions& options) {
  for (const double tolerance : {options.tolerance, options.loss_tolerance,
                                 options.gradient_absolute, options.gradient_relative}) {
    if (std::isfinite(tolerance) && tolerance >= 0) continue;
    throw usage_error(
        fmt::format("a tolerance must be a number of at least 0, not {:g}", tolerance));
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
      misshapen += fmt::format("\n  {}: {} in the file, {} computed", in_quotes(view.name),
                               shape_text(view.shape), shape_text(found->second.sizes()));
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

bool holds_inputs(const SafetensorsFile& file) {
  return std::ranges::any_of(file.tensors(),
                             [](const TensorView& view) { return view.name.starts_with("in."); });
}

// The inputs of values that come without: the one file beside them that has inputs and was made
// with the same seed and model. Anything less certain is left to --inputs.
std::optional<SafetensorsFile> inputs_beside(const SafetensorsFile& expected,
                                             const std::filesystem::path& path) {
  std::optional<SafetensorsFile> found;
  const auto same = [&](const SafetensorsFile& other, const char* key) {
    const auto own = expected.metadata().find(key), theirs = other.metadata().find(key);
    return own != expected.metadata().end() && theirs != other.metadata().end() &&
           own->second == theirs->second;
  };
  const std::filesystem::path folder = absolute_path(path).parent_path();
  for (const FolderEntry& entry : list_folder(folder)) {
    if (!entry.name.ends_with(".safetensors")) continue;
    try {
      const SafetensorsFile other = SafetensorsFile::open(folder / entry.name);
      if (!holds_inputs(other) || !same(other, "seed") || !same(other, "model")) continue;
      if (found) return {};
      found = other;
    } catch (const Error&) {
      continue;  // a neighbour that cannot be read is no candidate
    }
  }
  return found;
}

SafetensorsFile find_inputs(const VerifyOptions& options, const SafetensorsFile& expected,
                            Console& console) {
  if (!options.inputs.empty()) return SafetensorsFile::open(options.inputs);
  if (holds_inputs(expected)) return expected;
  const auto beside = inputs_beside(expected, options.expected);
  if (!beside) return expected;  // what is missing is named when it is asked for
  console.note("the inputs are those of " + beside->name() + " (same seed and model)");
  return *beside;
}

}  // namespace
}  // namespace tagclip

int tagclip_verify(const tagclip::VerifyOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  check_tolerances(options);
  const SafetensorsFile expected = SafetensorsFile::open(options.expected);
  const SafetensorsFile inputs = find_inputs(options, expected, console);
  const NamedTensors values =
      golden_values(options.weights, expected, inputs, options.architecture);
  const Verification verification = verify(expected, values, options);
  console.print(options.json ? to_json(verification) : format_table(verification));
  return verification.passed() ? 0 : 1;
}

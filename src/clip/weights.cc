#include "clip/weights.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

constexpr std::array<std::pair<DType, at::ScalarType>, 10> kTypes{{
    {DType::kF64, at::kDouble},
    {DType::kF32, at::kFloat},
    {DType::kF16, at::kHalf},
    {DType::kBF16, at::kBFloat16},
    {DType::kI64, at::kLong},
    {DType::kI32, at::kInt},
    {DType::kI16, at::kShort},
    {DType::kI8, at::kChar},
    {DType::kU8, at::kByte},
    {DType::kBool, at::kBool},
}};

at::ScalarType scalar_type(DType dtype) {
  return std::ranges::find(kTypes, dtype, &decltype(kTypes)::value_type::first)->second;
}

DType dtype_of(at::ScalarType type) {
  const auto found = std::ranges::find(kTypes, type, &decltype(kTypes)::value_type::second);
  TAGCLIP_CHECK(found != kTypes.end(), "element type that safetensors cannot hold");
  return found->first;
}

std::string list(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "\n    " + line;
  return text;
}

}  // namespace

at::Tensor as_tensor(const TensorView& view) {
  return at::from_blob(const_cast<std::byte*>(view.data.data()), view.shape,
                       at::TensorOptions().dtype(scalar_type(view.dtype)));
}

namespace {

// `owner` keeps the tensors' memory alive.
template <class Owner>
StateDict state_of(std::string source, const std::vector<TensorView>& tensors, const Owner& owner) {
  StateDict state{std::move(source), {}};
  const auto keep = std::make_shared<const Owner>(owner);
  for (const TensorView& view : tensors) {
    state.tensors.emplace(
        view.name, at::from_blob(
                       const_cast<std::byte*>(view.data.data()), view.shape, [keep](void*) {},
                       at::TensorOptions().dtype(scalar_type(view.dtype))));
  }
  return state;
}

}  // namespace

StateDict StateDict::from(const SafetensorsFile& file) {
  return state_of(file.name(), file.tensors(), file);
}

StateDict StateDict::from(const StoredWeights& weights) {
  return state_of(weights.source, weights.tensors, weights.files);
}

bool StateDict::contains_prefix(const std::string& prefix) const {
  const auto found = tensors.lower_bound(prefix);
  return found != tensors.end() && found->first.starts_with(prefix);
}

const at::Tensor& StateDict::at(const std::string& name) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) throw bad_input(source + ": there is no tensor " + name);
  return found->second;
}

const at::Tensor& StateDict::at(const std::string& name, int64_t dimensions) const {
  const at::Tensor& tensor = at(name);
  if (tensor.dim() != dimensions) {
    throw bad_input(fmt::format("{}: {}: expected {} dimensions, found {}", source, name,
                                dimensions, shape_text(tensor.sizes())));
  }
  return tensor;
}

StateDict StateDict::renamed(const std::string& from, const std::string& to) const {
  StateDict result{source, {}};
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(from)) result.tensors.emplace(to + name.substr(from.size()), tensor);
  }
  return result;
}

void check_fit(const ParameterList& parameters, const StateDict& state) {
  std::vector<std::string> missing, misshapen, unexpected;
  for (const Parameter& parameter : parameters.all()) {
    const auto found = state.tensors.find(parameter.name);
    if (found == state.tensors.end()) {
      missing.push_back(parameter.name);
    } else if (found->second.sizes() != parameter.tensor.sizes()) {
      misshapen.push_back(fmt::format("{}: {} in the file, {} expected", parameter.name,
                                      shape_text(found->second.sizes()),
                                      shape_text(parameter.tensor.sizes())));
    }
  }
  for (const auto& [name, tensor] : state.tensors) {
    if (parameters.find(name) == nullptr) unexpected.push_back(in_quotes(name));
  }
  if (!missing.empty() || !misshapen.empty() || !unexpected.empty()) {
    std::string what = state.source + ": the tensors do not fit the model";
    if (!missing.empty()) what += fmt::format("\n  {} missing:{}", missing.size(), list(missing));
    if (!misshapen.empty())
      what += fmt::format("\n  {} of another shape:{}", misshapen.size(), list(misshapen));
    if (!unexpected.empty())
      what += fmt::format("\n  {} unexpected:{}", unexpected.size(), list(unexpected));
    throw bad_input(what);
  }
}

void load(ParameterList& parameters, const StateDict& state) {
  check_fit(parameters, state);
  at::NoGradGuard no_grad;
  parameters.allocate();
  for (const Parameter& parameter : parameters.all()) {
    at::Tensor target = parameter.tensor;
    target.copy_(state.tensors.at(parameter.name));
  }
}

void save(const std::filesystem::path& path, const ParameterList& parameters, StorageType precision,
          const Metadata& metadata) {
  const at::ScalarType type = precision == StorageType::kFloat16    ? at::kHalf
                              : precision == StorageType::kBFloat16 ? at::kBFloat16
                                                                    : at::kFloat;
  std::map<std::string, at::Tensor> tensors;
  for (const Parameter& parameter : parameters.all()) {
    tensors.emplace(parameter.name, parameter.tensor.detach().to(type));
  }
  save(path, tensors, metadata);
}

void save(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors,
          const Metadata& metadata) {
  std::vector<at::Tensor> kept;  // keeps the converted copies alive until they are written
  std::vector<TensorView> views;
  for (const auto& [name, tensor] : tensors) {
    kept.push_back(tensor.detach().to(at::kCPU).contiguous());
    const at::Tensor& flat = kept.back();
    views.push_back({name,
                     dtype_of(flat.scalar_type()),
                     flat.sizes().vec(),
                     {static_cast<const std::byte*>(flat.const_data_ptr()), flat.nbytes()}});
  }
  write_safetensors(path, views, metadata);
}

}  // namespace tagclip

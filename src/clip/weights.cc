#include "clip/weights.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "weights/clip_settings.h"

namespace tagclip {
namespace {

constexpr auto kTypes = std::to_array<std::pair<DType, at::ScalarType>>({
    {DType::kF64, at::kDouble},
    {DType::kF32, at::kFloat},
    {DType::kF16, at::kHalf},
    {DType::kBF16, at::kBFloat16},
    {DType::kI64, at::kLong},
    {DType::kI32, at::kInt},
    {DType::kI16, at::kShort},
    {DType::kI8, at::kChar},
    {DType::kU64, at::kUInt64},
    {DType::kU32, at::kUInt32},
    {DType::kU16, at::kUInt16},
    {DType::kU8, at::kByte},
    {DType::kBool, at::kBool},
    {DType::kF8E4M3, at::kFloat8_e4m3fn},
    {DType::kF8E5M2, at::kFloat8_e5m2},
    {DType::kF8E4M3Fnuz, at::kFloat8_e4m3fnuz},
    {DType::kF8E5M2Fnuz, at::kFloat8_e5m2fnuz},
    {DType::kF8E8M0, at::kFloat8_e8m0fnu},
    {DType::kC64, at::kComplexFloat},
    {DType::kC128, at::kComplexDouble},
});

at::ScalarType scalar_type(DType dtype) {
  return std::ranges::find(kTypes, dtype, &decltype(kTypes)::value_type::first)->second;
}

DType dtype_of(at::ScalarType type) {
  const auto found = std::ranges::find(kTypes, type, &decltype(kTypes)::value_type::second);
  TAGCLIP_CHECK(found != kTypes.end(), "element type that safetensors cannot hold");
  return found->first;
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

namespace {

bool fits(const at::Tensor& found, const at::Tensor& expected) {
  return found.sizes() == expected.sizes() || (found.numel() == 1 && expected.numel() == 1);
}

// The place in the tensor of the element that lies `at` elements into its memory: 5, 3.
std::vector<int64_t> place_of(const at::Tensor& tensor, int64_t at) {
  std::vector<int64_t> dimensions(tensor.dim()), index(tensor.dim(), 0);
  std::iota(dimensions.begin(), dimensions.end(), 0);
  std::ranges::sort(dimensions, std::ranges::greater{},
                    [&](int64_t d) { return tensor.stride(d); });
  for (const int64_t d : dimensions) {
    if (tensor.size(d) == 1) continue;
    index[d] = at / tensor.stride(d);
    at -= index[d] * tensor.stride(d);
  }
  return index;
}

// Looks through the tensors with all threads, and throws for the first by name.
void check_all_numbers(const StateDict& state) {
  std::vector<std::pair<std::string_view, at::Tensor>> tensors(state.tensors.begin(),
                                                               state.tensors.end());
  std::vector<std::exception_ptr> errors(tensors.size());
  const auto check = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      try {
        check_numbers(state.source, std::string(tensors[i].first), tensors[i].second);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    }
  };
  at::parallel_for(0, static_cast<int64_t>(tensors.size()), /*grain_size=*/1, check);
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace

void check_numbers(const std::string& source, const std::string& name, const at::Tensor& tensor,
                   const std::string& hint) {
  const DType dtype = dtype_of(tensor.scalar_type());
  check_weight_type(source, name, dtype);
  const at::Tensor cpu = tensor.detach().to(at::kCPU);
  const at::Tensor dense = cpu.is_non_overlapping_and_dense() ? cpu : cpu.contiguous();
  const auto* data = static_cast<const std::byte*>(dense.const_data_ptr());
  const int64_t at = first_non_finite(dtype, data, dense.numel());
  if (at < 0) return;
  throw not_finite(source, name, non_finite_name(dtype, data + at * dense.element_size()),
                   place_of(dense, at), hint);
}

void check_fit(const ParameterList& parameters, const StateDict& state) {
  std::vector<std::string> missing, misshapen, unexpected;
  for (const Parameter& parameter : parameters.all()) {
    const auto found = state.tensors.find(parameter.name);
    if (found == state.tensors.end()) {
      missing.push_back(parameter.name);
    } else if (!fits(found->second, parameter.tensor)) {
      misshapen.push_back(
          describe_misshapen(parameter.name, found->second.sizes(), parameter.tensor.sizes()));
    }
  }
  for (const auto& [name, tensor] : state.tensors) {
    if (parameters.find(name) == nullptr) unexpected.push_back(in_quotes(name));
  }
  if (const auto error = misfit(state.source, missing, misshapen, unexpected)) throw *error;
  check_all_numbers(state);
}

StateDict fitted(const ParameterList& parameters, StateDict state) {
  check_fit(parameters, state);
  for (const Parameter& parameter : parameters.all()) {
    at::Tensor& tensor = state.tensors.at(parameter.name);
    if (tensor.sizes() != parameter.tensor.sizes()) tensor = tensor.view(parameter.tensor.sizes());
  }
  return state;
}

void load(ParameterList& parameters, const StateDict& state) {
  const StateDict shaped = fitted(parameters, state);
  at::NoGradGuard no_grad;
  parameters.allocate();
  for (const Parameter& parameter : parameters.all()) {
    at::Tensor target = parameter.tensor;
    target.copy_(shaped.tensors.at(parameter.name));
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

#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "clip/parameters.h"
#include "weights/stored_weights.h"

namespace tagclip {

// Returns a tensor over the file's own memory: valid as long as the file, and read-only.
at::Tensor as_tensor(const TensorView& view);

// Named tensors of a file, ready to be copied into a model.
struct StateDict {
  std::string source;  // the file, for messages
  std::map<std::string, at::Tensor> tensors;

  // The tensors lie in the file's mapped memory, which they keep alive, and are read-only.
  static StateDict from(const SafetensorsFile& file);
  static StateDict from(const StoredWeights& weights);
  bool contains(const std::string& name) const { return tensors.contains(name); }
  bool contains_prefix(const std::string& prefix) const;
  // Throws Error(kBadInput) naming the file when there is no such tensor.
  const at::Tensor& at(const std::string& name) const;
  // The same, and when it has another number of dimensions.
  const at::Tensor& at(const std::string& name, int64_t dimensions) const;
  // The tensors whose names begin with `from`, with `to` in its place.
  StateDict renamed(const std::string& from, const std::string& to) const;
};

// Throws Error(kBadInput) listing all tensors that are missing, unexpected or misshapen, if any; a
// tensor of one element fits a parameter of one element whatever the two shapes are. Throws also
// when a tensor is of no type of weights, or holds NaN or an infinity: names it and the first
// place.
void check_fit(const ParameterList& parameters, const StateDict& state);
// Returns the tensors in the parameters' shapes. Throws as check_fit.
StateDict fitted(const ParameterList& parameters, StateDict state);
// Copies every tensor into the parameter of its name, converting to the parameter's type. Throws as
// check_fit.
void load(ParameterList& parameters, const StateDict& state);

// Throws Error(kBadInput) naming the tensor and the first place where it holds NaN or an infinity,
// and when it is of no type of weights. `source` is the file in the message; without `hint` the
// advice is that for weights.
void check_numbers(const std::string& source, const std::string& name, const at::Tensor& tensor,
                   const std::string& hint = {});

enum class StorageType { kFloat32, kFloat16, kBFloat16 };

// Writes parameters as safetensors in the given precision.
void save(const std::filesystem::path& path, const ParameterList& parameters, StorageType precision,
          const Metadata& metadata);
// The same for loose tensors of any type.
void save(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors,
          const Metadata& metadata);

}  // namespace tagclip

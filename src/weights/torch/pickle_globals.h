#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "weights/tensor_view.h"

namespace tagclip {

// The meaning that a class or function of the pickle has here.
enum class PickleCallable {
  kOrderedDict,
  kRebuildTensor,       // storage, offset, shape, strides, more that is dropped
  kRebuildTypedTensor,  // the same, and as argument 6 the element type
  kRebuildOther,        // sparse, nested, ...: a tensor that is no plain one
  kRebuildParameter,    // tensor, more that is dropped
  kRebuildFromType,     // function, class that is dropped, arguments of the function
  kStorageClass,        // only part of a storage's description, never called
  kSize,                // torch.Size
  kDevice,              // torch.device
  kName,                // torch.float32, torch.per_tensor_affine: a value, never called
  kLayout,              // torch.strided and its like, by name
  kType,                // int, torch.Tensor: only an argument, never called
  kSet,                 // set and frozenset, of a list
  kList,                // collections.deque, of a list and its longest length
  kDefaultDict,         // of its values' class, which is dropped
  kCounter,             // of a dict
  kNumbers,             // complex, slice, range: the numbers that make it
  kBytes,               // bytes and bytearray
  kNumpyType,           // numpy.dtype
  kNumpyScalar,
  kEncode,        // how protocol 2 spells bytes
  kScriptTyped,   // TorchScript: a list or dict with its type, which is dropped
  kScriptModule,  // TorchScript: a class of the archive
};

// A name that a pickle may look up.
struct PickleGlobal {
  std::string name;  // "torch._utils._rebuild_tensor_v2"
  PickleCallable callable;
  std::optional<DType> dtype = {};  // of a storage class; of an element type that tensors can have
};

// The allowed name, nullptr for any other. Classes of TorchScript archives are not among them.
const PickleGlobal* find_pickle_global(std::string_view name);

// True if a TorchScript archive may name this class as one of its own.
bool is_script_class(std::string_view name);

}  // namespace tagclip

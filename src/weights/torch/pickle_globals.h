#pragma once

#include <string>
#include <string_view>

#include "weights/tensor_view.h"

namespace tagclip {

// The meaning that a class or function of the pickle has here.
enum class PickleCallable {
  kOrderedDict,
  kRebuildTensor,     // storage, offset, shape, strides, more that is dropped
  kRebuildParameter,  // tensor, more that is dropped
  kStorageClass,      // only part of a storage's description, never called
  kSize,              // torch.Size
  kDevice,            // torch.device
  kElementType,       // torch.float32: a value, never called
  kNumpyType,         // numpy.dtype
  kNumpyScalar,
  kEncode,        // how protocol 2 spells bytes
  kScriptTyped,   // TorchScript: a list or dict with its type, which is dropped
  kScriptModule,  // TorchScript: a class of the archive
};

// A name that a pickle may look up.
struct PickleGlobal {
  std::string name;  // "torch._utils._rebuild_tensor_v2"
  PickleCallable callable;
  DType dtype = DType::kF32;  // of a storage class
};

// The allowed name, nullptr for any other. Classes of TorchScript archives are not among them.
const PickleGlobal* find_pickle_global(std::string_view name);

// True if a TorchScript archive may name this class as one of its own.
bool is_script_class(std::string_view name);

}  // namespace tagclip

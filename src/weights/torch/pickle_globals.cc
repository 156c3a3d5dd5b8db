#include "weights/torch/pickle_globals.h"

#include <algorithm>
#include <vector>

namespace tagclip {
namespace {

const std::vector<PickleGlobal>& allowed_globals() {
  using enum PickleCallable;
  static const std::vector<PickleGlobal> globals{
      {"collections.OrderedDict", kOrderedDict},
      {"torch._utils._rebuild_tensor", kRebuildTensor},
      {"torch._utils._rebuild_tensor_v2", kRebuildTensor},
      {"torch._utils._rebuild_parameter", kRebuildParameter},
      {"torch._utils._rebuild_parameter_with_state", kRebuildParameter},
      {"torch.Size", kSize},
      {"torch.device", kDevice},

      {"torch.DoubleStorage", kStorageClass, DType::kF64},
      {"torch.FloatStorage", kStorageClass, DType::kF32},
      {"torch.HalfStorage", kStorageClass, DType::kF16},
      {"torch.BFloat16Storage", kStorageClass, DType::kBF16},
      {"torch.LongStorage", kStorageClass, DType::kI64},
      {"torch.IntStorage", kStorageClass, DType::kI32},
      {"torch.ShortStorage", kStorageClass, DType::kI16},
      {"torch.CharStorage", kStorageClass, DType::kI8},
      {"torch.ByteStorage", kStorageClass, DType::kU8},
      {"torch.BoolStorage", kStorageClass, DType::kBool},
      {"torch.storage.UntypedStorage", kStorageClass, DType::kU8},

      {"torch.float64", kElementType},
      {"torch.float32", kElementType},
      {"torch.float16", kElementType},
      {"torch.bfloat16", kElementType},
      {"torch.int64", kElementType},
      {"torch.int32", kElementType},
      {"torch.int16", kElementType},
      {"torch.int8", kElementType},
      {"torch.uint8", kElementType},
      {"torch.bool", kElementType},

      {"numpy.dtype", kNumpyType},
      {"numpy.core.multiarray.scalar", kNumpyScalar},
      {"numpy._core.multiarray.scalar", kNumpyScalar},  // since NumPy 2
      {"_codecs.encode", kEncode},

      {"torch.jit._pickle.build_intlist", kScriptTyped},
      {"torch.jit._pickle.build_doublelist", kScriptTyped},
      {"torch.jit._pickle.build_boollist", kScriptTyped},
      {"torch.jit._pickle.build_tensorlist", kScriptTyped},
      {"torch.jit._pickle.restore_type_tag", kScriptTyped},
  };
  return globals;
}

}  // namespace

const PickleGlobal* find_pickle_global(std::string_view name) {
  const auto found = std::ranges::find(allowed_globals(), name, &PickleGlobal::name);
  return found != allowed_globals().end() ? &*found : nullptr;
}

bool is_script_class(std::string_view name) { return name.starts_with("__torch__."); }

}  // namespace tagclip

#include "weights/torch/pickle_globals.h"

#include <algorithm>
#include <vector>

namespace tagclip {
namespace {

const std::vector<PickleGlobal>& allowed_globals() {
  using enum PickleCallable;
  static const std::vector<PickleGlobal> globals{
      {"collections.OrderedDict", kOrderedDict},
      {"collections.defaultdict", kDefaultDict},
      {"collections.Counter", kCounter},
      {"collections.deque", kList},
      {"torch._utils._rebuild_tensor", kRebuildTensor},
      {"torch._utils._rebuild_tensor_v2", kRebuildTensor},
      {"torch._utils._rebuild_tensor_v3", kRebuildTypedTensor},
      {"torch._utils._rebuild_qtensor", kRebuildTensor},
      {"torch._utils._rebuild_sparse_tensor", kRebuildOther},
      {"torch._utils._rebuild_sparse_csr_tensor", kRebuildOther},
      {"torch._utils._rebuild_nested_tensor", kRebuildOther},
      {"torch._utils._rebuild_meta_tensor_no_storage", kRebuildOther},
      {"torch._utils._rebuild_parameter", kRebuildParameter},
      {"torch._utils._rebuild_parameter_with_state", kRebuildParameter},
      {"torch.nn.parameter.Parameter", kRebuildParameter},
      {"torch._tensor._rebuild_from_type_v2", kRebuildFromType},
      {"torch.Tensor", kType},
      {"torch.nn.parameter.Buffer", kType},
      {"torch.Size", kSize},
      {"torch.device", kDevice},
      {"torch.serialization._get_layout", kLayout},

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
      {"torch.ComplexFloatStorage", kStorageClass, DType::kC64},
      {"torch.ComplexDoubleStorage", kStorageClass, DType::kC128},
      {"torch.QUInt8Storage", kStorageClass, DType::kU8},
      {"torch.QInt8Storage", kStorageClass, DType::kI8},
      {"torch.QInt32Storage", kStorageClass, DType::kI32},
      {"torch.storage.UntypedStorage", kStorageClass, DType::kU8},

      {"torch.float64", kName, DType::kF64},
      {"torch.float32", kName, DType::kF32},
      {"torch.float16", kName, DType::kF16},
      {"torch.bfloat16", kName, DType::kBF16},
      {"torch.int64", kName, DType::kI64},
      {"torch.int32", kName, DType::kI32},
      {"torch.int16", kName, DType::kI16},
      {"torch.int8", kName, DType::kI8},
      {"torch.uint64", kName, DType::kU64},
      {"torch.uint32", kName, DType::kU32},
      {"torch.uint16", kName, DType::kU16},
      {"torch.uint8", kName, DType::kU8},
      {"torch.bool", kName, DType::kBool},
      {"torch.float8_e4m3fn", kName, DType::kF8E4M3},
      {"torch.float8_e5m2", kName, DType::kF8E5M2},
      {"torch.float8_e4m3fnuz", kName, DType::kF8E4M3Fnuz},
      {"torch.float8_e5m2fnuz", kName, DType::kF8E5M2Fnuz},
      {"torch.float8_e8m0fnu", kName, DType::kF8E8M0},
      {"torch.complex64", kName, DType::kC64},
      {"torch.complex128", kName, DType::kC128},
      {"torch.complex32", kName},
      {"torch.float4_e2m1fn_x2", kName},
      {"torch.quint8", kName},
      {"torch.qint8", kName},
      {"torch.qint32", kName},
      {"torch.quint4x2", kName},
      {"torch.quint2x4", kName},
      {"torch.bits1x8", kName},
      {"torch.bits2x4", kName},
      {"torch.bits4x2", kName},
      {"torch.bits8", kName},
      {"torch.bits16", kName},
      {"torch.int1", kName},
      {"torch.int2", kName},
      {"torch.int3", kName},
      {"torch.int4", kName},
      {"torch.int5", kName},
      {"torch.int6", kName},
      {"torch.int7", kName},
      {"torch.uint1", kName},
      {"torch.uint2", kName},
      {"torch.uint3", kName},
      {"torch.uint4", kName},
      {"torch.uint5", kName},
      {"torch.uint6", kName},
      {"torch.uint7", kName},
      {"torch.per_tensor_affine", kName},
      {"torch.per_tensor_symmetric", kName},
      {"torch.per_channel_affine", kName},
      {"torch.per_channel_symmetric", kName},
      {"torch.per_channel_affine_float_qparams", kName},

      {"numpy.dtype", kNumpyType},
      {"numpy.core.multiarray.scalar", kNumpyScalar},
      {"numpy._core.multiarray.scalar", kNumpyScalar},  // since NumPy 2
      {"_codecs.encode", kEncode},

      // Python 3 names this module "builtins" from protocol 3 on.
      {"__builtin__.set", kSet},
      {"__builtin__.frozenset", kSet},
      {"__builtin__.complex", kNumbers},
      {"__builtin__.slice", kNumbers},
      {"__builtin__.xrange", kNumbers},
      {"__builtin__.range", kNumbers},
      {"__builtin__.bytearray", kBytes},
      {"__builtin__.bytes", kBytes},
      {"__builtin__.bool", kType},
      {"__builtin__.int", kType},
      {"__builtin__.float", kType},
      {"__builtin__.str", kType},
      {"__builtin__.unicode", kType},
      {"__builtin__.list", kType},
      {"__builtin__.tuple", kType},
      {"__builtin__.dict", kType},

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
  constexpr std::string_view kBuiltins = "builtins.";
  std::string former;
  if (name.starts_with(kBuiltins)) {
    former = "__builtin__." + std::string(name.substr(kBuiltins.size()));
    name = former;
  }
  const auto found = std::ranges::find(allowed_globals(), name, &PickleGlobal::name);
  return found != allowed_globals().end() ? &*found : nullptr;
}

bool is_script_class(std::string_view name) { return name.starts_with("__torch__."); }

}  // namespace tagclip

# Finds LibTorch by its headers and libraries, without the wheel's own CMake package: that one
# enables CUDA as a language, asks for kineto and leaves MKL's link folders in our RUNPATH.
#
# Looked at, in order: CMAKE_PREFIX_PATH (a LibTorch folder, or what
# torch.utils.cmake_prefix_path prints), then the project's own .deps/libtorch.
# Defines LibTorch::cpu, LibTorch_VERSION, LibTorch_VERSION_HEADER, and LibTorch_CUDA when the build
# found carries CUDA.
set(_hints)
foreach(prefix IN LISTS CMAKE_PREFIX_PATH)
  list(APPEND _hints ${prefix} ${prefix}/torch ${prefix}/../..)
endforeach()
list(APPEND _hints ${PROJECT_SOURCE_DIR}/.deps/libtorch/torch)

# Looked up afresh by every configure: another CMAKE_PREFIX_PATH must not meet an old answer.
set(_where HINTS ${_hints} NO_DEFAULT_PATH NO_CACHE)
find_path(LibTorch_INCLUDE_DIR ATen/ATen.h PATH_SUFFIXES include ${_where})
find_library(LibTorch_CPU_LIBRARY torch_cpu PATH_SUFFIXES lib ${_where})
find_library(LibTorch_C10_LIBRARY c10 PATH_SUFFIXES lib ${_where})
find_library(LibTorch_CUDA_LIBRARY torch_cuda PATH_SUFFIXES lib ${_where})
find_library(LibTorch_C10_CUDA_LIBRARY c10_cuda PATH_SUFFIXES lib ${_where})

find_file(LibTorch_VERSION_HEADER
  NAMES torch/headeronly/version.h torch/csrc/api/include/torch/version.h
  HINTS ${LibTorch_INCLUDE_DIR} NO_DEFAULT_PATH NO_CACHE)
if(LibTorch_VERSION_HEADER)
  file(STRINGS ${LibTorch_VERSION_HEADER} _line REGEX "TORCH_VERSION_(MAJOR|MINOR) ")
endif()
string(REGEX REPLACE "[^0-9]+([0-9]+)[^0-9]+([0-9]+).*" "\\1.\\2" LibTorch_VERSION "${_line}")

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "run 'make setup', or pass -DCMAKE_PREFIX_PATH=/path/to/libtorch")

if(LibTorch_FOUND AND NOT TARGET LibTorch::cpu)
  add_library(LibTorch::cpu INTERFACE IMPORTED)
  target_include_directories(LibTorch::cpu SYSTEM INTERFACE
    ${LibTorch_INCLUDE_DIR} ${LibTorch_INCLUDE_DIR}/torch/csrc/api/include)
  target_link_libraries(LibTorch::cpu INTERFACE ${LibTorch_CPU_LIBRARY} ${LibTorch_C10_LIBRARY})
  # at::parallel_for is silently serial without it. As a flag, not find_package(OpenMP): at run time
  # the one libgomp is LibTorch's own, beside its libraries.
  target_compile_options(LibTorch::cpu INTERFACE -fopenmp)
  target_link_options(LibTorch::cpu INTERFACE -fopenmp)
  if(LibTorch_CUDA_LIBRARY AND LibTorch_C10_CUDA_LIBRARY)
    set(LibTorch_CUDA ON)
    # Nothing calls into torch_cuda by name: it registers itself when loaded.
    target_link_libraries(LibTorch::cpu INTERFACE
      -Wl,--push-state,--no-as-needed ${LibTorch_CUDA_LIBRARY} ${LibTorch_C10_CUDA_LIBRARY}
      -Wl,--pop-state)
  endif()
endif()

# One folder of src, one library, one test program. The LINKS of each folder's CMakeLists.txt are the
# architecture: tests/architecture_test.py holds the includes against them.

set(TAGCLIP_SHARED_DATA ${PROJECT_SOURCE_DIR}/../shared CACHE PATH
  "Reference data kept outside the repository; tests that need it skip where it is missing")

# What every test program may use: "support/..." is in the tests' folder. One file alone is told where the
# checkout lies, so that ccache knows the others in any checkout.
add_library(tagclip_test_support STATIC EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/tests/support/places.cc)
add_library(tagclip::test_support ALIAS tagclip_test_support)
target_include_directories(tagclip_test_support PUBLIC ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(tagclip_test_support INTERFACE OpenSSL::Crypto GTest::gtest GTest::gmock GTest::gtest_main)
target_compile_definitions(tagclip_test_support PRIVATE
  TAGCLIP_SOURCE_DIR="${PROJECT_SOURCE_DIR}" TAGCLIP_SHARED_DATA="${TAGCLIP_SHARED_DATA}")

# What the sanitizer build is about: the readers of untrusted files and texts.
add_custom_target(torch_free_tests)

# A precompiled ATen takes most of the time out of every file that sees a tensor.
# tagclip_use_torch(TARGET [PRIVATE]): PRIVATE hides LibTorch from those who link the target.
function(tagclip_use_torch target)
  set(scope PUBLIC)
  if(ARGN)
    set(scope ${ARGN})
  endif()
  target_link_libraries(${target} ${scope} LibTorch::cpu)
  # The wheel's headers trip these in every file.
  target_compile_options(${target} PRIVATE -Wno-unused-parameter -Wno-sign-compare -Wno-deprecated-declarations)
  if(NOT TARGET tagclip_torch_pch)
    add_library(tagclip_torch_pch OBJECT ${PROJECT_SOURCE_DIR}/cmake/torch_pch.cc)
    target_link_libraries(tagclip_torch_pch PRIVATE tagclip::fmt LibTorch::cpu)
    target_compile_options(tagclip_torch_pch PRIVATE -Wno-unused-parameter -Wno-sign-compare -Wno-deprecated-declarations)
    target_precompile_headers(tagclip_torch_pch PRIVATE <ATen/ATen.h> <ATen/core/grad_mode.h> <fmt/format.h>)
  endif()
  target_precompile_headers(${target} REUSE_FROM tagclip_torch_pch)

  # The precompiled header is -fPIC. With a program's usual -fPIE g++ would not take it, and would
  # read all of ATen again.
  get_target_property(type ${target} TYPE)
  if(type STREQUAL EXECUTABLE)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
endfunction()

# tagclip_library(NAME [TORCH] [SHARED] [FILES_APART] LINKS other folders... EXTERNAL libraries... TEST_LINKS ...)
# FILES_APART: its files are never compiled as one (CMAKE_UNITY_BUILD): they define functions of the same names, or the
# test program links some of them without what the others need.
# Takes every *.cc of the folder and of the folders in it; *_test.cc become the program NAME_test. CUDA sources:
# Cuda.cmake. A SHARED library lies beside the program, which loads it when a command needs it.
function(tagclip_library name)
  cmake_parse_arguments(ARG "TORCH;SHARED;FILES_APART" "" "LINKS;EXTERNAL;TEST_LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$|_cuda\\.cc$")
  if(TAGCLIP_CUDA)
    list(FILTER sources EXCLUDE REGEX "_cpu\\.cc$")
  endif()
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  set(kind STATIC)
  set(scope PUBLIC)
  if(ARG_SHARED)
    set(kind SHARED)
    set(scope PRIVATE)
  endif()
  add_library(tagclip_${name} ${kind} ${sources})
  if(ARG_SHARED)
    set_target_properties(tagclip_${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  endif()
  if(ARG_FILES_APART)
    set_target_properties(tagclip_${name} PROPERTIES UNITY_BUILD OFF)
  endif()
  target_include_directories(tagclip_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  list(TRANSFORM ARG_LINKS PREPEND tagclip_)
  if(ARG_TORCH)
    tagclip_use_torch(tagclip_${name})
  endif()
  target_link_libraries(tagclip_${name} ${scope} ${ARG_LINKS} PRIVATE ${ARG_EXTERNAL})
  tagclip_cuda_sources(tagclip_${name})

  if(tests)
    add_executable(${name}_test ${tests})
    set_target_properties(${name}_test PROPERTIES UNITY_BUILD OFF)  # their helpers share names
    if(ARG_TORCH)
      tagclip_use_torch(${name}_test)
    endif()
    list(TRANSFORM ARG_TEST_LINKS PREPEND tagclip_)
    target_link_libraries(${name}_test PRIVATE tagclip_${name} tagclip::fmt ${ARG_TEST_LINKS} ${ARG_EXTERNAL} tagclip::test_support)
    # Tests spend their time in the libraries: what -O1 leaves out of their own code is compile time.
    target_compile_options(${name}_test PRIVATE $<$<CONFIG:Release>:-O1>)
    # One ctest entry a program: loading LibTorch for every TEST would cost more than the tests.
    add_test(NAME ${name} COMMAND ${name}_test)
    set(labels unit)
    if(NOT ARG_TORCH)
      list(APPEND labels torch_free)
      add_dependencies(torch_free_tests ${name}_test)
    endif()
    set_tests_properties(${name} PROPERTIES
      LABELS "${labels}" TIMEOUT 600 ENVIRONMENT "OMP_NUM_THREADS=1")
  endif()
endfunction()

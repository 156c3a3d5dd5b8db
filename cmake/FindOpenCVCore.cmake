# Finds OpenCV's core and imgproc alone. Debian's own OpenCV package file insists on every module
# of OpenCV being installed. An OpenCV given in CMAKE_PREFIX_PATH or OpenCV_DIR is preferred.
set(_hints ${CMAKE_PREFIX_PATH})
if(OpenCV_DIR)
  list(APPEND _hints ${OpenCV_DIR} ${OpenCV_DIR}/../../..)
endif()
find_path(OpenCVCore_INCLUDE_DIR opencv2/imgproc.hpp
  HINTS ${_hints} PATH_SUFFIXES include/opencv4 opencv4 include NO_CACHE)
find_library(OpenCVCore_CORE_LIBRARY opencv_core HINTS ${_hints} PATH_SUFFIXES lib NO_CACHE)
find_library(OpenCVCore_IMGPROC_LIBRARY opencv_imgproc HINTS ${_hints} PATH_SUFFIXES lib NO_CACHE)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenCVCore
  REQUIRED_VARS OpenCVCore_IMGPROC_LIBRARY OpenCVCore_CORE_LIBRARY OpenCVCore_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "apt packages: libopencv-core-dev libopencv-imgproc-dev")

if(OpenCVCore_FOUND AND NOT TARGET OpenCV::imgproc)
  add_library(OpenCV::imgproc INTERFACE IMPORTED)
  target_include_directories(OpenCV::imgproc SYSTEM INTERFACE ${OpenCVCore_INCLUDE_DIR})
  target_link_libraries(OpenCV::imgproc INTERFACE ${OpenCVCore_IMGPROC_LIBRARY} ${OpenCVCore_CORE_LIBRARY})
endif()

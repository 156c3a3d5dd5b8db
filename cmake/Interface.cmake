# TAGCLIP_INTERFACE names the version and the content of the headers whose types pass between the
# program and the libraries that it loads. Both sides are compiled with it and compare, so that a
# library of another build is a message instead of a crash. tests/architecture_test.py holds this
# list against what the headers include.
set(TAGCLIP_INTERFACE_HEADERS
  base/console.h
  base/entry_point.h
  base/error.h
  base/fields.h
  commands/commands.h
  data/dataset_options.h
  fetch/fetch.h
  infer/options.h
  serve/serve.h
  tagclip/error.h
  tagclip/options.h
  tagclip/outputs.h)

set(_content "")
foreach(header IN LISTS TAGCLIP_INTERFACE_HEADERS)
  set(_file ${PROJECT_SOURCE_DIR}/src/${header})
  if(header MATCHES "^tagclip/")
    set(_file ${PROJECT_SOURCE_DIR}/include/${header})
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${_file})
  file(SHA256 ${_file} _hash)
  string(APPEND _content ${_hash})
endforeach()
string(SHA256 _hash "${_content}")
string(SUBSTRING ${_hash} 0 12 _hash)
set(TAGCLIP_INTERFACE "${PROJECT_VERSION}-${_hash}")

# The source file in which this side of the interface is compiled.
function(tagclip_interface_source file)
  set_property(SOURCE ${file} APPEND PROPERTY COMPILE_DEFINITIONS TAGCLIP_INTERFACE="${TAGCLIP_INTERFACE}")
endfunction()

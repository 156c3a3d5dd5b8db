# tagclip::fmt is the system's fmt. LibTorch carries headers of another fmt without its library, in
# the folder that its own headers come from: a link to the system's headers is searched before it.
find_package(fmt REQUIRED)
get_target_property(_fmt_include fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
find_path(_fmt_headers fmt/format.h HINTS ${_fmt_include} NO_CACHE REQUIRED)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include)
file(CREATE_LINK ${_fmt_headers}/fmt ${PROJECT_BINARY_DIR}/include/fmt SYMBOLIC)

add_library(tagclip_fmt INTERFACE)
add_library(tagclip::fmt ALIAS tagclip_fmt)
target_include_directories(tagclip_fmt INTERFACE ${PROJECT_BINARY_DIR}/include)
target_link_libraries(tagclip_fmt INTERFACE fmt::fmt)

# The page of the server (src/serve/page): npm brings esbuild, which makes the page's files. It sets
#   TAGCLIP_PAGE_FOLDER  where they lie
#   TAGCLIP_PAGE_STAMP   the file to depend on
# Node.js 18 (Debian 12, Ubuntu 24.04) to 22 and the npm that comes with it.
find_program(NODE NAMES node nodejs)
find_program(NPM npm)
if(NOT NODE OR NOT NPM)
  message(FATAL_ERROR "Node.js and npm are missing, which build the page of `tagclip serve`: "
    "`make setup` installs them (packages nodejs and npm)")
endif()

set(page ${PROJECT_SOURCE_DIR}/src/serve/page)
set(page_packages ${page}/node_modules/.package-lock.json)
set(TAGCLIP_PAGE_FOLDER ${PROJECT_BINARY_DIR}/page/dist)
set(TAGCLIP_PAGE_STAMP ${PROJECT_BINARY_DIR}/page/built)
file(GLOB page_sources CONFIGURE_DEPENDS ${page}/*.ts ${page}/*.mjs ${page}/*.css ${page}/*.html ${page}/*.svg)

# npm writes the file when it is done; --ignore-scripts, because no package has to run any.
add_custom_command(OUTPUT ${page_packages}
  COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
  COMMAND ${CMAKE_COMMAND} -E touch ${page_packages}
  DEPENDS ${page}/package.json ${page}/package-lock.json
  WORKING_DIRECTORY ${page} COMMENT "Installing what builds the page")
add_custom_command(OUTPUT ${TAGCLIP_PAGE_STAMP}
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${TAGCLIP_PAGE_FOLDER}
  COMMAND ${NODE} ${page}/build.mjs ${TAGCLIP_PAGE_FOLDER}
  COMMAND ${NODE} ${page}/build.mjs --tests ${PROJECT_BINARY_DIR}/page/tests
  COMMAND ${CMAKE_COMMAND} -E touch ${TAGCLIP_PAGE_STAMP}
  DEPENDS ${page_packages} ${page_sources}
  COMMENT "Building the page")
if(TAGCLIP_SANITIZE)
  add_custom_target(tagclip_page DEPENDS ${TAGCLIP_PAGE_STAMP})
else()
  add_custom_target(tagclip_page ALL DEPENDS ${TAGCLIP_PAGE_STAMP})
  # Which folders and patterns --test takes differs between versions of Node.js.
  set(page_tests ${page_sources})
  list(FILTER page_tests INCLUDE REGEX "\\.test\\.ts$")
  list(TRANSFORM page_tests REPLACE "^.*/(.*)\\.ts$" "${PROJECT_BINARY_DIR}/page/tests/\\1.mjs")
  add_test(NAME page COMMAND ${NODE} --test ${page_tests})
  add_test(NAME page.types COMMAND ${NODE} ${page}/node_modules/typescript/bin/tsc --noEmit --project ${page})
  set_tests_properties(page page.types PROPERTIES LABELS unit TIMEOUT 300)
endif()

# tagclip_embed(TARGET NAME FILE) compiles a file into a target, as it is. The code declares and calls
#   std::string_view embedded_NAME();  // in namespace tagclip
function(tagclip_embed target name file)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_${name}.cc)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/embed.cc.in ${source} @ONLY)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${file})
  target_sources(${target} PRIVATE ${source})
endfunction()

# tagclip_embed_folder(TARGET NAME FOLDER [ENDING .jpg] [DEPENDS FILE]) compiles the files of a folder,
# or those whose names end so, into a target when it is built; with DEPENDS, the files that FILE stands for,
# which are made by the build.
# See serve/embedded_file.h.
function(tagclip_embed_folder target name folder)
  cmake_parse_arguments(ARG "" "ENDING;DEPENDS" "" ${ARGN})
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_${name}.cc)
  set(files "")
  if(NOT ARG_DEPENDS)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${folder}/*)
  endif()
  set(script ${PROJECT_SOURCE_DIR}/cmake/EmbedFolder.cmake)
  add_custom_command(OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DNAME=${name} -DENDING=${ARG_ENDING} -DOUTPUT=${source} -P ${script}
    DEPENDS ${files} ${script} ${ARG_DEPENDS})
  # The assembler reads the files: without this a changed one would not be compiled again.
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${files};${ARG_DEPENDS}")
  target_sources(${target} PRIVATE ${source})
endfunction()

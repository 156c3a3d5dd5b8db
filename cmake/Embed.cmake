# tagclip_embed(TARGET NAME FILE) compiles a file into a target, as it is. The code declares and calls
#   std::string_view embedded_NAME();  // in namespace tagclip
function(tagclip_embed target name file)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_${name}.cc)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/embed.cc.in ${source} @ONLY)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${file})
  target_sources(${target} PRIVATE ${source})
endfunction()

# cmake --install BUILD --prefix DIR [--component NAME]
#
#   runtime      the program, its libraries and the small model; LICENSE and NOTICE
#   development  libtagclip with its headers and CMake package
#   libtorch     a copy of LibTorch's libraries beside them, so that the installation stands alone;
#                without it they are taken from where this build found them
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_filename_component(torch_folder ${LibTorch_CPU_LIBRARY} DIRECTORY)
set(private_libraries lib/tagclip)  # where src/cli/shared_library.cc looks
set_target_properties(tagclip_commands tagclip_serve_library tagclip_public PROPERTIES
  INSTALL_RPATH "$ORIGIN;$ORIGIN/..;$ORIGIN/../${CMAKE_LIBRARY_ARCHITECTURE};$ORIGIN/tagclip;$ORIGIN/../tagclip;$ORIGIN/../lib/tagclip;${torch_folder}")

install(TARGETS tagclip RUNTIME DESTINATION bin COMPONENT runtime)
install(TARGETS tagclip_commands tagclip_fetch tagclip_serve_library
  LIBRARY DESTINATION ${private_libraries} COMPONENT runtime)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/NOTICE
  DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime)
install(FILES ${PROJECT_SOURCE_DIR}/models/everyday.safetensors ${PROJECT_SOURCE_DIR}/models/mini.safetensors
  DESTINATION share/tagclip/models COMPONENT runtime)
install(FILES ${PROJECT_SOURCE_DIR}/configs/msrc21-reduced.toml
  DESTINATION share/tagclip/configs COMPONENT runtime)

# Completions and the manual page, which the program prints itself.
set(shell_files ${PROJECT_BINARY_DIR}/shell)
add_custom_command(
  OUTPUT ${shell_files}/tagclip.1
  COMMAND ${CMAKE_COMMAND} -E make_directory ${shell_files}
  COMMAND tagclip --completion bash > ${shell_files}/tagclip
  COMMAND tagclip --completion zsh > ${shell_files}/_tagclip
  COMMAND tagclip --completion fish > ${shell_files}/tagclip.fish
  COMMAND tagclip --man > ${shell_files}/tagclip.1
  DEPENDS tagclip VERBATIM)
add_custom_target(tagclip_shell ALL DEPENDS ${shell_files}/tagclip.1)
install(FILES ${shell_files}/tagclip
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT runtime)
install(FILES ${shell_files}/_tagclip
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT runtime)
install(FILES ${shell_files}/tagclip.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT runtime)
install(FILES ${shell_files}/tagclip.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT runtime)

install(TARGETS tagclip_public EXPORT tagclip
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    COMPONENT runtime NAMELINK_COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/tagclip
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/tagclip)
install(EXPORT tagclip NAMESPACE tagclip:: FILE tagclipConfig.cmake
  DESTINATION ${package} COMPONENT development)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tagclipConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tagclipConfigVersion.cmake
  DESTINATION ${package} COMPONENT development)

# The licences that the wheel carries of LibTorch and of what it bundles.
file(GLOB torch_licences ${torch_folder}/../../torch-*.dist-info/licenses)
if(torch_licences)
  install(DIRECTORY ${torch_licences} DESTINATION ${CMAKE_INSTALL_DOCDIR}/libtorch COMPONENT libtorch)
endif()
install(DIRECTORY ${torch_folder}/ DESTINATION ${private_libraries} COMPONENT libtorch
  FILES_MATCHING PATTERN "*.so*"
  PATTERN "libshm*" EXCLUDE
  PATTERN "libtorch_python.so" EXCLUDE
  PATTERN "libjitbackend_test.so" EXCLUDE
  PATTERN "libtorchbind_test.so" EXCLUDE)

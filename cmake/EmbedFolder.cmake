# Run by tagclip_embed_folder: writes the table of the files in FOLDER, as it is now, to OUTPUT.
file(GLOB_RECURSE files RELATIVE ${FOLDER} ${FOLDER}/*)
list(SORT files)
set(data "")
set(entries "")
set(number 0)
foreach(file IN LISTS files)
  if(ENDING AND NOT file MATCHES "${ENDING}$")
    continue()
  endif()
  set(symbol tagclip_folder_${NAME}_${number})
  string(APPEND data
    "asm(\".pushsection .rodata\\n\"\n"
    "    \".global ${symbol}_begin\\n.hidden ${symbol}_begin\\n${symbol}_begin:\\n\"\n"
    "    \".incbin \\\"${FOLDER}/${file}\\\"\\n\"\n"
    "    \".global ${symbol}_end\\n.hidden ${symbol}_end\\n${symbol}_end:\\n.byte 0\\n.popsection\\n\");\n"
    "extern \"C\" __attribute__((visibility(\"hidden\"))) const char ${symbol}_begin[], ${symbol}_end[];\n")
  string(APPEND entries "      {\"${file}\", {${symbol}_begin, ${symbol}_end}},\n")
  math(EXPR number "${number} + 1")
endforeach()
if(number EQUAL 0)
  message(FATAL_ERROR "${FOLDER} holds no file to embed")
endif()
file(WRITE ${OUTPUT}
  "// The files of ${FOLDER}.\n#include \"serve/embedded_file.h\"\n\n#include <array>\n\n${data}\n"
  "namespace tagclip {\n\nstd::span<const EmbeddedFile> embedded_${NAME}();\n"
  "std::span<const EmbeddedFile> embedded_${NAME}() {\n"
  "  static const std::array<EmbeddedFile, ${number}> kFiles = {{\n${entries}  }};\n"
  "  return kFiles;\n}\n\n}  // namespace tagclip\n")

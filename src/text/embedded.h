#pragma once

#include <string_view>

namespace tagclip {

// The files of src/text/data as they are, compiled into the program.
std::string_view embedded_merges_gz();           // bpe_simple_vocab_16e6.txt.gz
std::string_view embedded_html_entities();       // html_entities.txt
std::string_view embedded_imagenet_templates();  // imagenet_templates.txt

}  // namespace tagclip

// Any bytes as a list of classes: words, JSON, YAML.
#include <string>

#include "base/error.h"
#include "text/class_file.h"
#include "text/simple_yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  tagclip::parse_simple_yaml(text);
  try {
    for (const auto& entry : tagclip::parse_class_list(text, "fuzzed")) {
      TAGCLIP_CHECK(!entry.words.empty(), "a class without words");
    }
  } catch (const tagclip::Error&) {  // refusing is fine
  }
  return 0;
}

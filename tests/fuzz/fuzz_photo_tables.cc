// Any bytes as a table of captions or of soft names: refused, or read into probabilities.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"
#include "data/photo_tables.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const std::filesystem::path path = std::filesystem::temp_directory_path() /
                                            ("tagclip-fuzz-tables-" + std::to_string(::getpid()));
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(data) + 1, static_cast<std::streamsize>(size - 1));
  constexpr size_t kNames = 100;
  try {
    if (data[0] % 2 == 0) {
      for (const auto& [key, captions] : tagclip::read_captions(path)) {
        TAGCLIP_CHECK(!key.empty() && !captions.empty(), "a photo without captions");
      }
      return 0;
    }
    for (const auto& [key, names] : tagclip::read_soft_names(path, kNames)) {
      for (const tagclip::SoftName& name : names) {
        TAGCLIP_CHECK(name.name >= 0 && name.name < static_cast<int32_t>(kNames), "no such name");
        TAGCLIP_CHECK(name.probability > 0 && name.probability <= 1, "no probability");
      }
    }
  } catch (const tagclip::Error&) {  // refusing is fine
  }
  return 0;
}

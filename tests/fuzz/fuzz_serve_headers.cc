// Any bytes as headers that decide who is let in, and as a form with its Content-Type.
#include <span>
#include <string>

#include "base/base64.h"
#include "base/error.h"
#include "serve/http/guard.h"
#include "serve/http/multipart.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tagclip;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string line = text.substr(0, text.find('\n'));
  const std::string rest = line.size() < text.size() ? text.substr(line.size() + 1) : "";
  host_is_ours(line, {"seg.example.org"});
  is_same_origin(line, rest);
  if (const auto bytes = from_base64(line)) {
    TAGCLIP_CHECK(from_base64(to_base64(std::as_bytes(std::span(*bytes)))) == bytes, "round trip");
  }
  try {
    for (const FormPart& part : parse_multipart(rest, "multipart/form-data;" + line)) {
      TAGCLIP_CHECK(part.content.empty() ||
                        (part.content.data() >= rest.data() &&
                         part.content.data() + part.content.size() <= rest.data() + rest.size()),
                    "a part of the body");
    }
  } catch (const Error&) {  // refusing is fine
  }
  return 0;
}

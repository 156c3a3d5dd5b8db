// Any bytes as the body of POST /v1/segment: a first byte selects JSON or a form.
#include <string>

#include "serve/segment/segment_request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const bool is_form = data[0] % 2 == 1;
  tagclip::ClientRequest request{
      .headers = {{"content-type",
                   is_form ? "multipart/form-data; boundary=b" : "application/json"}},
      .body = {reinterpret_cast<const char*>(data) + 1, size - 1}};
  const tagclip::RequestLimits limits{.classes = 100, .pixels = 1 << 20};
  try {
    const auto read = tagclip::read_segment_request(request, {}, limits);
    TAGCLIP_CHECK(read.encoding.empty() != read.photo.empty(), "one of the two");
    TAGCLIP_CHECK(read.words.classes.size() <= limits.classes, "a bounded vocabulary");
  } catch (const tagclip::Error&) {  // refusing is fine
  }
  return 0;
}

#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "serve/http/message.h"
#include "tagclip/tagclip.h"

namespace tagclip {

// What a client may ask of one request.
struct RequestLimits {
  size_t classes = 1000;
  size_t word_bytes = 200;
  int64_t pixels = 64LL << 20;
  size_t windows = 100;
  // The number of windows that a photo of this width and height is encoded in; empty: no limit.
  std::function<size_t(int, int)> windows_of = {};
};

// A part of the answer that is sent only where it is asked for.
enum class AnswerPart { kLabels, kConfidence, kTrusty, kRle, kOverlay };
inline constexpr std::array kAnswerParts = {
    std::pair{std::string_view("labels"), AnswerPart::kLabels},
    std::pair{std::string_view("confidence"), AnswerPart::kConfidence},
    std::pair{std::string_view("trusty"), AnswerPart::kTrusty},
    std::pair{std::string_view("rle"), AnswerPart::kRle},
    std::pair{std::string_view("overlay"), AnswerPart::kOverlay}};

// A request to segment a photo: one that was encoded before, or its file's bytes.
struct SegmentRequest {
  std::string encoding;  // an id; empty: `photo` is given
  std::string photo;
  VocabularyWords words;     // without classes: those that the model knows
  InferenceOptions options;  // the server's, with what the request changes
  std::vector<AnswerPart> parts = {AnswerPart::kLabels};
  bool as_png = false;  // the answer is the label file itself

  bool asks_for(AnswerPart part) const;
};

// A request that is refused with another status than 400.
class RefusedRequest : public Error {
 public:
  RefusedRequest(int status, std::string name, const std::string& what, std::string hint = {})
      : Error(ErrorKind::kBadInput, what, std::move(hint)), status(status), name(std::move(name)) {}

  const int status;
  const std::string name;  // "too_large"
};

// Refuses what is no photo, or one that would take too much memory, before anything is decoded.
// Throws RefusedRequest, and Error(kBadInput) for a header that cannot be read.
void check_photo(std::string_view photo, const RequestLimits& limits);

// Reads POST /v1/segment, JSON or a form. `defaults` are the server's settings. Throws
// Error(kBadInput) and Error(kUsage) naming the member that is wrong, RefusedRequest for what is
// too large or of another type.
SegmentRequest read_segment_request(const ClientRequest& request, const InferenceOptions& defaults,
                                    const RequestLimits& limits);

// Reads the photo of POST /v1/encodings: the body, or the part `photo` of a form. Throws as above.
std::string read_encoding_request(const ClientRequest& request, const RequestLimits& limits);

}  // namespace tagclip

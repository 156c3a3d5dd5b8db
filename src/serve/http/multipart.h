#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tagclip {

// One part of a form. It refers to the body that it was read from.
struct FormPart {
  std::string name;
  std::string_view content;
};

// True for a Content-Type of multipart/form-data.
bool is_multipart(std::string_view content_type);

// Reads a body of multipart/form-data (RFC 7578), at most 16 parts with at most 4 KiB of headers
// each. Names of files are of no interest. Throws Error(kBadInput) for anything else, saying where
// it ends to be a form.
std::vector<FormPart> parse_multipart(std::string_view body, std::string_view content_type);

}  // namespace tagclip

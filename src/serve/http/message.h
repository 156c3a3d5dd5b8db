#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tagclip {

// Returns the ASCII text in small letters: names and values of headers are compared so.
std::string in_small_letters(std::string_view text);

// A request as a client sent it.
struct ClientRequest {
  std::string id;      // in logs and in the answer's X-Request-Id
  std::string client;  // its address
  std::string method;  // "GET"
  std::string path;    // "/v1/segment", percent signs decoded, without the query
  std::vector<std::pair<std::string, std::string>> headers;  // names in small letters
  std::string body;

  // The first header of that name, in small letters; nullptr where there is none.
  const std::string* header(std::string_view name) const;
};

// What goes back.
struct Answer {
  int status = 200;
  std::string type = "application/json";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool close = false;  // the connection, once the answer is sent
};

// An answer for a request that cannot be served, as JSON: kind, message and hint.
Answer refusal(int status, const std::string& kind, const std::string& message,
               const std::string& hint = {});

// The refusal that an error of the library means. What is no fault of the request is not told:
// `id` leads to the line of the log that does.
Answer refusal_of(const Error& error, const std::string& id);

}  // namespace tagclip

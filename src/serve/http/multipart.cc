#include "serve/http/multipart.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "serve/http/message.h"

namespace tagclip {
namespace {

constexpr size_t kMaxParts = 16;
constexpr size_t kMaxPartHeaders = 4096;
constexpr size_t kMaxBoundary = 70;  // RFC 2046
constexpr std::string_view kLineEnd = "\r\n";

// The value of a parameter in "form-data; name=photo; filename=\"a.jpg\"".
std::optional<std::string> parameter(std::string_view header, std::string_view wanted) {
  size_t at = header.find(';');
  while (at != header.npos) {
    const size_t equals = header.find('=', ++at);
    if (equals == header.npos) return {};
    const std::string name = in_small_letters(trim(header.substr(at, equals - at)));
    std::string value;
    at = equals + 1;
    if (at < header.size() && header[at] == '"') {
      for (++at; at < header.size() && header[at] != '"'; ++at) {
        if (header[at] == '\\' && at + 1 < header.size()) ++at;
        value += header[at];
      }
      at = header.find(';', std::min(at, header.size()));
    } else {
      const size_t end = std::min(header.find(';', at), header.size());
      value = trim(header.substr(at, end - at));
      at = end == header.size() ? header.npos : end;
    }
    if (name == wanted) return value;
  }
  return {};
}

Error broken(const std::string& what) {
  return bad_input("the form cannot be read: " + what,
                   "send multipart/form-data as browsers and curl -F do");
}

std::string boundary_of(std::string_view content_type) {
  const auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kMaxBoundary) {
    throw broken("its Content-Type names no boundary of 1 to 70 characters");
  }
  return *boundary;
}

// The name that the headers of a part give it.
std::string name_of(std::string_view headers, size_t number) {
  while (!headers.empty()) {
    const size_t end = std::min(headers.find(kLineEnd), headers.size());
    const std::string_view line = headers.substr(0, end);
    headers.remove_prefix(std::min(end + kLineEnd.size(), headers.size()));
    const size_t colon = line.find(':');
    if (colon == line.npos) throw broken(fmt::format("a header of part {} has no colon", number));
    if (in_small_letters(trim(line.substr(0, colon))) != "content-disposition") continue;
    const std::string_view value = trim(line.substr(colon + 1));
    const auto name = parameter(value, "name");
    if (in_small_letters(value).starts_with("form-data") && name) return *name;
  }
  throw broken(fmt::format("part {} has no name", number));
}

}  // namespace

bool is_multipart(std::string_view content_type) {
  return in_small_letters(trim(content_type.substr(0, content_type.find(';')))) ==
         "multipart/form-data";
}

std::vector<FormPart> parse_multipart(std::string_view body, std::string_view content_type) {
  const std::string delimiter = "--" + boundary_of(content_type);
  const std::string next = std::string(kLineEnd) + delimiter;
  if (!body.starts_with(delimiter)) throw broken("it does not begin with its boundary");
  body.remove_prefix(delimiter.size());
  std::vector<FormPart> parts;
  while (!body.starts_with("--")) {
    const size_t number = parts.size() + 1;
    if (number > kMaxParts) throw broken(fmt::format("it has more than {} parts", kMaxParts));
    while (body.starts_with(' ') || body.starts_with('\t')) body.remove_prefix(1);
    if (!body.starts_with(kLineEnd)) throw broken(fmt::format("part {} does not begin", number));
    // The line end belongs to the empty line, too, that ends headers of which there are none.
    const size_t end = body.substr(0, kMaxPartHeaders + 4).find("\r\n\r\n");
    if (end == body.npos) throw broken(fmt::format("the headers of part {} do not end", number));
    const std::string_view headers =
        end == 0 ? "" : body.substr(kLineEnd.size(), end - kLineEnd.size());
    FormPart part{.name = name_of(headers, number)};
    body.remove_prefix(end + 4);
    const size_t stop = body.find(next);
    if (stop == body.npos) throw broken(fmt::format("part {} does not end", number));
    part.content = body.substr(0, stop);
    body.remove_prefix(stop + next.size());
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace tagclip

#include "serve/static_files.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

#include "serve/embedded_file.h"

namespace tagclip {

std::string_view embedded_openapi();  // docs/openapi.json
std::span<const EmbeddedFile> embedded_page();
std::span<const EmbeddedFile> embedded_samples();  // tests/data/photos

namespace {

constexpr std::array<std::pair<std::string_view, const char*>, 13> kTypes = {{
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".webp", "image/webp"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
}};

std::string type_of(const std::string& path) {
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

std::string tag_of(std::string_view bytes) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  ::SHA256(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), digest.data());
  std::string tag = "\"";
  for (size_t i = 0; i < 8; ++i) tag += fmt::format("{:02x}", digest[i]);
  return tag + "\"";
}

}  // namespace

StaticFiles::StaticFiles(bool with_page) {
  add("/openapi.json", embedded_openapi());
  if (!with_page) return;
  for (const EmbeddedFile& file : embedded_page()) add("/" + std::string(file.path), file.bytes);
  for (const EmbeddedFile& file : embedded_samples()) {
    add("/samples/" + std::string(file.path), file.bytes);
  }
  if (const auto index = files_.find("/index.html"); index != files_.end()) {
    files_["/"] = index->second;
  }
}

void StaticFiles::add(const std::string& path, std::string_view bytes) {
  files_[path] = {bytes, type_of(path), tag_of(bytes)};
}

Answer StaticFiles::answer(const ClientRequest& request) const {
  const File& file = files_.at(request.path);
  // A browser asks each time whether it has the newest one: another version of the program may
  // answer at the same address.
  Answer answer{.type = file.type, .headers = {{"ETag", file.tag}, {"Cache-Control", "no-cache"}}};
  const std::string* known = request.header("if-none-match");
  if (known != nullptr && known->find(file.tag) != known->npos) {
    answer.status = 304;
  } else {
    answer.body = file.bytes;
  }
  return answer;
}

}  // namespace tagclip

#include "http/curl_handle.h"

#include <cstdlib>
#include <string>

#include "base/error.h"
#include "base/files.h"

namespace tagclip {
namespace {

// The file of the authorities to trust: the user's, or that of a distribution. libcurl itself knows
// the place of the one it was built on, and the program may run on another. Empty: its own.
std::string certificates() {
  if (const char* given = std::getenv("SSL_CERT_FILE")) return given;
  for (const char* file : {"/etc/ssl/certs/ca-certificates.crt",                 // Debian, Arch
                           "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Fedora, RHEL
                           "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {     // openSUSE, Alpine
    if (path_exists(file)) return file;
  }
  return {};
}

}  // namespace

CurlHandle new_curl_handle() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  CurlHandle handle(ready == CURLE_OK ? curl_easy_init() : nullptr);
  TAGCLIP_CHECK(handle != nullptr, "libcurl does not start");
  curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle.get(), CURLOPT_USERAGENT, "tagclip");
  curl_easy_setopt(handle.get(), CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  if (const std::string file = certificates(); !file.empty()) {
    curl_easy_setopt(handle.get(), CURLOPT_CAINFO, file.c_str());
  }
  return handle;
}

}  // namespace tagclip

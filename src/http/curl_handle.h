#pragma once

#include <curl/curl.h>

#include <memory>

namespace tagclip {

struct CurlCloser {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(CURLU* address) const { curl_url_cleanup(address); }
};
using CurlHandle = std::unique_ptr<CURL, CurlCloser>;
using CurlList = std::unique_ptr<curl_slist, CurlCloser>;

// Returns a handle that speaks HTTP and HTTPS alone, trusts the authorities of SSL_CERT_FILE or of
// the system, follows no redirect and raises no signal. Safe to call from several threads.
CurlHandle new_curl_handle();

}  // namespace tagclip

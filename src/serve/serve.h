#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <string>
#include <type_traits>
#include <vector>

#include "base/entry_point.h"
#include "infer/options.h"

// The entry of this library, which the program loads when `tagclip serve` runs. A limit or a
// setting of the server is a member of ServeOptions, an entry of its list, and the code that reads
// it.
namespace tagclip {

enum class LogFormat { kText, kJson, kNone };

inline const Choices<LogFormat> kLogFormatNames = {
    {"text", LogFormat::kText}, {"json", LogFormat::kJson}, {"none", LogFormat::kNone}};

struct ServeOptions {
  std::filesystem::path weights;  // any dialect
  InferenceOptions inference;     // what requests that do not say otherwise get

  std::string host = "127.0.0.1";
  int64_t port = 8080;
  std::filesystem::path api_key_file;
  bool no_auth = false;
  std::vector<std::string> allow_host, cors_origin;
  std::filesystem::path tls_cert, tls_key;
  bool no_page = false;

  int64_t max_body_mb = 32;
  int64_t max_windows = 100;
  int64_t max_classes = 1000;
  int64_t max_word_bytes = 200;
  int64_t queue = 32;
  int64_t deadline = 60;
  int64_t encodings_mb = 512;
  int64_t encodings_seconds = 900;
  int64_t connections = 256;
  int64_t connections_per_address = 64;
  LogFormat log = LogFormat::kText;

  std::string label_studio_url;
  std::filesystem::path label_studio_key_file;
};

template <class Options>
  requires std::same_as<std::remove_const_t<Options>, ServeOptions>
FieldsOf<Options> fields(Options& options) {
  FieldsOf<Options> list;
  list.add("host", options.host,
           "Address to listen on. One that other machines reach needs --api-key-file or --no-auth");
  list.add("port", options.port, {0, 65535}, "Port to listen on; 0 = any that is free");
  list.add("api_key_file", options.api_key_file,
           "A file with one key per line; requests must then send one of them");
  list.add("no_auth", options.no_auth, "Let everybody in who reaches the address");
  list.add("allow_host", options.allow_host,
           "Names under which browsers may reach the server, beside localhost and addresses: those "
           "of a proxy before it");
  list.add("cors_origin", options.cors_origin,
           "Web pages of other origins that may call the API: https://annotate.example.org");
  list.add("tls_cert", options.tls_cert, "Serve HTTPS with this certificate chain, PEM");
  list.add("tls_key", options.tls_key, "Its private key, PEM");
  list.add("no_page", options.no_page, "Serve the API alone, without the page");
  list.add("max_body_mb", options.max_body_mb, {1, 1024}, "Larger requests are refused, MiB");
  list.add("max_windows", options.max_windows, {1, 1 << 20},
           "Photos that are encoded in more windows are refused: long and thin ones");
  list.add("max_classes", options.max_classes, {1, 65000},
           "Requests with more classes are refused");
  list.add("max_word_bytes", options.max_word_bytes, {1, 1000},
           "Requests with longer words are refused, bytes");
  list.add("queue", options.queue, {1, 10000},
           "Requests that may wait for the model; more are told to come back (429)");
  list.add("deadline", options.deadline, {1, 3600},
           "A request that waits longer than this gives up (504), seconds");
  list.add("encodings_mb", options.encodings_mb, {1, 1 << 20},
           "Memory for encoded photos, MiB; those used least recently go first");
  list.add("encodings_seconds", options.encodings_seconds, {1, 86400 * 7},
           "How long an encoded photo is kept after its last use, seconds");
  list.add("connections", options.connections, {1, 10000}, "Connections at a time");
  list.add("connections_per_address", options.connections_per_address, {1, 10000},
           "Connections of one client address at a time");
  list.add("log", options.log, kLogFormatNames,
           "A line per request on standard error, as text or as JSON; it never holds photos, words "
           "or keys");
  list.add(
      "label_studio_url", options.label_studio_url,
      "Answer this Label Studio as its machine learning backend, too, and take the pictures of "
      "its tasks from it; LABEL_STUDIO_URL where it is not given");
  list.add("label_studio_key_file", options.label_studio_key_file,
           "A file with a personal access token or a legacy one of Label Studio; "
           "LABEL_STUDIO_API_KEY where it is not given");
  return list;
}

}  // namespace tagclip

TAGCLIP_ENTRY_POINT("libtagclip_serve.so", ServeOptions, tagclip_serve)

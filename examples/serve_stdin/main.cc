// serve_stdin WEIGHTS [SETTING=VALUE...]
//
// Answers requests on standard input, one after the other, as an HTTP server would. A request is a
// line of JSON and the bytes of a photo:
//
//   {"id": 7, "bytes": 48213, "words": "cat, sofa, wall", "want": ["overlay", "labels"],
//    "settings": {"threshold": "0.3"}}
//
// and its answer a line of JSON and the files that were wanted, in this order:
//
//   {"id": 7, "status": 200, "result": {...}, "parts": [{"name": "overlay", "bytes": 9341}, ...]}
//   {"id": 7, "status": 400, "error": "...", "hint": "..."}
#include <tagclip/tagclip.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using nlohmann::json;

constexpr int64_t kMaxBytes = 64 << 20;
constexpr size_t kMaxVocabularies = 100;

// The HTTP status, by who has to act: the client or the server.
int status_of(tagclip::ErrorKind kind) {
  switch (kind) {
    case tagclip::ErrorKind::kUsage:
    case tagclip::ErrorKind::kBadInput:
      return 400;
    case tagclip::ErrorKind::kStopped:
      return 503;
    case tagclip::ErrorKind::kFailure:
      break;
  }
  return 500;
}

[[noreturn]] void refuse(const std::string& what, const std::string& hint) {
  throw tagclip::Error(tagclip::ErrorKind::kBadInput, what, hint);
}

struct Answer {
  json header;
  std::vector<std::vector<std::byte>> parts;
};

class Server {
 public:
  explicit Server(tagclip::Segmenter segmenter) : segmenter_(std::move(segmenter)) {}

  Answer answer(const json& request, const std::vector<std::byte>& photo) {
    const tagclip::Vocabulary words = vocabulary(request.value("words", ""));
    const tagclip::Segmentation result = with_settings(request).segment(
        tagclip::Photo(photo, request.value("name", "photo")), words);
    Answer answer;
    answer.header = {{"status", 200}, {"result", json::parse(result.json())}};
    for (const json& name : request.value("want", json::array())) {
      answer.parts.push_back(part(result, name));
      answer.header["parts"].push_back({{"name", name}, {"bytes", answer.parts.back().size()}});
    }
    return answer;
  }

 private:
  // The words of a few recent requests stay embedded.
  tagclip::Vocabulary vocabulary(const std::string& words) {
    if (const auto known = vocabularies_.find(words); known != vocabularies_.end()) {
      return known->second;
    }
    if (vocabularies_.size() >= kMaxVocabularies) vocabularies_.clear();
    return vocabularies_.emplace(words, segmenter_.parse({.classes = words, .no_cache = true}))
        .first->second;
  }

  // The model with the windows and scores that this request asks for.
  tagclip::Segmenter with_settings(const json& request) const {
    tagclip::InferenceOptions options = segmenter_.options();
    const json settings = request.value("settings", json::object());
    for (const auto& [name, value] : settings.items()) {
      tagclip::set(options, name, value.is_string() ? value.get<std::string>() : value.dump());
    }
    return segmenter_.with(options);
  }

  static std::vector<std::byte> part(const tagclip::Segmentation& result, const std::string& name) {
    if (name == "overlay") return result.overlay_png();
    if (name == "labels") return result.labels_png();
    refuse("there is no part called " + name, "one of overlay, labels");
  }

  tagclip::Segmenter segmenter_;
  std::map<std::string, tagclip::Vocabulary> vocabularies_;
};

// Returns the photo behind a request's line. Nothing when standard input ends first.
std::optional<std::vector<std::byte>> read_photo(const json& request) {
  const json& bytes_field = request.contains("bytes") ? request["bytes"] : json(0);
  const int64_t size = bytes_field.is_number_unsigned() ? bytes_field.get<int64_t>() : 0;
  if (size > kMaxBytes) {
    std::cin.ignore(size);
    refuse("a photo of " + std::to_string(size) + " bytes",
           "at most " + std::to_string(kMaxBytes) + " are taken");
  }
  std::vector<std::byte> bytes(static_cast<size_t>(size));
  if (!std::cin.read(reinterpret_cast<char*>(bytes.data()), size)) return {};
  return bytes;
}

void send(const Answer& answer) {
  std::cout << answer.header.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
  for (const std::vector<std::byte>& part : answer.parts) {
    std::cout.write(reinterpret_cast<const char*>(part.data()),
                    static_cast<std::streamsize>(part.size()));
  }
  std::cout.flush();
}

// False where no further request can be told from the bytes of this one.
bool serve(Server& server, const std::string& line) {
  Answer answer;
  json id;
  bool in_step = false;  // the bytes of this request have been read
  try {
    const json request = json::parse(line);
    if (!request.is_object()) refuse("a request is a JSON object", "");
    id = request.value("id", json());
    in_step = true;
    const auto photo = read_photo(request);
    if (!photo) return false;
    answer = server.answer(request, *photo);
  } catch (const tagclip::Error& error) {
    answer.header = {
        {"status", status_of(error.kind())}, {"error", error.what()}, {"hint", error.hint()}};
  } catch (const json::exception& error) {
    answer.header = {{"status", 400}, {"error", error.what()}, {"hint", "send a line of JSON"}};
  }
  answer.header["id"] = id;
  send(answer);
  return in_step;
}

void run(int argc, char** argv) {
  tagclip::InferenceOptions options;
  for (int i = 2; i < argc; ++i) {
    const std::string setting = argv[i];
    const size_t equals = std::min(setting.find('='), setting.size() - 1);
    tagclip::set(options, setting.substr(0, equals), setting.substr(equals + 1));
  }
  Server server(tagclip::Segmenter(argv[1], options));
  std::fprintf(stderr, "tagclip %s is ready\n", tagclip::version());
  for (std::string line; std::getline(std::cin, line);) {
    if (!serve(server, line)) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s WEIGHTS [SETTING=VALUE...]\n", argv[0]);
    return 2;
  }
  std::ios::sync_with_stdio(false);
  try {
    run(argc, argv);
    return 0;
  } catch (const tagclip::Error& error) {
    std::fprintf(stderr, "%s: %s\n  %s\n", argv[0], error.what(), error.hint().c_str());
    return static_cast<int>(error.kind());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}

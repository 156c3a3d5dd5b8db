#pragma once

#include <map>
#include <optional>
#include <string>

#include "serve/http/message.h"

namespace tagclip {

// The files that are part of the program: the page, its sample photos, the description of the API.
class StaticFiles {
 public:
  explicit StaticFiles(bool with_page);

  bool contains(const std::string& path) const { return files_.contains(path); }
  // The file at this path, or 304 where the client has it already.
  Answer answer(const ClientRequest& request) const;

 private:
  struct File {
    std::string_view bytes;
    std::string type, tag;
  };
  void add(const std::string& path, std::string_view bytes);

  std::map<std::string, File> files_;  // by the path of requests: "/", "/samples/cat.jpg"
};

}  // namespace tagclip

#include "base/write_error.h"

#include <cerrno>
#include <cstring>
#include <string>

namespace tagclip {
namespace {

std::string hint_for(int error) {
  if (error == ENOSPC || error == EDQUOT) return "free some space or choose another folder";
  if (error == EFBIG) return "raise the limit on the size of files (ulimit -f)";
  return "choose a folder you may write to";
}

}  // namespace

Error cannot_write(const std::filesystem::path& path, int error) {
  return failure("cannot write " + path.string() + ": " + std::strerror(error), hint_for(error));
}

Error cannot_create_folder(const std::filesystem::path& folder, int error) {
  return failure("cannot create the folder " + folder.string() + ": " + std::strerror(error),
                 hint_for(error));
}

}  // namespace tagclip

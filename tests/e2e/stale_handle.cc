// Preloaded into the program by the tests: to it, whatever ends in ".stale" is a file of a network
// file system that the server has replaced. Such a handle cannot be had without such a server.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>

namespace {

bool is_stale(const char* path) { return std::strstr(path, ".stale") != nullptr; }

// The C library's own function.
template <class Function>
Function* next(Function* /*unused*/, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  if (is_stale(path)) return errno = ESTALE, -1;
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return next(open, "open")(path, flags, mode);
}

int stat(const char* path, struct stat* status) {
  if (is_stale(path)) return errno = ESTALE, -1;
  return next(stat, "stat")(path, status);
}

int lstat(const char* path, struct stat* status) {
  if (is_stale(path)) return errno = ESTALE, -1;
  return next(lstat, "lstat")(path, status);
}

DIR* opendir(const char* path) {
  if (is_stale(path)) return errno = ESTALE, nullptr;
  return next(opendir, "opendir")(path);
}

}  // extern "C"

#include "train/file_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "data_check/parallel_for.h"
#include "image/png.h"

namespace tagclip {
namespace {

// Returns true if the headers alone say that the pair fits; false where it does not, and in doubt.
bool fits_by_header(const Dataset& data, size_t index) {
  using enum PngHeader::Colours;
  try {
    const std::filesystem::path path = data.label_path(index);
    const MappedFile labels(path);
    if (!is_png(labels.bytes())) return false;
    const PngHeader header = read_png_header(labels.bytes(), path.string(), data.info().limits);
    if (header.colours != kPalette && header.colours != kGrey) return false;
    const auto photo = read_upright_size(data.image_path(index), data.info().limits);
    return photo && photo->width == header.width && photo->height == header.height;
  } catch (const Error&) {
    return false;
  }
}

// Calls `check` for some of the pairs, on all cores, and says how far that is when it takes long.
void for_pairs(size_t count, const std::function<void(size_t)>& check,
               const FileCheckHooks& hooks) {
  constexpr auto kSilence = std::chrono::seconds(2);
  const auto begin = std::chrono::steady_clock::now();
  bool stopped = false;
  parallel_for(count, check, [&](size_t done) {
    if (std::chrono::steady_clock::now() - begin > kSilence) {
      hooks.progress(static_cast<int64_t>(done), static_cast<int64_t>(count));
    }
    stopped = stopped || hooks.stop_requested();
    return !stopped;
  });
  if (stopped) {
    throw stopped_in_check();
  }
}

std::string summary(const std::map<size_t, std::string>& bad, size_t all) {
  constexpr size_t kShown = 3;
  std::string text;
  size_t shown = 0;
  for (const auto& [index, what] : bad) {
    if (shown == kShown) break;
    text += (shown++ > 0 ? "; " : "") + what;
  }
  if (bad.size() > kShown) text += fmt::format("; and {} more", bad.size() - kShown);
  return fmt::format("{} of {} cannot be used: {}", bad.size(),
                     counted(static_cast<int64_t>(all), "pair"), text);
}

}  // namespace

Error stopped_in_check() {
  return {ErrorKind::kStopped, "stopped while the files were checked; nothing was trained"};
}

void check_files(const Dataset& data, BadImagePolicy bad_photos, const FileCheckHooks& hooks) {
  std::mutex mutex;
  std::map<size_t, std::string> bad;  // in the order of the list
  std::set<std::string> hints;
  for_pairs(
      data.size(),
      [&](size_t i) {
        if (fits_by_header(data, i)) return;
        try {
          data.read(i);
        } catch (const Error& error) {
          const std::lock_guard lock(mutex);
          bad.emplace(i, error.what());
          hints.insert(error.hint());
        }
      },
      hooks);
  if (bad.empty()) return;
  const std::string words = data.folder().string() + ": " + summary(bad, data.size());
  if (bad_photos == BadImagePolicy::kSkip && bad.size() < data.size()) {
    hooks.warn(words + "; bad_photos = skip puts others in their place");
    return;
  }
  const std::string remedy = hints.size() == 1 ? *hints.begin() : "";
  throw bad_input(words,
                  fmt::format("{}, or take them out of the list; tagclip data check looks at "
                              "everything",
                              remedy.empty() ? "mend them" : remedy));
}

void check_label_values(const Dataset& data, const FileCheckHooks& hooks) {
  constexpr size_t kMost = 1000;
  const size_t count = std::min(data.size(), kMost);
  for_pairs(count, [&](size_t i) { data.labels(i * data.size() / count); }, hooks);
}

}  // namespace tagclip

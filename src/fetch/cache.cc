#include "fetch/cache.h"

#include <fmt/format.h>

#include <array>

#include "base/error.h"

namespace tagclip {

namespace fs = std::filesystem;

fs::path path_in(const fs::path& folder, const Checkpoint& checkpoint) {
  return folder / checkpoint.kept_as();
}

int64_t kept_bytes(const fs::path& folder, const Checkpoint& checkpoint) {
  const fs::path place = path_in(folder, checkpoint);
  int64_t sum = 0;
  for (const CheckpointFile& file : checkpoint.files) {
    std::error_code missing;
    const fs::path path = checkpoint.is_folder() ? place / file.name : place;
    const auto size = fs::file_size(path, missing);
    if (missing) return 0;
    sum += static_cast<int64_t>(size);
  }
  return sum;
}

void check_room(const fs::path& folder, int64_t bytes) {
  std::error_code unknown;
  const fs::space_info disk = fs::space(folder, unknown);
  if (unknown || bytes <= static_cast<int64_t>(disk.available)) return;
  throw failure(fmt::format("{}: {} are needed, {} are free", folder.string(), format_bytes(bytes),
                            format_bytes(static_cast<int64_t>(disk.available))),
                "free some space, or name a folder on another disk with --to or TAGCLIP_HOME");
}

std::string format_bytes(int64_t bytes) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} bytes", bytes);
  double amount = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (amount >= 1024 && unit + 1 < kUnits.size()) {
    amount /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

}  // namespace tagclip

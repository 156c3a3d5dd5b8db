#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "weights/torch/test_pickles.h"

namespace tagclip {

struct ZipEntry {
  std::string name;
  std::string content;
  uint16_t method = 0;    // 0: stored
  uint64_t claimed = ~0;  // the size written down; by default that of the content
};

// A zip archive as it would lie `offset` bytes into a file, zip64 or plain; checksums are zero.
// Tests only.
class ZipWriter {
 public:
  explicit ZipWriter(uint64_t offset = 0, bool zip64 = false) : offset_(offset), zip64_(zip64) {}

  std::string write(const std::vector<ZipEntry>& entries) {
    std::string directory;
    for (const ZipEntry& entry : entries) {
      const uint64_t place = here();
      bytes_ += "PK\x03\x04" + common(entry, place, /*with_place=*/false) + entry.content;
      directory += "PK\x01\x02" + number(45, 2) + common(entry, place, /*with_place=*/true);
    }
    const uint64_t place = here(), count = entries.size();
    bytes_ += directory;
    if (zip64_) {
      const uint64_t end = here();
      bytes_ += "PK\x06\x06" + number(44, 8) + number(45, 2) + number(45, 2) + number(0, 8) +
                number(count, 8) + number(count, 8) + number(directory.size(), 8) +
                number(place, 8);
      bytes_ += "PK\x06\x07" + number(0, 4) + number(end, 8) + number(1, 4);
    }
    bytes_ += "PK\x05\x06" + number(0, 4) + number(count, 2) + number(count, 2) +
              number32(directory.size()) + number32(place) + number(0, 2);
    return std::move(bytes_);
  }

 private:
  static std::string number(uint64_t value, size_t bytes) {
    return pickles::little_endian(value, bytes);
  }
  // The number stands elsewhere in zip64.
  std::string number32(uint64_t value) const { return number(zip64_ ? 0xFFFFFFFF : value, 4); }
  uint64_t here() const { return offset_ + bytes_.size(); }

  // The fields that an entry's own header and its line in the directory share.
  std::string common(const ZipEntry& entry, uint64_t place, bool with_place) const {
    const uint64_t size = entry.claimed != ~uint64_t{0} ? entry.claimed : entry.content.size();
    std::string extra;
    if (zip64_) {
      extra = number(1, 2) + number(with_place ? 24 : 16, 2) + number(size, 8) + number(size, 8);
      if (with_place) extra += number(place, 8);
    }
    std::string header = number(45, 2) + number(0, 2) + number(entry.method, 2) + number(0, 4) +
                         number(0, 4) + number32(size) + number32(size) +
                         number(entry.name.size(), 2) + number(extra.size(), 2);
    if (with_place) header += number(0, 2) + number(0, 8) + number32(place);
    return header + entry.name + extra;
  }

  std::string bytes_;
  uint64_t offset_;
  bool zip64_;
};

// Returns an archive as torch.save writes it: this pickle, and the bytes of its storages by key.
inline std::string torch_archive(const std::string& pickle,
                                 const std::map<std::string, std::string>& storages) {
  std::vector<ZipEntry> entries{{"archive/data.pkl", pickle}};
  for (const auto& [key, bytes] : storages) entries.push_back({"archive/data/" + key, bytes});
  return ZipWriter().write(entries);
}

}  // namespace tagclip

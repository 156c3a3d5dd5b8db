#include "image/deflate.h"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace tagclip {

std::vector<std::byte> zlib_compress(std::span<const uint8_t> bytes) {
  std::vector<uint8_t> tables(ISAL_DEF_LVL1_DEFAULT);
  std::vector<std::byte> compressed(bytes.size() / 4 + 1024);
  size_t done = 0;
  isal_zstream stream{};
  isal_deflate_init(&stream);
  stream.level = 1;
  stream.level_buf = tables.data();
  stream.level_buf_size = static_cast<uint32_t>(tables.size());
  stream.gzip_flag = IGZIP_ZLIB;
  stream.flush = NO_FLUSH;
  while (stream.internal_state.state != ZSTATE_END) {
    // The library counts in 32 bits.
    constexpr size_t kMost = std::numeric_limits<int32_t>::max();
    if (stream.avail_in == 0 && !bytes.empty()) {
      const auto part = bytes.first(std::min(bytes.size(), kMost));
      stream.next_in = const_cast<uint8_t*>(part.data());
      stream.avail_in = static_cast<uint32_t>(part.size());
      bytes = bytes.subspan(part.size());
    }
    stream.end_of_stream = bytes.empty() ? 1 : 0;
    if (done == compressed.size()) compressed.resize(2 * compressed.size());
    const size_t room = std::min(compressed.size() - done, kMost);
    stream.next_out = reinterpret_cast<uint8_t*>(compressed.data() + done);
    stream.avail_out = static_cast<uint32_t>(room);
    const int error = isal_deflate(&stream);
    TAGCLIP_CHECK(error == COMP_OK, "ISA-L compresses: " + std::to_string(error));
    done += room - stream.avail_out;
  }
  compressed.resize(done);
  return compressed;
}

}  // namespace tagclip

#include "runs/tf_record.h"

#include <isa-l.h>

#include <limits>

#include "base/error.h"

namespace tagclip {
namespace {

template <class Integer>
std::string little_endian(Integer value) {
  std::string bytes;
  for (size_t i = 0; i < sizeof value; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  return bytes;
}

uint32_t crc32c(std::string_view data) {
  TAGCLIP_CHECK(data.size() <= std::numeric_limits<int>::max(), "a record below 2 GiB");
  // ISA-L computes the iSCSI polynomial's remainder; what it starts and ends with is the caller's.
  // Its parameter is not const, but it only reads.
  auto* bytes = reinterpret_cast<unsigned char*>(const_cast<char*>(data.data()));
  return ~crc32_iscsi(bytes, static_cast<int>(data.size()), 0xFFFFFFFFU);
}

}  // namespace

uint32_t masked_crc32c(std::string_view data) {
  constexpr uint32_t kMaskDelta = 0xA282EAD8U;
  const uint32_t crc = crc32c(data);
  return (crc >> 15 | crc << 17) + kMaskDelta;
}

std::string tf_record(std::string_view data) {
  const std::string length = little_endian(uint64_t{data.size()});
  std::string record = length + little_endian(masked_crc32c(length));
  record += data;
  return record + little_endian(masked_crc32c(data));
}

}  // namespace tagclip

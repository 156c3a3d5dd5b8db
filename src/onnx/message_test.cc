#include "onnx/message.h"

#include <gtest/gtest.h>

namespace tagclip::onnx {
namespace {

std::string encoded(const Message& message) {
  std::string bytes;
  message.write([&](std::span<const std::byte> part) {
    bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
  });
  EXPECT_EQ(bytes.size(), message.size());
  return bytes;
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// The examples of the encoding's own documentation, and the ends of the range.
TEST(Message, EncodesNumbers) {
  Message message;
  message.add_integer(1, 150);
  EXPECT_EQ(encoded(message), "\x08\x96\x01");
  message.add_integer(16, 0);
  EXPECT_EQ(encoded(message), std::string("\x08\x96\x01\x80\x01\x00", 6));
  Message negative;
  negative.add_integer(1, -2);
  EXPECT_EQ(encoded(negative), "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  Message real;
  real.add_float(2, 1.5F);
  EXPECT_EQ(encoded(real), std::string("\x15\x00\x00\xc0\x3f", 5));
}

TEST(Message, EncodesTexts) {
  Message message;
  message.add_text(2, "testing");
  EXPECT_EQ(encoded(message), "\x12\x07testing");
}

// Bytes that lie elsewhere come where they were added, at any depth.
TEST(Message, RefersToBytes) {
  const std::string first(200, 'a'), second = "bc";
  Message inner, outer, copied_inner, copied;
  inner.add_integer(1, 1);
  inner.add_bytes(9, bytes_of(first));
  inner.add_integer(1, 2);
  inner.add_bytes(9, bytes_of(second));
  copied_inner.add_integer(1, 1);
  copied_inner.add_text(9, first);
  copied_inner.add_integer(1, 2);
  copied_inner.add_text(9, second);
  for (int i = 0; i < 2; ++i) {
    outer.add_text(3, "before");
    outer.add_message(5, inner);
    copied.add_text(3, "before");
    copied.add_message(5, copied_inner);
  }
  EXPECT_EQ(encoded(outer), encoded(copied));
}

}  // namespace
}  // namespace tagclip::onnx

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tagclip::onnx {

// A protocol-buffers message that is being written, field by field, in the order of the calls.
// Field numbers are those of the message's definition (onnx.proto).
class Message {
 public:
  void add_integer(int field, int64_t value);
  void add_float(int field, float value);
  void add_text(int field, std::string_view text);
  void add_message(int field, const Message& message);
  // Refers to the bytes, which must outlive the message.
  void add_bytes(int field, std::span<const std::byte> bytes);

  uint64_t size() const { return text_.size() + referred_bytes_; }
  // Hands out the encoded message piece by piece.
  void write(const std::function<void(std::span<const std::byte>)>& sink) const;

 private:
  void add_varint(uint64_t value);
  void add_key(int field, int wire_type);

  std::string text_;  // all but the bytes that are referred to
  // Bytes that lie elsewhere, with the length of `text_` before them.
  std::vector<std::pair<size_t, std::span<const std::byte>>> referred_;
  uint64_t referred_bytes_ = 0;
};

}  // namespace tagclip::onnx

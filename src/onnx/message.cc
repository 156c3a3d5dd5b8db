#include "onnx/message.h"

#include <bit>

namespace tagclip::onnx {
namespace {

constexpr int kVarint = 0, kLengthDelimited = 2, kFixed32 = 5;

}  // namespace

void Message::add_varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) text_.push_back(static_cast<char>(value | 0x80));
  text_.push_back(static_cast<char>(value));
}

void Message::add_key(int field, int wire_type) {
  add_varint(static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(wire_type));
}

void Message::add_integer(int field, int64_t value) {
  add_key(field, kVarint);
  add_varint(static_cast<uint64_t>(value));
}

void Message::add_float(int field, float value) {
  add_key(field, kFixed32);
  const auto bits = std::bit_cast<uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) text_.push_back(static_cast<char>(bits >> shift));
}

void Message::add_text(int field, std::string_view text) {
  add_key(field, kLengthDelimited);
  add_varint(text.size());
  text_.append(text);
}

void Message::add_message(int field, const Message& message) {
  add_key(field, kLengthDelimited);
  add_varint(message.size());
  for (const auto& [before, bytes] : message.referred_) {
    referred_.emplace_back(text_.size() + before, bytes);
  }
  text_.append(message.text_);
  referred_bytes_ += message.referred_bytes_;
}

void Message::add_bytes(int field, std::span<const std::byte> bytes) {
  add_key(field, kLengthDelimited);
  add_varint(bytes.size());
  referred_.emplace_back(text_.size(), bytes);
  referred_bytes_ += bytes.size();
}

void Message::write(const std::function<void(std::span<const std::byte>)>& sink) const {
  const auto text = std::as_bytes(std::span(text_));
  size_t written = 0;
  for (const auto& [before, bytes] : referred_) {
    sink(text.subspan(written, before - written));
    sink(bytes);
    written = before;
  }
  sink(text.subspan(written));
}

}  // namespace tagclip::onnx

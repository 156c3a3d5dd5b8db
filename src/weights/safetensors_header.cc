#include "weights/safetensors_header.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

using nlohmann::json;

constexpr size_t kMaxDimensions = 64;

// Follows the parser event by event. What is not expected where it stands ends the parse, so
// nesting never goes deeper than three levels.
class HeaderHandler : public nlohmann::json_sax<json> {
 public:
  HeaderHandler(HeaderFields& fields, const std::string& file) : fields_(fields), file_(file) {}

  bool start_object(size_t) override;
  bool key(string_t& name) override;
  bool end_object() override;
  bool start_array(size_t) override;
  bool end_array() override;
  bool string(string_t& value) override;
  bool number_unsigned(number_unsigned_t value) override;

  bool null() override { throw unexpected("null"); }
  bool boolean(bool) override { throw unexpected("a boolean"); }
  bool binary(binary_t&) override { throw unexpected("binary data"); }
  bool number_integer(number_integer_t value) override {
    throw unexpected("the negative number " + std::to_string(value));
  }
  bool number_float(number_float_t, const string_t& text) override {
    throw unexpected("the number " + in_quotes(text));
  }
  bool parse_error(size_t position, const std::string&, const json::exception&) override {
    throw broken(fmt::format("no valid UTF-8 JSON at byte {}", position));
  }

 private:
  // The tokens that may come next.
  enum class Expect {
    kHeader,         // {
    kTensorName,     // a key of the header, or its end
    kMetadata,       // {
    kMetadataKey,    // or the end of the metadata
    kMetadataValue,  // a string
    kTensor,         // {
    kField,          // a key of the tensor, or its end
    kDType,          // a string
    kShape,          // [
    kDimension,      // a number, or the end of the shape
    kOffsets,        // [
    kOffset,         // a number, or the end of the offsets
  };

  void begin_field(const std::string& name);
  TensorFields& tensor() { return fields_.tensors.back(); }

  Error broken(const std::string& what) const {
    return bad_input(file_ + ": broken safetensors header: " + what);
  }
  Error unexpected(const std::string& found) const;
  std::string place() const;

  HeaderFields& fields_;
  const std::string& file_;
  Expect expect_ = Expect::kHeader;
  std::string metadata_key_;
  bool has_metadata_ = false;
  // These belong to the tensor that is being read.
  bool has_dtype_ = false;
  bool has_shape_ = false;
  std::optional<size_t> offsets_read_;
};

bool HeaderHandler::start_object(size_t) {
  switch (expect_) {
    case Expect::kHeader:
      expect_ = Expect::kTensorName;
      return true;
    case Expect::kMetadata:
      expect_ = Expect::kMetadataKey;
      return true;
    case Expect::kTensor:
      expect_ = Expect::kField;
      return true;
    default:
      throw unexpected("an object");
  }
}

bool HeaderHandler::key(string_t& name) {
  if (expect_ == Expect::kMetadataKey) {
    if (fields_.metadata.contains(name))
      throw broken("metadata " + in_quotes(name) + " is there twice");
    metadata_key_ = std::move(name);
    expect_ = Expect::kMetadataValue;
  } else if (expect_ == Expect::kField) {
    begin_field(name);
  } else if (name == kMetadataKey) {
    if (has_metadata_) throw broken("__metadata__ is there twice");
    has_metadata_ = true;
    expect_ = Expect::kMetadata;
  } else {
    fields_.tensors.push_back({std::move(name), {}, {}, {}});
    has_dtype_ = has_shape_ = false;
    offsets_read_.reset();
    expect_ = Expect::kTensor;
  }
  return true;
}

void HeaderHandler::begin_field(const std::string& name) {
  bool again = false;
  if (name == "dtype") {
    again = std::exchange(has_dtype_, true);
    expect_ = Expect::kDType;
  } else if (name == "shape") {
    again = std::exchange(has_shape_, true);
    expect_ = Expect::kShape;
  } else if (name == "data_offsets") {
    again = offsets_read_.has_value();
    offsets_read_ = 0;
    expect_ = Expect::kOffsets;
  } else {
    throw broken(place() + ": expected dtype, shape and data_offsets, found " + in_quotes(name));
  }
  if (again) throw broken(place() + ": " + name + " is there twice");
}

bool HeaderHandler::end_object() {
  if (expect_ == Expect::kField && !(has_dtype_ && has_shape_ && offsets_read_)) {
    throw broken(place() + ": expected dtype, shape and data_offsets, found only some of them");
  }
  expect_ = Expect::kTensorName;
  return true;
}

bool HeaderHandler::start_array(size_t) {
  switch (expect_) {
    case Expect::kShape:
      expect_ = Expect::kDimension;
      return true;
    case Expect::kOffsets:
      expect_ = Expect::kOffset;
      return true;
    default:
      throw unexpected("an array");
  }
}

bool HeaderHandler::end_array() {
  if (expect_ == Expect::kOffset && offsets_read_ != 2u) {
    throw broken(place() + ": data_offsets must hold two numbers");
  }
  expect_ = Expect::kField;
  return true;
}

bool HeaderHandler::string(string_t& value) {
  if (expect_ == Expect::kMetadataValue) {
    fields_.metadata.emplace(std::move(metadata_key_), std::move(value));
    expect_ = Expect::kMetadataKey;
    return true;
  }
  if (expect_ != Expect::kDType) throw unexpected("the string " + in_quotes(value));
  const std::optional<DType> dtype = parse_dtype(value);
  if (!dtype) {
    throw bad_input(file_ + ": " + place() + ": numbers of type " + in_quotes(value) +
                        ", which is not supported",
                    "convert the weights to float16 or float32 with the program that made them");
  }
  tensor().dtype = *dtype;
  expect_ = Expect::kField;
  return true;
}

bool HeaderHandler::number_unsigned(number_unsigned_t value) {
  if (expect_ == Expect::kDimension) {
    if (!std::in_range<int64_t>(value)) throw unexpected("the number " + std::to_string(value));
    if (tensor().shape.size() == kMaxDimensions) {
      throw broken(fmt::format("{}: more than {} dimensions", place(), kMaxDimensions));
    }
    tensor().shape.push_back(static_cast<int64_t>(value));
  } else if (expect_ == Expect::kOffset && *offsets_read_ < 2) {
    auto& [begin, end] = tensor().offsets;
    ((*offsets_read_)++ == 0 ? begin : end) = value;
  } else {
    throw unexpected("the number " + std::to_string(value));
  }
  return true;
}

std::string HeaderHandler::place() const {
  if (expect_ == Expect::kMetadata || expect_ == Expect::kMetadataKey) return "__metadata__";
  if (expect_ == Expect::kMetadataValue) return "metadata " + in_quotes(metadata_key_);
  if (expect_ == Expect::kHeader || fields_.tensors.empty()) return "its top level";
  return "tensor " + in_quotes(fields_.tensors.back().name);
}

Error HeaderHandler::unexpected(const std::string& found) const {
  const auto expected = [this] {
    switch (expect_) {
      case Expect::kMetadataValue:
        return "a string";
      case Expect::kDType:
        return "an element type such as \"F32\"";
      case Expect::kShape:
        return "an array of dimensions";
      case Expect::kDimension:
        return "a dimension of at least 0";
      case Expect::kOffsets:
      case Expect::kOffset:
        return "two offsets of at least 0";
      default:
        return "a JSON object";
    }
  };
  return broken(place() + ": expected " + expected() + ", found " + found);
}

}  // namespace

HeaderFields parse_header_fields(std::string_view text, const std::string& file) {
  // The parser takes a zero byte for the end of its input.
  if (const size_t at = text.find('\0'); at != std::string_view::npos) {
    throw bad_input(fmt::format("{}: broken safetensors header: zero byte at {}", file, at));
  }
  HeaderFields fields;
  HeaderHandler handler(fields, file);
  json::sax_parse(text, &handler);
  return fields;
}

}  // namespace tagclip

#include "serve/segment/segment_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/bounded_json.h"
#include "base/fields.h"
#include "base/text.h"
#include "image/jpeg.h"
#include "image/png.h"
#include "image/webp.h"
#include "infer/options.h"
#include "serve/http/multipart.h"

namespace tagclip {
namespace {

using nlohmann::json;

// The settings of inference that a request may change: those that cost no other encoding.
const std::vector<std::string> kSettings = {
    "refine", "presence", "weighting", "threshold", "seen_bias", "trusty_token", "area_threshold"};
// JSON texts hold at most so many values: each takes some 50 bytes of memory.
constexpr size_t kMaxValues = 200'000;

std::string type_name_of(const json& value) {
  if (value.is_null()) return "null";
  if (value.is_boolean()) return "true or false";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a text";
  return value.is_array() ? "a list" : "an object";
}

Error wrong_type(const std::string& name, const std::string& expected, const json& found) {
  return bad_input(fmt::format("{}: expected {}, found {}", name, expected, type_name_of(found)));
}

std::string text_of(const std::string& name, const json& value) {
  if (!value.is_string()) throw wrong_type(name, "a text", value);
  return value.get<std::string>();
}

// A word of a class. Of what it holds the library checks the rest.
std::string word_of(const std::string& name, const json& value, const RequestLimits& limits) {
  std::string word = text_of(name, value);
  if (word.size() > limits.word_bytes) {
    throw RefusedRequest(
        413, "too_large",
        fmt::format("{}: a word of {} bytes, more than {}", name, word.size(), limits.word_bytes));
  }
  return word;
}

Words words_of(const std::string& name, const json& value, const RequestLimits& limits) {
  if (!value.is_array()) throw wrong_type(name, "a list of texts", value);
  Words words;
  for (size_t i = 0; i < value.size(); ++i) {
    words.push_back(word_of(fmt::format("{}[{}]", name, i), value[i], limits));
  }
  return words;
}

[[noreturn]] void refuse_unknown(const std::string& place, const std::string& name,
                                 const std::vector<std::string>& known) {
  throw bad_input(fmt::format("{}: {} is not known", place, in_quotes(name)),
                  did_you_mean(name, known, fmt::format("known are {}", fmt::join(known, ", "))));
}

Words class_of(const std::string& name, const json& value, const RequestLimits& limits) {
  if (value.is_string()) return {word_of(name, value, limits)};
  if (!value.is_object()) throw wrong_type(name, "a text or an object with a name", value);
  Words words;
  for (const auto& [key, inner] : value.items()) {
    if (key != "name" && key != "synonyms") refuse_unknown(name, key, {"name", "synonyms"});
  }
  if (!value.contains("name")) throw bad_input(name + ": the name is missing");
  words.push_back(word_of(name + ".name", value["name"], limits));
  if (value.contains("synonyms")) {
    const Words more = words_of(name + ".synonyms", value["synonyms"], limits);
    words.insert(words.end(), more.begin(), more.end());
  }
  return words;
}

std::vector<Words> classes_of(const json& value, const RequestLimits& limits) {
  if (!value.is_array()) throw wrong_type("classes", "a list", value);
  std::vector<Words> classes;
  size_t words = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    classes.push_back(class_of(fmt::format("classes[{}]", i), value[i], limits));
    words += classes.back().size();
    if (words > limits.classes) {
      throw RefusedRequest(413, "too_large",
                           fmt::format("classes: more than {} words", limits.classes),
                           "ask in several requests");
    }
  }
  return classes;
}

Words background_of(const json& value, const RequestLimits& limits) {
  if (value.is_null()) return {};
  if (value.is_boolean()) return value.get<bool>() ? Words{"common"} : Words{};
  if (value.is_string()) {
    const std::string word = text_of("background", value);
    if (word == "common") return {word};
    throw bad_input(fmt::format("background: found {}", in_quotes(word)),
                    "it is true, false, \"common\" or a list of words");
  }
  Words words = words_of("background", value, limits);
  if (words.size() > limits.classes) {
    throw RefusedRequest(413, "too_large",
                         fmt::format("background: more than {} words", limits.classes));
  }
  return words;
}

std::vector<AnswerPart> parts_of(const json& value) {
  if (!value.is_array()) throw wrong_type("outputs", "a list of texts", value);
  std::vector<AnswerPart> parts;
  for (const json& entry : value) {
    const std::string name = text_of("outputs", entry);
    const auto known = std::ranges::find(kAnswerParts, name, [](const auto& p) { return p.first; });
    if (known == kAnswerParts.end()) {
      std::vector<std::string> names;
      for (const auto& [part, unused] : kAnswerParts) names.emplace_back(part);
      refuse_unknown("outputs", name, names);
    }
    parts.push_back(known->second);
  }
  return parts;
}

FieldValue setting_of(const std::string& name, const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) {
    // A larger one is out of every setting's range, too.
    return value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX ? INT64_MAX
                                                                           : value.get<int64_t>();
  }
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  throw wrong_type(name, "a text, a number, true or false", value);
}

void set_option(InferenceOptions& options, const std::string& name, const json& value) {
  if (name == "seen_bias" && value.is_null()) {
    options.seen_bias.reset();
    return;
  }
  fields(options).only(kSettings).set(name, setting_of(name, value));
}

json parse_object(const std::string& text, const char* what, size_t max_bytes) {
  const auto separators =
      std::ranges::count_if(text, [](char c) { return c == ',' || c == '[' || c == '{'; });
  if (static_cast<size_t>(separators) > kMaxValues) {
    throw RefusedRequest(413, "too_large",
                         fmt::format("{} holds more than {} values", what, kMaxValues));
  }
  std::optional<json> value = parse_bounded_json(text, max_bytes);
  if (!value) {
    const bool large = text.size() > kMaxJsonBytes;  // too long to look for the place
    throw bad_input(fmt::format("{} is not JSON{}", what, large ? "" : ": " + json_fault(text)));
  }
  if (!value->is_object()) throw wrong_type(what, "an object", *value);
  return std::move(*value);
}

// Accepts a data URI, too, as pages have it.
std::string photo_of(const json& value) {
  const std::string& text = value.is_string() ? value.get_ref<const std::string&>()
                                              : throw wrong_type("photo", "a text", value);
  std::string_view digits = text;
  if (digits.starts_with("data:")) {
    constexpr std::string_view kMark = ";base64,";
    const size_t mark = digits.substr(0, 100).find(kMark);
    if (mark == digits.npos) throw bad_input("photo: the data URI is not base64");
    digits.remove_prefix(mark + kMark.size());
  }
  std::optional<std::string> bytes = from_base64(digits);
  if (!bytes) {
    throw bad_input("photo: not base64",
                    "send the bytes of the file in base64 without line breaks, or as a form");
  }
  return std::move(*bytes);
}

void read_members(const json& object, const RequestLimits& limits, SegmentRequest& result) {
  static const std::vector<std::string> kMembers = [] {
    std::vector<std::string> names = {"encoding",   "photo",    "classes",
                                      "background", "synonyms", "outputs"};
    names.insert(names.end(), kSettings.begin(), kSettings.end());
    return names;
  }();
  for (const auto& [name, value] : object.items()) {
    if (name == "encoding") {
      result.encoding = text_of(name, value);
      if (result.encoding.empty()) throw bad_input("encoding: an empty text was given");
    } else if (name == "photo") {
      result.photo = photo_of(value);
      if (result.photo.empty()) throw bad_input("photo: an empty text was given");
    } else if (name == "classes") {
      result.words.classes = classes_of(value, limits);
    } else if (name == "background") {
      result.words.background = background_of(value, limits);
    } else if (name == "synonyms") {
      VocabularyOptions words;
      fields(words).set_from_text("synonyms", text_of(name, value));
      result.words.synonyms = words.synonyms;
    } else if (name == "outputs") {
      result.parts = parts_of(value);
    } else if (std::ranges::find(kSettings, name) != kSettings.end()) {
      set_option(result.options, name, value);
    } else {
      refuse_unknown("the request", name, kMembers);
    }
  }
}

// Refuses long and thin photos: resized to the model's short side, a file of some bytes keeps it
// busy for minutes.
void check_windows(const ImageSize& size, const RequestLimits& limits) {
  const size_t windows = limits.windows_of ? limits.windows_of(size.width, size.height) : 0;
  if (windows <= limits.windows) return;
  throw RefusedRequest(
      413, "too_large",
      fmt::format("photo: {} x {} pixels are so long and thin that the model looks "
                  "at them through {} windows, more than {}",
                  size.width, size.height, windows, limits.windows),
      "cut the photo into pieces that are less long");
}

std::string content_type_of(const ClientRequest& request) {
  const std::string* type = request.header("content-type");
  return type == nullptr ? "" : *type;
}

bool is_json(const std::string& content_type) {
  std::string type(trim(content_type.substr(0, content_type.find(';'))));
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return std::tolower(c); });
  return type == "application/json";
}

// The parts of a form, each of which may stand there once.
struct PhotoForm {
  std::string_view photo;
  std::string_view request;
};

PhotoForm read_form(const ClientRequest& request, const std::vector<std::string>& known) {
  PhotoForm form;
  std::vector<std::string> found;
  for (const FormPart& part : parse_multipart(request.body, content_type_of(request))) {
    if (std::ranges::find(known, part.name) == known.end()) {
      refuse_unknown("the form", part.name, known);
    }
    if (std::ranges::find(found, part.name) != found.end()) {
      throw bad_input(fmt::format("the form has two parts called {}", part.name));
    }
    found.push_back(part.name);
    (part.name == "photo" ? form.photo : form.request) = part.content;
  }
  return form;
}

}  // namespace

void check_photo(std::string_view photo, const RequestLimits& limits) {
  const auto bytes = std::as_bytes(std::span(photo));
  const ImageLimits any{.max_pixels = INT64_MAX};
  ImageSize size;
  if (is_jpeg(bytes)) {
    size = jpeg_size(bytes, "photo", any);
  } else if (is_png(bytes)) {
    const PngHeader header = read_png_header(bytes, "photo", any);
    size = {header.width, header.height};
  } else if (is_webp(bytes)) {
    size = webp_size(bytes, "photo", any);
  } else {
    throw RefusedRequest(415, "bad_input", "photo: not a JPEG, PNG or WebP image",
                         "save it as one of these");
  }
  if (int64_t{size.width} * size.height > limits.pixels) {
    throw RefusedRequest(413, "too_large",
                         fmt::format("photo: {} x {} pixels are more than {}", size.width,
                                     size.height, limits.pixels),
                         "send a smaller photo: the model looks at no more than a few megapixels");
  }
  check_windows(size, limits);
}

bool SegmentRequest::asks_for(AnswerPart part) const {
  return std::ranges::find(parts, part) != parts.end();
}

SegmentRequest read_segment_request(const ClientRequest& request, const InferenceOptions& defaults,
                                    const RequestLimits& limits) {
  SegmentRequest result{.options = defaults};
  const std::string type = content_type_of(request);
  if (is_multipart(type)) {
    const PhotoForm form = read_form(request, {"photo", "request"});
    if (!form.request.empty()) {
      const std::string text(form.request);
      read_members(parse_object(text, "the part request", kMaxJsonBytes), limits, result);
    }
    if (!form.photo.empty()) {
      if (!result.photo.empty()) throw bad_input("the photo is given twice");
      result.photo = form.photo;
    }
  } else if (is_json(type)) {
    read_members(parse_object(request.body, "the body", request.body.size()), limits, result);
  } else {
    throw RefusedRequest(415, "bad_input", fmt::format("a body of type {}", in_quotes(type)),
                         "send application/json, or multipart/form-data with the parts photo and "
                         "request");
  }
  if (result.encoding.empty() == result.photo.empty()) {
    throw bad_input(result.photo.empty() ? "there is neither an encoding nor a photo"
                                         : "there are both an encoding and a photo",
                    "give the id of an encoding (POST /v1/encodings), or a photo");
  }
  if (!result.photo.empty()) check_photo(result.photo, limits);
  const std::string* accept = request.header("accept");
  result.as_png = accept != nullptr && accept->starts_with("image/png");
  return result;
}

std::string read_encoding_request(const ClientRequest& request, const RequestLimits& limits) {
  const std::string type = content_type_of(request);
  std::string photo =
      is_multipart(type) ? std::string(read_form(request, {"photo"}).photo) : request.body;
  if (photo.empty()) {
    throw bad_input("there is no photo",
                    "send the bytes of the file as the body, or as the part photo of a form");
  }
  check_photo(photo, limits);
  return photo;
}

}  // namespace tagclip

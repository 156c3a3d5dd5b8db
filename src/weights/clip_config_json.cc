#include "weights/clip_config_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/text.h"
#include "weights/weights_dialect.h"

namespace tagclip {
namespace {

using nlohmann::json;

constexpr int64_t kMaxSize = 1 << 16;

// An object of a config, which knows where it stands for messages.
class Section {
 public:
  Section(const json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object.is_object()) reject("expected an object");
  }

  Section section(const char* key) const {
    static const json kEmpty = json::object();
    const auto found = object_.find(key);
    return {found == object_.end() || found->is_null() ? kEmpty : *found, where_ + ", " + key};
  }
  bool contains(const char* key) const {
    const auto found = object_.find(key);
    return found != object_.end() && !found->is_null();
  }
  // Returns a whole number from 1; `otherwise` where there is none.
  int64_t size(const char* key, int64_t otherwise) const {
    if (!contains(key)) return otherwise;
    const json& value = object_.at(key);
    // The value is compared before it is converted: a large number must not come out negative.
    if (!value.is_number_integer() || value.is_number_float() || value < 1 || value > kMaxSize) {
      reject(fmt::format("{}: expected a whole number from 1 to {}, found {}", key, kMaxSize,
                         shown(value)));
    }
    return value.get<int64_t>();
  }
  double number(const char* key, double otherwise) const {
    if (!contains(key)) return otherwise;
    const json& value = object_.at(key);
    if (!value.is_number()) reject(fmt::format("{}: expected a number", key));
    return value.get<double>();
  }
  bool flag(const char* key) const {
    if (!contains(key)) return false;
    const json& value = object_.at(key);
    if (!value.is_boolean()) reject(fmt::format("{}: expected true or false", key));
    return value.get<bool>();
  }
  std::string text(const char* key, const char* otherwise) const {
    if (!contains(key)) return otherwise;
    const json& value = object_.at(key);
    if (!value.is_string()) reject(fmt::format("{}: expected a text", key));
    return value.get<std::string>();
  }
  bool is_list(const char* key) const { return contains(key) && object_.at(key).is_array(); }

  // Every key must be one whose meaning is known: read elsewhere (`known`), or one of `defaults`
  // with a value that changes nothing. false, null and {} change nothing anywhere.
  void expect_plain(std::initializer_list<std::string_view> known,
                    std::initializer_list<std::pair<std::string_view, json>> defaults) const {
    for (const auto& [key, value] : object_.items()) {
      if (std::ranges::find(known, key) != known.end() || value.is_null() || value == json(false) ||
          value == json::object()) {
        continue;
      }
      const auto plain =
          std::ranges::find(defaults, key, [](const auto& entry) { return entry.first; });
      if (plain != defaults.end() && plain->second == value) continue;
      reject(fmt::format("{} is {}: such a variant of CLIP is not supported", in_quotes(key),
                         shown(value)));
    }
  }
  void refuse_unless_empty(const char* key) const {
    if (!contains(key) || object_.at(key).empty()) return;
    reject(fmt::format("{} is {}: such a variant of CLIP is not supported", key,
                       shown(object_.at(key))));
  }
  bool are_numbers(const char* key, std::initializer_list<double> expected) const {
    const auto near = [](const json& found, double wanted) {
      return found.is_number() && std::abs(found.get<double>() - wanted) < 1e-3;
    };
    return contains(key) && object_.at(key).is_array() &&
           std::ranges::equal(object_.at(key), expected, near);
  }
  // Refuses any numbers but these; the key may be missing.
  void expect_numbers(const char* key, std::initializer_list<double> expected) const {
    if (!contains(key) || are_numbers(key, expected)) return;
    reject(fmt::format("{} is {}: other than CLIP's own or ImageNet's is not supported", key,
                       shown(object_.at(key))));
  }
  [[noreturn]] void reject(const std::string& why) const {
    throw bad_input(where_ + ": " + why, "plain CLIPs with a ViT are supported");
  }

 private:
  static std::string shown(const json& value) {
    std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
    return text.size() <= 40 ? text : text.substr(0, 40) + "...";
  }

  const json& object_;
  std::string where_;
};

json parse(std::string_view text, const std::string& source) {
  std::optional<json> value = parse_bounded_json(text);
  if (!value) {
    throw bad_input(source + ", " + json_fault(text), "fetch the file again, or mend it there");
  }
  if (!value->is_object()) throw bad_input(source + ": not a JSON object");
  return std::move(*value);
}

bool is_quick_gelu(const Section& section) {
  const std::string name = section.text("hidden_act", "quick_gelu");
  if (name != "quick_gelu" && name != "gelu") {
    section.reject("hidden_act: expected quick_gelu or gelu, found " + in_quotes(name));
  }
  return name == "quick_gelu";
}

void check_epsilon(const Section& section) {
  if (std::abs(section.number("layer_norm_eps", 1e-5) - 1e-5) > 1e-9) {
    section.reject("layer_norm_eps: expected 1e-5, as in every CLIP");
  }
}

// transformers takes a text's embedding at the first token of this id; 2 stands for the highest id,
// which is the end token's in CLIP's vocabulary and what the towers here look for.
void check_end_token(const Section& words) {
  const int64_t last = words.size("vocab_size", 49408) - 1;
  if (!words.contains("eos_token_id")) return;
  const int64_t end = words.size("eos_token_id", last);
  if (end == 2 || end == last) return;
  words.reject(
      fmt::format("eos_token_id: expected {}, the vocabulary's last, or 2; found {}", last, end));
}

// Returns one tower of a CLIPConfig. transformers lets `text_config_dict`, with the defaults of
// what it leaves out, override all of `text_config`.
Section hugging_face_tower(const Section& all, const char* key, const char* dict) {
  const Section tower = all.section(all.contains(dict) ? dict : key);
  check_epsilon(tower);
  tower.refuse_unless_empty("quantization_config");
  tower.refuse_unless_empty("pruned_heads");
  return tower;
}

// Returns the width inside an MLP, of which open_clip takes the whole part; 0 if not stated.
int64_t mlp_width(const Section& section, int64_t width) {
  if (!section.contains("mlp_ratio")) return 0;
  const double ratio = section.number("mlp_ratio", 4.0);
  if (ratio <= 0 || ratio > 1024) section.reject("mlp_ratio: expected a positive number");
  return static_cast<int64_t>(static_cast<double>(width) * ratio);
}

// open_clip's text in its own words: the tokenizer here is its default.
void check_tokenizer(const Section& words) {
  if (!words.text("hf_tokenizer_name", "").empty()) {
    words.reject("hf_tokenizer_name is " + in_quotes(words.text("hf_tokenizer_name", "")) +
                 ": only CLIP's own tokenizer is supported");
  }
  const Section settings = words.section("tokenizer_kwargs");
  settings.expect_plain(
      {},
      {{"clean", "lower"}, {"reduction_mask", ""}, {"additional_special_tokens", json::array()}});
}

// True if photos are normalised with ImageNet's numbers; otherwise they must be CLIP's own.
bool are_imagenets(const Section& preprocess, const char* mean, const char* deviation) {
  if (preprocess.are_numbers(mean, {0.485, 0.456, 0.406}) &&
      preprocess.are_numbers(deviation, {0.229, 0.224, 0.225})) {
    return true;
  }
  preprocess.expect_numbers(mean, {0.48145466, 0.4578275, 0.40821073});
  preprocess.expect_numbers(deviation, {0.26862954, 0.26130258, 0.27577711});
  return false;
}

}  // namespace

ClipConfigJson parse_hugging_face_config(std::string_view text, const std::string& source) {
  const json object = parse(text, source);
  const Section all(object, source);
  const std::string type = all.text("model_type", "");
  if (type != "clip") {
    all.reject(type.empty() ? "there is no model_type: not a model's config"
                            : fmt::format("model_type {}: {}, not a CLIP", in_quotes(type),
                                          describe_model_type(type)));
  }
  all.refuse_unless_empty("quantization_config");
  const Section vision = hugging_face_tower(all, "vision_config", "vision_config_dict");
  const Section words = hugging_face_tower(all, "text_config", "text_config_dict");
  if (vision.size("num_channels", 3) != 3) vision.reject("num_channels: expected 3");
  check_end_token(words);
  const bool quick = is_quick_gelu(vision);
  if (quick != is_quick_gelu(words)) {
    all.reject("hidden_act differs between the towers, which is not supported");
  }
  // The defaults are those of the classes of transformers.
  return {.vision_heads = vision.size("num_attention_heads", 12),
          .text_heads = words.size("num_attention_heads", 8),
          .quick_gelu = quick,
          .embedding = all.size("projection_dim", 0),
          .resolution = vision.size("image_size", 0),
          .patch = vision.size("patch_size", 0),
          .context = words.size("max_position_embeddings", 0),
          .vocabulary = words.size("vocab_size", 0),
          .vision_width = vision.size("hidden_size", 0),
          .vision_layers = vision.size("num_hidden_layers", 0),
          .vision_mlp = vision.size("intermediate_size", 0),
          .text_width = words.size("hidden_size", 0),
          .text_layers = words.size("num_hidden_layers", 0),
          .text_mlp = words.size("intermediate_size", 0)};
}

ClipConfigJson parse_open_clip_config(std::string_view text, const std::string& source) {
  const json object = parse(text, source);
  const Section file(object, source);
  const Section all = file.contains("model_cfg") ? file.section("model_cfg") : file;
  if (!all.contains("vision_cfg") || !all.contains("text_cfg")) {
    all.reject("there is no vision_cfg and text_cfg: not a model's config");
  }
  const Section vision = all.section("vision_cfg"), words = all.section("text_cfg");
  if (vision.is_list("layers")) vision.reject("layers is a list: a ResNet is not supported");
  // open_clip has many variants that the tensors' names do not give away. Of the keys that are
  // taken with any value some are read below; others set what plain CLIPs do without, or what only
  // training does.
  all.expect_plain({"embed_dim", "quick_gelu", "vision_cfg", "text_cfg", "custom_text",
                    "init_logit_scale", "nonscalar_logit_scale", "cast_dtype"},
                   {});
  vision.expect_plain(
      {"layers", "width", "head_width", "mlp_ratio", "patch_size", "image_size", "patch_dropout",
       "attn_pooler_queries", "attn_pooler_heads", "timm_model_pretrained", "timm_pool",
       "timm_proj", "timm_proj_bias", "timm_drop", "timm_drop_path"},
      {{"pool_type", "tok"}, {"pos_embed_type", "learnable"}});
  words.expect_plain({"context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio",
                      "pad_id", "eos_id", "hf_model_pretrained", "hf_proj_type", "hf_pooler_type",
                      "hf_tokenizer_name", "tokenizer_kwargs"},
                     {{"pool_type", "argmax"}, {"proj_type", "linear"}});
  check_tokenizer(words);

  const int64_t width = vision.size("width", 768), head = vision.size("head_width", 64);
  if (width % head != 0) vision.reject("width: expected a multiple of head_width");
  const int64_t text_width = words.size("width", 512);
  return {.vision_heads = width / head,
          .text_heads = words.size("heads", 8),
          .quick_gelu = all.flag("quick_gelu"),
          .imagenet_statistics = are_imagenets(file.section("preprocess_cfg"), "mean", "std"),
          .embedding = all.size("embed_dim", 0),
          .resolution = vision.is_list("image_size") ? 0 : vision.size("image_size", 0),
          .patch = vision.size("patch_size", 0),
          .context = words.size("context_length", 0),
          .vocabulary = words.size("vocab_size", 0),
          .vision_width = width,
          .vision_layers = vision.size("layers", 0),
          .vision_mlp = mlp_width(vision, width),
          .text_width = words.size("width", 0),
          .text_layers = words.size("layers", 0),
          .text_mlp = mlp_width(words, text_width)};
}

bool parse_preprocessor_config(std::string_view text, const std::string& source) {
  const json object = parse(text, source);
  return are_imagenets(Section(object, source), "image_mean", "image_std");
}

}  // namespace tagclip

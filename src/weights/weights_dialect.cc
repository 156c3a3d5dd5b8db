#include "weights/weights_dialect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/bounded_json.h"
#include "base/files.h"
#include "base/text.h"

namespace tagclip {
namespace {

enum class Kind { kOther, kClip, kHuggingFaceClip, kSegmentation };

constexpr const char* kTakeAnother =
    "it computes something else than CLIP: use a CLIP with a plain ViT, such as ViT-B-16 of OpenAI "
    "or open_clip";
constexpr const char* kGiveWhole = "give the whole CLIP, both towers in one file or folder";
constexpr const char* kMerge =
    "merge it into the CLIP it was trained on, in Python with peft: model.merge_and_unload() and "
    "save_pretrained";
constexpr const char* kTimm =
    "give the whole CLIP: timm's repositories of CLIPs hold it as open_clip_model.safetensors";

struct Sign {
  std::string_view first, second;  // both must begin a name; `second` may be empty
  std::string_view description;
  Kind kind = Kind::kOther;
  std::string_view advice = {};
};

// The first match counts.
constexpr auto kSigns = std::to_array<Sign>({
    {"in.", "", "reference values for tagclip verify"},
    {"adamw.", "", "the state of a training run"},
    {"backbone.", "decode_head.decoder_1.", "a segmentation model of ZegCLIP's own code",
     Kind::kSegmentation},
    {"backbone.", "decode_head.disc_token", "a TagCLIP segmentation model", Kind::kSegmentation},
    {"backbone.", "decode_head.", "a ZegCLIP-like segmentation model without a trusty token",
     Kind::kSegmentation},

    // Relatives of CLIP that compute something else.
    {"visual.trunk.", "logit_bias", "a SigLIP in open_clip's layout", Kind::kOther, kTakeAnother},
    {"visual.trunk.rope.", "", "an EVA-CLIP in open_clip's layout", Kind::kOther, kTakeAnother},
    {"visual.trunk.stem.0.conv_", "", "a MobileCLIP in open_clip's layout", Kind::kOther,
     kTakeAnother},
    {"visual.trunk.", "", "an open_clip model with a timm vision tower", Kind::kOther,
     kTakeAnother},
    {"image_encoder.model.", "text_encoder.", "a MobileCLIP", Kind::kOther, kTakeAnother},
    {"visual.patch_embed.", "text.", "an EVA-CLIP", Kind::kOther, kTakeAnother},
    {"visual.patch_embed.", "", "the vision tower of an EVA-CLIP", Kind::kOther, kTakeAnother},
    {"visual.conv1.weight", "text_decoder.", "a CoCa", Kind::kOther, kTakeAnother},
    {"visual.conv1.weight", "bert.", "a Chinese-CLIP", Kind::kOther, kTakeAnother},
    {"visual.conv1.weight", "positional_embedding_res", "a Long-CLIP", Kind::kOther, kTakeAnother},
    {"vision_model.", "text_model.embeddings.word_embeddings.", "a Chinese-CLIP", Kind::kOther,
     kTakeAnother},
    {"vision_model.", "text_model.roberta.", "an AltCLIP", Kind::kOther, kTakeAnother},
    {"vision_model.head.", "", "a SigLIP in Hugging Face's layout", Kind::kOther, kTakeAnother},
    {"visual.layer1.", "token_embedding.weight", "a CLIP with a ResNet, which is not supported",
     Kind::kOther, "use one with a ViT, such as ViT-B-16"},

    {"visual.conv1.weight", "token_embedding.weight", "a CLIP with OpenAI's names", Kind::kClip},
    {"visual.conv1.weight", "text.", "an open_clip model with a text tower of its own",
     Kind::kOther, kTakeAnother},
    {"vision_model.embeddings.patch_embedding.", "text_model.", "a CLIP in Hugging Face's layout",
     Kind::kHuggingFaceClip},
    {"vision_model.embeddings.patch_embedding.", "",
     "the vision tower of a CLIP in Hugging Face's layout", Kind::kOther, kGiveWhole},
    {"text_model.", "", "the text tower of a CLIP in Hugging Face's layout", Kind::kOther,
     kGiveWhole},
    {"conv1.weight", "ln_pre.weight", "the vision tower of a CLIP alone", Kind::kOther, kGiveWhole},
    {"visual.conv1.weight", "", "the vision tower of a CLIP alone", Kind::kOther, kGiveWhole},
    {"token_embedding.weight", "ln_final.", "the text tower of a CLIP alone", Kind::kOther,
     kGiveWhole},
    {"patch_embed.proj.weight", "blocks.", "a vision transformer of timm", Kind::kOther, kTimm},
    {"backbone.", "", "the backbone of a segmentation model alone"},
});

struct Named {
  std::string_view model_type, description;
};

// These stand in Hugging Face's configs.
constexpr auto kModelTypes = std::to_array<Named>({
    {"siglip", "a SigLIP"},
    {"siglip2", "a SigLIP 2"},
    {"chinese_clip", "a Chinese-CLIP"},
    {"altclip", "an AltCLIP"},
    {"clipseg", "a CLIPSeg"},
    {"metaclip_2", "a MetaCLIP 2"},
    {"clip_vision_model", "the vision tower of a CLIP alone"},
    {"clip_text_model", "the text tower of a CLIP alone"},
    {"align", "an ALIGN"},
    {"blip", "a BLIP"},
    {"blip-2", "a BLIP-2"},
    {"groupvit", "a GroupViT"},
    {"owlvit", "an OWL-ViT"},
    {"owlv2", "an OWLv2"},
    {"xclip", "an X-CLIP"},
    {"jina_clip", "a Jina CLIP"},
    {"vision-text-dual-encoder", "a pair of towers of other models"},
});

const Sign* sign_of(const StoredWeights& stored) {
  for (const Sign& sign : kSigns) {
    if (stored.contains_prefix(sign.first) && stored.contains_prefix(sign.second)) return &sign;
  }
  return nullptr;
}

Kind kind_of(const StoredWeights& stored) {
  const Sign* sign = sign_of(stored);
  return sign != nullptr ? sign->kind : Kind::kOther;
}

bool has_adapter(const StoredWeights& stored) {
  return std::ranges::any_of(stored.tensors, [](const TensorView& tensor) {
    return tensor.name.find(".lora_A.") != tensor.name.npos;
  });
}

// Returns true for a CLIP without the layer norm before its blocks, such as CLIPA.
bool lacks_first_norm(const StoredWeights& stored) {
  return kind_of(stored) == Kind::kClip && stored.contains_prefix("visual.transformer.") &&
         !stored.contains_prefix("visual.ln_pre.");
}

// Returns the model_type in the config.json beside weights of Hugging Face's layout, or of none
// that is known. Nothing where there is none, or it says "clip".
std::optional<std::string> other_model_type(const StoredWeights& stored) {
  const bool is_theirs = stored.contains_prefix("vision_model.") ||
                         stored.contains_prefix("text_model.") || sign_of(stored) == nullptr;
  const auto file = stored.file_beside("config.json");
  if (!is_theirs || !file || stored.tensors.empty()) return {};
  const auto config = parse_bounded_json(read_text(*file, 4 << 20));
  if (!config || !config->is_object()) return {};
  const auto type = config->find("model_type");
  if (type == config->end() || !type->is_string() || *type == "clip") return {};
  return type->get<std::string>();
}

}  // namespace

std::string describe_model_type(std::string_view model_type) {
  const auto found = std::ranges::find(kModelTypes, model_type, &Named::model_type);
  return found != kModelTypes.end() ? std::string(found->description)
                                    : "a model of type " + in_quotes(model_type);
}

std::string describe_weights(const StoredWeights& stored) {
  if (!stored.wrapping.several.empty()) {
    std::string list;
    for (const std::string& prefix : stored.wrapping.several) {
      if (list.size() > 200) {
        list += ", ...";
        break;
      }
      list += (list.empty() ? "" : ", ") + in_quotes(prefix);
    }
    return "several models, their names behind " + list;
  }
  if (stored.tensors.empty()) return "a file without tensors";
  if (has_adapter(stored)) return "a LoRA adapter, which changes a model and is none by itself";
  if (const auto type = other_model_type(stored)) {
    return fmt::format("{} (model_type {} in config.json)", describe_model_type(*type),
                       one_line(*type, 40));
  }
  if (lacks_first_norm(stored)) return "a CLIPA or another CLIP without visual.ln_pre";
  const Sign* sign = sign_of(stored);
  if (sign != nullptr) return std::string(sign->description);
  return "another model (its first tensor is " + in_quotes(stored.tensors.front().name) + ")";
}

std::string advice_for(const StoredWeights& stored) {
  if (!stored.wrapping.several.empty()) {
    return "save one of them alone, in Python: torch.save(checkpoint['NAME'], path)";
  }
  if (has_adapter(stored)) return kMerge;
  if (other_model_type(stored) || lacks_first_norm(stored)) return kTakeAnother;
  const Sign* sign = sign_of(stored);
  return sign != nullptr ? std::string(sign->advice) : "";
}

Error not_a_clip(const StoredWeights& stored) {
  std::string advice = advice_for(stored);
  if (advice.empty()) advice = "tagclip info " + stored.source + " tells what it holds";
  return bad_input(stored.source + ": not a CLIP; it looks like " + describe_weights(stored),
                   std::move(advice));
}

bool is_segmentation_model(const StoredWeights& stored) {
  return stored.contains_prefix("backbone.") && stored.contains_prefix("decode_head.");
}

bool is_clip(const StoredWeights& stored) {
  if (!stored.wrapping.several.empty() || has_adapter(stored)) return false;
  const Kind kind = kind_of(stored);
  if (kind == Kind::kHuggingFaceClip) return !other_model_type(stored);
  return kind == Kind::kClip && !lacks_first_norm(stored);
}

Dialect dialect_of(const StoredWeights& clip) {
  if (clip.metadata.contains(kClipSettings)) return Dialect::kTagclip;
  if (kind_of(clip) == Kind::kHuggingFaceClip) return Dialect::kHuggingFace;
  return clip.find(kOpenAiScalars[0]) ? Dialect::kOpenAi : Dialect::kOpenClip;
}

std::string_view to_string(Dialect dialect) {
  constexpr std::array<std::string_view, 4> kNames = {"tagclip", "OpenAI", "open_clip",
                                                      "Hugging Face"};
  return kNames[static_cast<size_t>(dialect)];
}

}  // namespace tagclip

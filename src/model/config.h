#pragma once

#include <string>
#include <vector>

#include "base/fields.h"
#include "clip/clip.h"
#include "clip/weights.h"

namespace tagclip {

// The side that is followed where the paper's text and the authors' code differ (spec section 9).
//
// Both have these of the release, where the text says less or something else:
// - Eq. 5 is standard multi-head attention with its projections; the equation has neither heads nor
//   projections, the text says "multi-head".
// - Eq. 6's Q = T~ goes through a Linear as K and V do.
// - The divisor of Eq. 3 and 7 is heads sqrt(d / heads) in place of sqrt(d); weights absorb it.
// - Eq. 8's product with P enters at inference alone (losses.h).
// - At inference 0.1 is subtracted from the scores of seen classes (calibrated stacking), unless
//   the settings say otherwise; the text has no such step.
enum class Protocol {
  // Here sigmoid(trusty logit) = P(seen) (Eq. 9); the trusty map has a dice loss (Eq. 10); there is
  // a classification term (L_cls of Eq. 11), and so P (Eq. 7, 8).
  kPaper,
  // Here sigmoid(trusty logit) = P(unseen); the trusty map has a focal loss; neither L_cls nor P.
  kReleased,
};

// Lists inputs of the Trusty Learner's queries, keys and values (Table 1 (c)), made of the class
// words with the trusty token, T' [Q, d], and the image, h [B, d]. h is the class token, repeated
// for every query, as in the released code: the paper's caption calls it patch embeddings, but then
// the learner's output would have a row per patch instead of per class, and H H T would pair N keys
// with Q values.
enum class LearnerInput {
  kTHat,     // [T' * h, T'], 2d (Eq. 4)
  kText,     // T', d
  kImage,    // h, d
  kProduct,  // T' * h, d
  kConcat,   // [T', h], 2d
};

// Names the authors of the decode head. The two differ in start values (start_values.h) and in
// weights that nothing reads; ZegCLIP's has neither trusty token nor self-attention.
enum class Architecture {
  kTagClip,  // the TagCLIP repository's, with its switches
  kZegClip,  // the ZegCLIP repository's
};

// Describes the structure of a model. The defaults are TagCLIP's for ViT-B/16 on VOC.
struct ModelConfig {
  ClipConfig clip{.resolution = 512};
  int64_t prompts = 10;  // tokens per layer; 0 = none
  // The number of layers with prompts of their own, from the first; 0 = all, 1 = shallow prompts.
  // What becomes of them above depends on `protocol`, unless all layers (two or more) have prompts:
  // - kReleased, as the released encoder: after the last prompted layer prompt tokens are dropped.
  //   Shallow prompts are the exception: they stay to the last layer, and prompt_norm is never
  //   applied.
  // - kPaper, as visual prompt tuning has it, since the text says no more than that all layers have
  //   prompts: the last prompts go on through the layers above as tokens like any other, and
  //   prompt_norm is applied whatever the depth.
  int64_t prompt_depth = 0;
  int64_t decoder_layers = 3;
  int64_t decoder_heads = 8;
  // Gives a letter per layer, joined by "_": a = self-attention over the queries, n = none.
  std::string self_attention = "a_n_n";
  bool trusty_token = true;
  // These are the inputs of the Trusty Learner. T-hat three times, as in TagCLIP, is one Linear
  // (the relationship descriptor) and the first layer's self-attention (Eq. 5); anything else is a
  // module before the decoder, see TrustyLearner.
  LearnerInput learner_query = LearnerInput::kTHat;
  LearnerInput learner_key = LearnerInput::kTHat;
  LearnerInput learner_value = LearnerInput::kTHat;
  bool learner_text_after = false;  // whether T' joins that module's output (Figure 4)
  Architecture architecture = Architecture::kTagClip;
  Protocol protocol = Protocol::kReleased;

  bool has_self_attention(int64_t layer) const { return self_attention.at(2 * layer) == 'a'; }
  // Layers of ZegCLIP's repository carry self-attention weights that nothing reads.
  bool has_unused_self_attention() const { return architecture == Architecture::kZegClip; }
  int64_t prompted_layers() const { return prompt_depth > 0 ? prompt_depth : clip.vision_layers; }
  // True if the prompts of the last prompted layer are tokens of the layers above, too.
  bool carries_prompts() const {
    if (prompts == 0) return false;
    if (protocol == Protocol::kReleased) return prompted_layers() == 1;
    return prompted_layers() < clip.vision_layers;
  }
  // True if prompt_norm comes after the last layer; its weights are there in any case.
  bool applies_prompt_norm() const {
    return prompts > 0 && (protocol == Protocol::kPaper || prompted_layers() > 1);
  }
  bool has_own_learner() const {
    return learner_query != LearnerInput::kTHat || learner_key != LearnerInput::kTHat ||
           learner_value != LearnerInput::kTHat;
  }
  // P (Eq. 7) comes from a Linear(d, 1) on each final query, as in SegViT.
  bool has_presence_head() const { return protocol == Protocol::kPaper; }

  FieldList fields();
  ConstFieldList fields() const;
  // Throws Error(kUsage) when the fields do not fit together.
  void check() const;
};

// Known models by name: "tagclip", "zegclip" (self-attention in all layers, no token: the a_a_a of
// TagCLIP's code), "zegclip-released" (ZegCLIP's own code: none attends). Throws
// Error(kUsage) listing them for another name.
void apply_architecture(const std::string& name, ModelConfig& config);

// Reads sizes and structure off the tensors of a model. Head counts leave no trace in them: they
// come from `metadata` ("vision_heads", "decoder_heads") or are width / 64 in the vision tower and
// 8 in the decoder. Throws Error(kBadInput) naming the first tensor that is missing, or where there
// is a Trusty Learner of its own, whose inputs leave no trace either.
ModelConfig infer_config(const StateDict& state, const Metadata& metadata);

}  // namespace tagclip

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "weights/model_sizes.h"
#include "weights/weights_dialect.h"

namespace tagclip {

// Answers of the user, who knows what neither the tensors nor a config of a CLIP tell.
struct ClipAnswers {
  int64_t vision_heads = 0, text_heads = 0;  // 0: unknown, both or none
  std::optional<bool> quick_gelu;            // otherwise GELU
};

// Settings of a CLIP that its tensors do not show.
struct ClipSettings {
  Dialect dialect = Dialect::kTagclip;
  int64_t vision_heads = 0, text_heads = 0;
  bool quick_gelu = true;
  bool imagenet_statistics = false;  // photos are normalised with ImageNet's numbers, not CLIP's
  bool heads_are_assumed = false, activation_is_assumed = false;
  std::string assumption;  // what was assumed and why, for the user to know; may be empty
};

// Reads the settings of a CLIP in any dialect from what lies beside it, and checks that it is one
// that can be used: its tensors have the names of a CLIP's, all and no others, the shapes that
// fit together and the types of weights; the config beside it is a plain CLIP's and agrees with the
// tensors. Nothing of a tensor is read. Where no config states them, `known` counts, then what
// published models of that width have, which is an assumption. For a CLIP of our own
// (Dialect::kTagclip) only the dialect is filled in: its metadata hold the rest. Throws
// Error(kBadInput), saying what it looks like or what does not fit.
ClipSettings read_clip_settings(const StoredWeights& stored, const ClipAnswers& known = {});

// The number of heads that published CLIPs have in a vision tower of this width: they are 80 wide
// at 1280, 88 at 1408, 104 at 1664, 112 at 1792 and 64 at other widths. Nothing where the width is
// no multiple of that.
std::optional<int64_t> published_vision_heads(int64_t width);
// The same of a text tower, whose heads are always 64 wide.
std::optional<int64_t> published_text_heads(int64_t width);

// The error of tensors that are no model's: says which names are missing, unexpected or misshapen.
// Nothing where all lists are empty.
std::optional<Error> misfit(const std::string& source, const std::vector<std::string>& missing,
                            const std::vector<std::string>& misshapen,
                            const std::vector<std::string>& unexpected);

// A line of `misshapen` there.
std::string describe_misshapen(const std::string& tensor, std::span<const int64_t> found,
                               std::span<const int64_t> expected);

// The error for NaN or an infinity, see non_finite_name, at `place` of a tensor. Without a hint it
// says where such weights come from.
Error not_finite(const std::string& source, const std::string& tensor, std::string_view what,
                 std::span<const int64_t> place, std::string hint = {});

// Reads all tensors of the types of weights. Throws not_finite for the first of them that holds NaN
// or an infinity.
void check_numbers(const StoredWeights& stored);

// Throws Error(kBadInput) naming the tensor unless its type is one of weights'.
void check_weight_type(const std::string& source, const std::string& tensor, DType dtype);

// Whether a CLIP's patches were trained against texts (tagclip pretrain with loss.labels), which
// its metadata say under kTrainedPatches.
inline constexpr const char* kTrainedPatches = "tagclip.patches";
bool has_trained_patches(const Metadata& metadata);

}  // namespace tagclip

#pragma once

#include "clip/transformer.h"
#include "model/config.h"

namespace tagclip {

// Start values of what training draws anew: the prompts and the decode head, as the constructors of
// the released code leave them (their training scripts never call `init_weights` of the head).
//
// TagCLIP (Architecture::kTagClip) ends its head's constructor with a pass that draws every matrix
// from Xavier's uniform, U(+-sqrt(6 / (rows + columns))): q, k, v, proj, linear1, linear2,
// out_proj, the descriptor, and two that are parameters and no Linears, in_proj_weight [3d, d] and
// the trusty token [1, d]. The pass leaves biases alone: those of q, k, v, proj, linear1 and
// linear2 are torch.nn.Linear's U(+-1 / sqrt(fan_in)); in_proj_bias and out_proj.bias are 0, as
// torch.nn.MultiheadAttention sets them; the descriptor's is 0, as the authors set it.
//
// ZegCLIP (kZegClip) has no such pass. Every Linear, the descriptor among them, keeps
// torch.nn.Linear's U(+-1 / sqrt(fan_in)) for weight and bias. The self-attention that no layer
// reads keeps torch.nn.MultiheadAttention's own values: in_proj_weight Xavier uniform, out_proj's
// weight that of a Linear, both biases 0. torch.nn.TransformerDecoder copies one layer as often as
// there are layers: all layers start equal.
//
// The modules of Table 1 (c) follow TagCLIP's head. Attention and join (`learner_text_after`) are
// Linears as above, the join with torch.nn.Linear's bias, since the call that would set it to 0 is
// given the weight in place of the module. The released input projections are in a plain list, so
// the pass never reaches them, and they are never trained; ours are trained, and start as the
// descriptor does, which the authors initialise by the same call.
//
// The presence head of the paper's protocol has no released counterpart: a Linear of TagCLIP's
// head.

// Makes a Linear of the head; also `class_embed`, the presence head.
Linear head_linear(const ParameterScope& scope, int64_t in, int64_t out, const ModelConfig& config);
// Makes the relationship descriptor, and the inputs of a Trusty Learner of its own.
Linear head_descriptor(const ParameterScope& scope, int64_t in, int64_t out,
                       const ModelConfig& config);
SelfAttention head_self_attention(const ParameterScope& scope, const ModelConfig& config);

// Initialises both kinds of prompt embeddings: U(-v, v), v = sqrt(6 / (3 patch^2 + D)).
Initialiser prompt_start(const ClipConfig& clip);
// Makes the prompts' projection [D, D]: Kaiming normal for fan_out and ReLU, N(0, 2 / D); bias
// U(+-1 / sqrt(D)).
Linear prompt_projection(const ParameterScope& scope, const ClipConfig& clip);

}  // namespace tagclip

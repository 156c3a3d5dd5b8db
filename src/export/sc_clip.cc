#include "export/sc_clip.h"

#include <limits>

#include "model/dense_recipe.h"

namespace tagclip {

using onnx::concat;
using onnx::Value;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Value patches_of(const Value& tokens) { return slice(tokens, 1, 1); }
Value class_of(const Value& tokens) { return slice(tokens, 1, 0, 1); }
Value list(onnx::Graph& graph, int64_t value) { return graph.constant(std::vector{value}); }

// Whether two places are one, for n places, int64 [1]: bool [n, n].
Value is_diagonal(const Value& count) {
  const Value places = range(count);
  return equal(unsqueeze(places, {1}), unsqueeze(places, {0}));
}

// The `count` (int64 [1]) smallest or largest numbers along the last axis, and their places.
std::vector<Value> top_k(const Value& x, const Value& count, bool largest) {
  return x.graph->node("TopK", {x, count}, {{"axis", int64_t{-1}}, {"largest", int64_t{largest}}},
                       2);
}

// outlier_scores: [B, N, D] -> [B, N].
Value outlier_scores(const Value& x) {
  onnx::Graph& graph = *x.graph;
  const Value others = graph.node("Sub", {shape_of(x, 1, 2), list(graph, 1)});
  // One patch alone is no outlier: its score is not a number.
  const Value count = graph.node(
      "Max", {graph.node("Min", {others, list(graph, dense::kNeighbours)}), list(graph, 1)});
  const Value centred = x - mean(x, 1);
  const Value squares = sum(centred * centred, -1);  // [B, N, 1]
  const Value products = matmul(centred, transpose(centred, {0, 2, 1}));
  const Value distances = where(is_diagonal(shape_of(x, 1, 2)), graph.constant(kInfinity),
                                relu(squares + transpose(squares, {0, 2, 1}) - products * 2.0F));
  const std::vector<Value> nearest = top_k(distances, count, /*largest=*/false);
  const Value reach = maximum(nearest[0], -1, /*keep=*/false);  // [B, N]
  const Value of_all = expand(unsqueeze(1.0F / reach, {1}), shape_of(distances, 0, 3));
  const Value around = graph.node("GatherElements", {of_all, nearest[1]}, {{"axis", int64_t{2}}});
  return reach * mean(around, -1, /*keep=*/false);
}

// outliers: scores [B, N] above their quantile, bool.
Value outliers(const Value& scores) {
  onnx::Graph& graph = *scores.graph;
  const Value count = shape_of(scores, 1, 2);
  const Value sorted = top_k(scores, count, /*largest=*/false)[0];
  const Value rank =
      (cast(count, onnx::ElementType::kFloat) - 1.0F) * static_cast<float>(dense::kOutlierQuantile);
  const Value below = graph.node("Floor", {rank});
  const auto at = [&](const Value& place) {  // [B, 1]
    return graph.node("Gather", {sorted, cast(place, onnx::ElementType::kInt64)},
                      {{"axis", int64_t{1}}});
  };
  const Value low = at(below), high = at(graph.node("Ceil", {rank}));
  return greater(scores, low + (high - low) * (rank - below));
}

// mend: x [B, N, D], is_outlier [B, N].
Value mend(const Value& x, const Value& is_outlier, const PatchGrid& grid) {
  onnx::Graph& graph = *x.graph;
  const auto around = [&](const Value& rows) {  // a ninth of the sum around: [B, N, C] -> the same
    const Value shape = concat({grid.batch, list(graph, -1), grid.height, grid.width}, 0);
    const Value pooled = graph.node("AveragePool", {reshape(transpose(rows, {0, 2, 1}), shape)},
                                    {{"kernel_shape", std::vector<int64_t>{3, 3}},
                                     {"pads", std::vector<int64_t>{1, 1, 1, 1}},
                                     {"count_include_pad", int64_t{1}}});
    return transpose(reshape(pooled, {0, 0, -1}), {0, 2, 1});
  };
  const Value outlier = unsqueeze(is_outlier, {2});
  const Value sound = cast(logical_not(outlier), onnx::ElementType::kFloat);
  const Value count = around(sound);
  const Value mean_around =
      around(x * sound) / graph.node("Max", {count, graph.constant(1.0F / 9)});
  return where(logical_and(outlier, greater(count, graph.constant(0.0F))), mean_around, x);
}

// The cosines between patches: [B, N, D] -> [B, N, N].
Value similarity(const Value& x) {
  const Value unit = l2_normalize(x);
  return matmul(unit, transpose(unit, {0, 2, 1}));
}

Value kept(const Value& similarity) {
  onnx::Graph& graph = *similarity.graph;
  const Value least = graph.constant(static_cast<float>(dense::kLeastSimilarity));
  return where(greater(least, similarity), graph.constant(0.0F), similarity);
}

Value mixing_weights(const Value& similarity) {
  const Value weights = kept(similarity);
  return weights / (sum(weights, -1) + static_cast<float>(dense::kEpsilon));
}

Value sharpened(const Value& similarity) {
  onnx::Graph& graph = *similarity.graph;
  const Value above = similarity - mean(mean(similarity, 2), 1);
  const Value dropped = logical_and(greater(graph.constant(0.0F), above),
                                    logical_not(is_diagonal(shape_of(similarity, 1, 2))));
  return softmax(
      where(dropped, graph.constant(-kInfinity), above * static_cast<float>(dense::kContrast)));
}

// attention_outliers of SFP, by the last block but one.
Value attention_outliers(const GraphBuilder& build, const std::string& block,
                         const BlockSizes& sizes, const Value& tokens) {
  onnx::Graph& graph = build.graph();
  const AttentionParts parts =
      attention_parts(build, block + ".attn", sizes, build.layer_norm(block + ".ln_1", tokens));
  const Value weights =
      squeeze(mean(build.attention_weights(parts.queries, parts.keys, sizes.head_width()), 1), 1);
  const Value of_class =
      squeeze(slice(slice(weights, 1, 0, 1), 2, 1), 1) * static_cast<float>(dense::kClassWeight);
  const Value diagonal =
      sum(where(is_diagonal(shape_of(tokens, 1, 2)), weights, graph.constant(0.0F)), -1,
          /*keep=*/false);
  const Value candidate = greater(of_class, slice(diagonal, 1, 1));
  const Value zero = graph.constant(0.0F);
  const Value count =
      graph.node("Min", {shape_of(of_class, 1, 2), list(graph, dense::kMostOutliers)});
  const Value places = top_k(where(candidate, of_class, zero), count, /*largest=*/true)[1];
  const Value ones = expand(graph.constant(1.0F), shape_of(places, 0, 2));
  const Value marks =
      graph.node("ScatterElements", {expand(zero, shape_of(of_class, 0, 2)), places, ones},
                 {{"axis", int64_t{1}}});
  return logical_and(greater(marks, zero), candidate);
}

// Holds what SC-CLIP and SFP have in common; see Calibration of model/sc_clip.cc.
struct Calibration {
  Calibration(const Value& early, const Value& late, const Value& last, const Value& is_outlier,
              const PatchGrid& grid)
      : S(similarity(mend(patches_of(late), is_outlier, grid))),
        T(mixing_weights(similarity(patches_of(early)))),
        mixed(matmul(mixing_weights(S), mend(patches_of(last), is_outlier, grid))) {}

  Value calibrated(const Value& patches, const Value& tokens) const {
    return matmul(T, patches + class_of(tokens) * static_cast<float>(dense::kClassShare));
  }

  Value S, T, mixed;
};

}  // namespace

Value neighbourhood(const PatchGrid& grid) {
  onnx::Graph& graph = *grid.patches.graph;
  constexpr double kScale = -1 / (2 * dense::kNeighbourhood * dense::kNeighbourhood);
  const auto gaussian = [&](const Value& count) {  // [count, count]
    const Value places = range(count);
    const Value apart = unsqueeze(places, {1}) - unsqueeze(places, {0});
    return exp(apart * apart * static_cast<float>(kScale));
  };
  const Value omega =  // [h, w, h, w]
      unsqueeze(gaussian(grid.height), {1, 3}) * unsqueeze(gaussian(grid.width), {0, 2});
  const Value count = grid.height * grid.width;
  return graph.node("Pad", {reshape(omega, concat({count, count}, 0)),
                            graph.constant(std::vector<int64_t>{1, 1, 0, 0})});
}

Value calibrated_patches(const GraphBuilder& build, const std::string& tower,
                         const ClipConfig& config, DenseMethod method,
                         const std::vector<Value>& trunk, const PatchGrid& grid) {
  const BlockSizes sizes = block_sizes(config);
  const TrunkBlocks blocks(config.vision_layers);
  const Value& last = trunk[blocks.last];
  Value middle = trunk[blocks.early];
  for (int64_t n = blocks.early + 1; n <= blocks.middle_end; ++n) middle = middle + trunk[n];
  const bool sfp = method == DenseMethod::kSfp;
  Value is_outlier;
  if (!sfp) {
    is_outlier = outliers(outlier_scores(patches_of(last)));
  } else if (blocks.last > 0) {
    is_outlier = attention_outliers(build, block_name(tower, blocks.last - 1), sizes,
                                    trunk[blocks.last - 1]);
  } else {  // none
    const Value sums = sum(patches_of(last), -1, /*keep=*/false);
    is_outlier = greater(sums, sums);
  }
  const Calibration by(trunk[blocks.early], trunk[blocks.late], last, is_outlier, grid);
  const Value weights = sharpened(sfp ? kept(by.S) : by.S);
  const std::string block = block_name(tower, blocks.last), attn = block + ".attn";
  const auto parts_of = [&](const Value& x) {
    return attention_parts(build, attn, sizes, build.layer_norm(block + ".ln_1", x));
  };
  const auto alike = [&](const Value& x, const Value& values) {
    return merge_heads(build.attention(x, x, values, sizes.head_width()), sizes.width);
  };
  const auto weighed = [&](const Value& values) {
    return matmul(weights, merge_heads(values, sizes.width));
  };
  const auto projected = [&](const Value& x) { return build.linear(attn + ".out_proj", x); };
  if (sfp) {
    const auto [queries, keys, values] = parts_of(by.mixed);
    const Value of_mixed =
        projected((alike(keys, values) + alike(queries, values) + weighed(values)) * (1.0F / 3));
    const Value of_middle = projected(weighed(parts_of(patches_of(middle)).values));
    return by.calibrated(of_mixed, last) + by.calibrated(of_middle, middle);
  }
  const auto attend = [&](const Value& x) {
    const auto [queries, keys, values] = parts_of(x);
    return projected((alike(keys, values) + weighed(values)) * 0.5F);
  };
  return by.calibrated(attend(by.mixed), last) + by.calibrated(attend(patches_of(middle)), middle);
}

}  // namespace tagclip

#include "export/export_model.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/fields_json.h"
#include "export/dense_clip.h"
#include "export/prompted_encoder.h"
#include "infer/inference_model.h"
#include "infer/sliding_segmenter.h"
#include "model/dense_recipe.h"
#include "text/class_words.h"

namespace tagclip {

using nlohmann::json;
using onnx::ElementType;
using onnx::Value;

namespace {

constexpr const char *kBatch = "batch", *kClasses = "classes";
constexpr const char *kHeight = "height", *kWidth = "width";                    // of labels, pixels
constexpr const char *kGridHeight = "grid_height", *kGridWidth = "grid_width";  // patches

LabelRule label_rule(bool inductive, const InferenceOptions& options, const ScoreSemantics& scoring,
                     bool has_trusty) {
  const ScoreRule rule = score_rule({true, false}, inductive, options, scoring);
  LabelRule result{.activation = rule.activation,
                   .trusty_means_seen = rule.trusty_means_seen,
                   .seen_bias = rule.seen_bias[0],
                   .novel_bias = rule.seen_bias[1]};
  if (has_trusty) {
    result.seen_weight = rule.weight[0];
    result.novel_weight = rule.weight[1];
  }
  return result;
}

// What a consumer has to know beside the graph; docs/onnx.md explains each.
std::map<std::string, std::string> described(const DenseModel& model, const std::string& mode,
                                             const std::vector<std::string>& templates) {
  const EncoderInfo& info = model.encoder->info;
  const WindowGrid grid = window_grid({}, model);
  const bool softmax = model.scoring.activation == ScoreActivation::kSoftmax;
  return {{"tagclip.mode", mode},
          {"tagclip.mean", json(info.normalization.mean).dump()},
          {"tagclip.std", json(info.normalization.std).dump()},
          {"tagclip.patch", std::to_string(info.clip.patch)},
          {"tagclip.embedding", std::to_string(info.clip.embedding)},
          {"tagclip.window", std::to_string(info.windows.whole_photo ? 0 : grid.window)},
          {"tagclip.stride", std::to_string(info.windows.whole_photo ? 0 : grid.stride)},
          {"tagclip.short_side", std::to_string(grid.short_side)},
          {"tagclip.score", softmax ? "softmax" : "sigmoid"},
          {"tagclip.templates", json(templates).dump()},
          {"tagclip.encoder", info.fingerprint->digits()}};
}

}  // namespace

ExportableModel exportable(std::shared_ptr<const LoadedModel> loaded, const std::string& source,
                           const InferenceOptions& options) {
  const SegmentationModel& model = loaded->model;
  const TrainedOn& trained_on = loaded->trained_on;
  const ModelConfig& config = model.config;
  const DenseModel dense = dense_model(model);
  const bool trusty = config.trusty_token && options.trusty_token;
  ExportableModel result{.source = source,
                         .parameters = {loaded, &model.parameters},
                         .clip = config.clip,
                         .normalization = dense.encoder->info.normalization,
                         .rule = label_rule(trained_on.inductive, options, dense.scoring, trusty)};
  result.encode = [loaded](const GraphBuilder& build, const Value& pixels) {
    return prompted_encoding(build, loaded->model, pixels);
  };
  result.decode = [config, trusty](const GraphBuilder& build, const EncodingValues& encoding,
                                   const Value& text) {
    return decoded(build, config, encoding, text, trusty);
  };
  json classes = json::array(), seen = json::array();
  for (size_t c = 0; c < trained_on.classes.size(); ++c) {
    classes.push_back(trained_on.words(c));
    seen.push_back(bool(trained_on.seen[c]));
  }
  result.metadata = described(dense, "trained", trained_on.templates);
  result.metadata["tagclip.model"] = to_json(config.fields());
  result.metadata["tagclip.classes"] = classes.dump();
  result.metadata["tagclip.seen"] = seen.dump();
  result.metadata["tagclip.seen_bias"] = fmt::format("{}", result.rule.seen_bias);
  result.metadata["tagclip.weighting"] =
      trusty ? name_of(kWeightingNames, options.weighting) : "none";
  result.metadata["tagclip.trusty"] = !trusty                         ? "none"
                                      : result.rule.trusty_means_seen ? "seen"
                                                                      : "unseen";
  return result;
}

ExportableModel exportable(std::shared_ptr<const StartingClip> starting, Mode mode,
                           const std::string& source, const InferenceOptions& options) {
  const Clip& clip = starting->clip;
  const DenseMethod method = dense_method(mode);
  const bool whole_photo = mode == Mode::kQuick;
  const DenseModel dense = dense_clip(clip, method, whole_photo);
  const double own_scale = dense_recipe(method, whole_photo, 1).logit_scale;
  const double logit_scale = options.logit_scale > 0 ? options.logit_scale : own_scale;
  ExportableModel result{
      .source = source,
      .parameters = {starting, &clip.parameters},
      .clip = clip.config,
      .normalization = dense.encoder->info.normalization,
      .rule = label_rule(/*inductive=*/false, options, dense.scoring, /*has_trusty=*/false)};
  result.encode = [config = clip.config, method](const GraphBuilder& build, const Value& pixels) {
    return dense_encoding(build, config, method, pixels);
  };
  result.decode = [logit_scale](const GraphBuilder&, const EncodingValues& encoding,
                                const Value& text) { return cosines(encoding, text, logit_scale); };
  result.metadata = described(dense, name_of(kModeNames, mode), parse_templates("imagenet"));
  result.metadata["tagclip.clip"] = to_json(clip.config.fields());
  result.metadata["tagclip.logit_scale"] = fmt::format("{}", logit_scale);
  return result;
}

namespace {

// Adds what a part reads and computes to its graph.
class PartBuilder {
 public:
  PartBuilder(const ExportableModel& model, ExportPrecision precision, onnx::Graph& graph)
      : model_(model), graph_(graph), build_(graph, *model.parameters, precision, model.source) {}

  void whole() {
    const Value image = image_input();
    const EncodingValues encoding = encode(image);
    label(encoding, shape_of(image, 1, 3));
  }

  void encoder() {
    const EncodingValues encoding = encode(image_input());
    graph_.output(encoding.patches, "patches", ElementType::kFloat, patches_shape());
    graph_.output(encoding.image, "image_embedding", ElementType::kFloat, embedding_shape(kBatch));
  }

  void decoder() {
    const Value patches = graph_.input("patches", ElementType::kFloat, patches_shape());
    const Value image =
        graph_.input("image_embedding", ElementType::kFloat, embedding_shape(kBatch));
    label({patches, image}, graph_.input("size", ElementType::kInt64, {int64_t{2}}));
  }

 private:
  onnx::Shape patches_shape() const {
    return {kBatch, kGridHeight, kGridWidth, model_.clip.embedding};
  }
  onnx::Shape embedding_shape(const char* rows) const { return {rows, model_.clip.embedding}; }

  Value image_input() {
    return graph_.input("image", ElementType::kUint8, {kBatch, kHeight, kWidth, int64_t{3}});
  }
  EncodingValues encode(const Value& image) {
    return model_.encode(build_, normalized(image, model_.normalization));
  }

  void label(const EncodingValues& encoding, const Value& size) {
    const Value text = graph_.input("text", ElementType::kFloat, embedding_shape(kClasses));
    Value seen;
    if (model_.rule.reads_seen()) seen = graph_.input("seen", ElementType::kBool, {kClasses});
    const MaskValues logits = model_.decode(build_, encoding, text);
    const LabelValues best = labelled(logits, seen, size, model_.rule);
    const onnx::Shape map = {kBatch, kHeight, kWidth};
    graph_.output(best.labels, "labels", ElementType::kInt64, map);
    graph_.output(best.scores, "scores", ElementType::kFloat, map);
    graph_.output(logits.classes, "class_logits", ElementType::kFloat,
                  {kBatch, kClasses, kGridHeight, kGridWidth});
    if (logits.trusty) {
      graph_.output(*logits.trusty, "trusty_logits", ElementType::kFloat,
                    {kBatch, int64_t{1}, kGridHeight, kGridWidth});
    }
    if (logits.presence) {
      graph_.output(*logits.presence, "presence_logits", ElementType::kFloat, {kBatch, kClasses});
    }
  }

  const ExportableModel& model_;
  onnx::Graph& graph_;
  GraphBuilder build_;
};

}  // namespace

ExportedPart exported(const ExportableModel& model, ExportPart part, ExportPrecision precision,
                      const std::filesystem::path& path, uint64_t max_bytes) {
  ExportedPart result{std::make_unique<onnx::Graph>("tagclip"), nullptr};
  PartBuilder builder(model, precision, *result.graph);
  std::map<std::string, std::string> metadata = model.metadata;
  metadata["tagclip.precision"] = precision == ExportPrecision::kFloat16 ? "float16" : "float32";
  switch (part) {
    case ExportPart::kWhole:
      metadata["tagclip.part"] = "whole";
      builder.whole();
      break;
    case ExportPart::kEncoder:
      metadata["tagclip.part"] = "encoder";
      builder.encoder();
      break;
    case ExportPart::kDecoder:
      metadata["tagclip.part"] = "decoder";
      builder.decoder();
      break;
  }
  result.file =
      std::make_unique<onnx::ModelFile>(*result.graph, std::move(metadata), path, max_bytes);
  return result;
}

}  // namespace tagclip

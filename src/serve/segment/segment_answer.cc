#include "serve/segment/segment_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/bounded_json.h"
#include "base/rounding.h"
#include "image/palette.h"
#include "image/png.h"
#include "infer/options.h"
#include "serve/segment/coco_rle.h"

namespace tagclip {
namespace {

constexpr int kDecimals = 6;  // of shares and scores

using nlohmann::ordered_json;

// Shares from 0 to 1 as grey from 0 to 255.
std::string grey_png(const std::vector<float>& values, int width, int height) {
  std::vector<uint8_t> samples;
  samples.reserve(values.size());
  for (const float value : values) {
    samples.push_back(static_cast<uint8_t>(std::lround(std::clamp(value, 0.0F, 1.0F) * 255)));
  }
  return to_base64(encode_png({.width = width,
                               .height = height,
                               .layout = PngContent::Layout::kGrey8,
                               .samples = samples}));
}

// Indices as grey: a page reads them from a canvas, where a palette would have become colours.
std::string index_png(const Segmentation& result, size_t classes) {
  PngContent content{.width = result.width(), .height = result.height()};
  const std::vector<uint16_t>& labels = result.labels();
  std::vector<uint8_t> samples;
  if (classes <= 255) {
    content.layout = PngContent::Layout::kGrey8;
    samples.assign(labels.begin(), labels.end());  // kUnlabelled becomes 255
  } else {
    content.layout = PngContent::Layout::kGrey16;
    samples.resize(labels.size() * sizeof(uint16_t));
    std::memcpy(samples.data(), labels.data(), samples.size());
  }
  content.samples = samples;
  return to_base64(encode_png(content));
}

std::string hex(const Colour& colour) {
  return fmt::format("#{:02x}{:02x}{:02x}", colour[0], colour[1], colour[2]);
}

ordered_json classes_json(const SegmentRequest& request, const Vocabulary& vocabulary,
                          const Segmentation& result, bool knows_classes) {
  const std::vector<ClassInfo>& classes = vocabulary.classes();
  const std::vector<Colour> palette = result_palette(classes.size());
  std::vector<const Region*> regions(classes.size());
  for (const Region& region : result.regions()) regions[region.label] = &region;
  std::vector<std::string> masks;
  if (request.asks_for(AnswerPart::kRle)) {
    masks = coco_rle(result.labels(), result.width(), result.height(), classes.size());
  }
  const bool background = !request.words.background.empty();
  ordered_json list = ordered_json::array();
  for (size_t c = 0; c < classes.size(); ++c) {
    const bool is_background = background && c + 1 == classes.size();
    const Region* region = regions[c];
    ordered_json entry = {
        {"index", c},
        {"name", is_background ? "background" : classes[c].words.front()},
        {"share", region ? rounded(region->share, kDecimals) : 0},
        {"score", region ? ordered_json(rounded(region->mean_score, kDecimals)) : nullptr},
        {"presence", nullptr},
        {"seen", knows_classes ? ordered_json(classes[c].seen) : nullptr},
        {"color", hex(palette[c])}};
    if (!result.presence().empty()) entry["presence"] = rounded(result.presence()[c], kDecimals);
    if (!masks.empty() && !masks[c].empty()) {
      entry["rle"] = {{"size", {result.height(), result.width()}}, {"counts", masks[c]}};
    }
    list.push_back(std::move(entry));
  }
  return list;
}

ordered_json outputs_json(const SegmentRequest& request, const Vocabulary& vocabulary,
                          const Segmentation& result) {
  ordered_json outputs = ordered_json::object();
  const int width = result.width(), height = result.height();
  if (request.asks_for(AnswerPart::kLabels)) {
    outputs["labels"] = index_png(result, vocabulary.classes().size());
  }
  if (request.asks_for(AnswerPart::kConfidence)) {
    outputs["confidence"] = grey_png(result.scores(), width, height);
  }
  if (request.asks_for(AnswerPart::kTrusty)) {
    const std::vector<float> trusty = result.trusty_map();
    outputs["trusty"] = nullptr;
    if (!trusty.empty()) outputs["trusty"] = grey_png(trusty, width, height);
  }
  if (request.asks_for(AnswerPart::kOverlay)) {
    outputs["overlay"] = to_base64(result.overlay_png());
  }
  return outputs;
}

}  // namespace

Answer segment_answer(const SegmentRequest& request, const Vocabulary& vocabulary,
                      const Segmentation& result, Mode mode, bool knows_classes,
                      const std::vector<std::string>& warnings, const AnswerTimes& times) {
  if (request.as_png) {
    const std::vector<std::byte> png = result.labels_png();
    return {.type = "image/png",
            .body = std::string(reinterpret_cast<const char*>(png.data()), png.size())};
  }
  const auto unlabelled = std::ranges::count(result.labels(), Segmentation::kUnlabelled);
  ordered_json absent = ordered_json::array();
  for (const AbsentClass& entry : result.absent()) {
    absent.push_back({{"index", entry.label},
                      {"name", entry.name},
                      {"presence", rounded(entry.presence, kDecimals)}});
  }
  const ordered_json answer = {
      {"width", result.width()},
      {"height", result.height()},
      {"mode", name_of(kModeNames, mode)},
      {"classes", classes_json(request, vocabulary, result, knows_classes)},
      {"absent", absent},
      {"unlabelled",
       rounded(static_cast<double>(unlabelled) / static_cast<double>(result.labels().size()),
               kDecimals)},
      {"warnings", warnings},
      {"outputs", outputs_json(request, vocabulary, result)},
      {"milliseconds",
       {{"encode", rounded(times.encode, kDecimals)},
        {"segment", rounded(times.segment, kDecimals)}}}};
  return {.body = json_text(answer) + "\n"};
}

}  // namespace tagclip

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "commands/commands.h"
#include "commands/run_config.h"
#include "commands/setup.h"
#include "eval/evaluate.h"
#include "metrics/segmentation_metrics.h"
#include "ranks/root_console.h"

namespace tagclip {
namespace {

VocabularyRequest set_classes(const EvalOptions& options, const Dataset& data) {
  VocabularyRequest request = parse_vocabulary(options.vocabulary);
  request.classes = data.words();
  request.use_cache = false;  // embedded in the same batches each time
  return request;
}

// Names the source of the seen and unseen split, so that numbers of two splits can be told apart.
std::string describe(const SeenSplit& split, const EmbeddedVocabulary& vocabulary) {
  size_t unseen = 0, trained = 0;
  for (size_t c = 0; c < split.seen.size(); ++c) {
    unseen += !split.seen[c];
    trained += !split.seen[c] && vocabulary.seen[c];
  }
  return fmt::format(
      "mIoU(S) and mIoU(U) follow {}: {} seen, {} unseen{}", split.source,
      split.seen.size() - unseen, unseen,
      trained > 0 ? fmt::format("; the model was trained on {} of these", trained) : "");
}

std::string describe_templates(const std::vector<std::string>& templates) {
  if (templates.size() > 1) {
    return fmt::format("{} prompt templates, those of the model's training", templates.size());
  }
  return fmt::format("prompt template of the model's training: {}", in_quotes(templates.front()));
}

std::string to_json(const SegmentationMetrics& metrics, const Dataset& data,
                    const SeenSplit& split) {
  auto object = nlohmann::ordered_json::parse(to_json(metrics, data.classes(), split.seen));
  object["seen_by"] = split.source;
  return object.dump();
}

// The set as it is to be read for the model; says what was taken from the model's training.
DatasetOptions as_trained(const DatasetOptions& asked, const TrainedOn& trained_on,
                          Console& console) {
  const TrainedReading reading = read_as_trained(asked, trained_on);
  if (!reading.taken.empty()) console.note("as in the model's training: " + reading.taken);
  return reading.options;
}

int measure(const EvalOptions& options, Console& console) {
  const World world = World::join(console);
  RootConsole root_console(world, console);
  Pipeline pipeline = load_pipeline(options.weights, options.inference, world, root_console);
  const Dataset data(as_trained(options.data, pipeline.trained_on(), root_console), options.split);
  const auto vocabulary = unless_stopped(
      world, [&] { return pipeline.embed(set_classes(options, data), hooks_of(root_console)); });
  if (!vocabulary) return stopped_exit_code(console);
  if (vocabulary->classes.size() != data.classes().size()) {
    throw bad_input(vocabulary->same.front(), "give one of the classes other words");
  }
  const SeenSplit split =
      seen_split(data, !options.data.unseen.empty(), *vocabulary, pipeline.trained_on());
  root_console.note(describe(split, *vocabulary));
  if (options.vocabulary.prompt.empty() && !pipeline.trained_on().templates.empty()) {
    root_console.note(describe_templates(pipeline.trained_on().templates));
  }
  settle_precision(pipeline, *vocabulary,
                   {static_cast<int64_t>(data.size()), [&](int64_t i) { return data.image(i); }},
                   world, root_console);

  const auto progress = [&](int64_t done, int64_t total) {
    root_console.progress("evaluating", done, total);
    return !console.stop_requested();
  };
  const ConfusionMatrix confusion =
      evaluate(pipeline.segmenter(*vocabulary), data, world, progress,
               [&](const std::string& warning) { console.warn(warning); });
  if (world.any(console.stop_requested())) {
    root_console.note("stopped; nothing was measured");
    return stopped_exit_code(console);
  }
  if (!world.is_root()) return 0;
  const SegmentationMetrics metrics = summarise(confusion, split.seen);
  console.print(options.json ? to_json(metrics, data, split)
                             : format_table(metrics, data.classes(), split.seen));
  return 0;
}

}  // namespace
}  // namespace tagclip

int tagclip_eval(const tagclip::EvalOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  return unless_stopped_early(console, [&] { return measure(options, console); });
}

#include <algorithm>

#include "base/error.h"
#include "commands/commands.h"
#include "commands/model_setup.h"
#include "commands/precision_setup.h"
#include "commands/rank_setup.h"
#include "commands/run_config.h"
#include "eval/evaluate.h"
#include "metrics/segmentation_metrics.h"

namespace tagclip {
namespace {

// The classes that mIoU(S) is about: those of the data set's split; without one, those the model
// has seen in training, if that is known.
std::vector<bool> judged_as_seen(const EvalOptions& options, const Dataset& data,
                                 const InferenceModel& model,
                                 const EmbeddedVocabulary& vocabulary) {
  const bool split = !options.data.unseen.empty() || std::ranges::count(data.seen(), false) > 0;
  return split || model.trained_on.classes.empty() ? data.seen() : vocabulary.seen;
}

}  // namespace
}  // namespace tagclip

int tagclip_eval(const tagclip::EvalOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  const Dataset data(options.data, options.split);
  std::vector<std::string> templates;
  if (!options.prompt.empty()) templates = parse_templates(options.prompt);
  const Ranks ranks = meet_ranks();
  FirstRankConsole shared(ranks, console);
  InferenceModel model = load_model_noisily(options, ranks, shared);

  std::vector<ClassWords> classes;
  for (const std::string& name : data.classes()) classes.push_back({{name}});
  EmbeddedVocabulary vocabulary = embed_vocabulary(model, std::move(classes), std::move(templates));
  const std::vector<bool> seen = judged_as_seen(options, data, model, vocabulary);
  const SlidingOptions sliding{.window = options.window,
                               .stride = options.stride,
                               .short_side = options.short_side,
                               .weighting = parse_weighting(options.weighting)};
  model.dense = in_precision(
      options.precision, std::move(model.dense), {vocabulary, sliding},
      {static_cast<int64_t>(data.size()), [&](int64_t i) { return data.read(i).image; }}, ranks,
      shared);
  const SlidingSegmenter segmenter(*model.dense, std::move(vocabulary), sliding);

  const ConfusionMatrix confusion =
      evaluate(segmenter, data, ranks, [&](int64_t done, int64_t total) {
        shared.progress("evaluating", done, total);
        return !console.stop_requested();
      });
  if (stop_wanted(ranks, console)) {
    shared.note("stopped; nothing was measured");
    return stopped_exit_code(console);
  }
  if (!ranks.first()) return 0;
  const SegmentationMetrics metrics = summarise(confusion, seen);
  console.print(options.json ? to_json(metrics, data.classes(), seen)
                             : format_table(metrics, data.classes(), seen));
  return 0;
}

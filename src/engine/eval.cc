#include "base/error.h"
#include "engine/commands.h"
#include "engine/model_setup.h"
#include "metrics/segmentation_metrics.h"
#include "train/evaluate.h"

int tagclip_eval(const tagclip::EvalOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  const Dataset data(options.data, options.split);
  std::vector<std::string> templates;
  if (!options.prompt.empty()) templates = parse_templates(options.prompt);
  const InferenceModel model = load_model_noisily(options, console);

  std::vector<ClassWords> classes;
  for (const std::string& name : data.classes()) classes.push_back({{name}});
  EmbeddedVocabulary vocabulary = embed_vocabulary(model, std::move(classes), std::move(templates));
  // Weights that say nothing of their training, such as a CLIP, are judged by the data set's split;
  // and so are all when the user names one.
  const bool by_data = model.trained_on.classes.empty() || !options.data.unseen.empty();
  const std::vector<bool> seen = by_data ? data.seen() : vocabulary.seen;
  const SlidingSegmenter segmenter(*model.dense, std::move(vocabulary),
                                   {.window = options.window,
                                    .stride = options.stride,
                                    .short_side = options.short_side,
                                    .weighting = parse_weighting(options.weighting)});

  const ConfusionMatrix confusion = evaluate(segmenter, data, [&](int64_t done, int64_t total) {
    console.progress("evaluating", done, total);
    return !console.stop_requested();
  });
  if (console.stop_requested()) {
    console.note("stopped; nothing was measured");
    return kStopped;
  }
  const SegmentationMetrics metrics = summarise(confusion, seen);
  console.print(options.json ? to_json(metrics, data.classes(), seen)
                             : format_table(metrics, data.classes(), seen));
  return 0;
}

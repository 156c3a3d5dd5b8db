#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "commands/commands.h"
#include "commands/run_config.h"
#include "commands/setup.h"
#include "eval/evaluate.h"
#include "infer/calibration.h"
#include "metrics/segmentation_metrics.h"
#include "ranks/root_console.h"
#include "text/same_words.h"

namespace tagclip {
namespace {

// The words for the set's classes, and the distractors after them.
VocabularyRequest set_classes(const EvalOptions& options, const Dataset& data) {
  VocabularyOptions words = options.vocabulary;
  if (!words.text_embeddings.empty() &&
      (!words.background.empty() || !options.distractors.empty())) {
    throw usage_error(
        "`background` and `distractors` need a text tower, which `text_embeddings` does without",
        "leave one of them out");
  }
  words.background.clear();  // not one more class here, but one of the set's
  VocabularyRequest request = parse_vocabulary(words);
  request.use_cache = false;  // embedded in the same batches each time
  // A file of embeddings says what its rows stand for.
  if (!request.text_embeddings.empty() && request.classes.empty()) return request;
  if (request.classes.empty()) {
    request.classes = data.words();
    for (ClassWords& entry : request.classes) entry.synonyms = words.synonyms;
  } else if (request.classes.size() != data.classes().size()) {
    throw usage_error(fmt::format("`classes` has {} entries, the set {} classes",
                                  request.classes.size(), data.classes().size()),
                      "give an entry for each class of the set, in their order");
  } else {
    for (size_t c = 0; c < request.classes.size(); ++c) {
      request.classes[c].title = data.classes()[c];
    }
  }
  if (!options.vocabulary.background.empty()) {
    replace_background(options.vocabulary.background, request.classes);
  }
  if (options.distractors.empty()) return request;
  const std::unordered_set<std::string> taken = spellings_of(request.classes);
  for (ClassWords& entry : parse_classes(options.distractors)) {
    const auto is_taken = [&](const std::string& word) { return taken.contains(spelling(word)); };
    if (std::ranges::none_of(entry.words, is_taken)) request.classes.push_back(std::move(entry));
  }
  return request;
}

// Throws where the rows of a file of embeddings stand for others than the set's classes.
void check_rows(const EmbeddedVocabulary& vocabulary, const Dataset& data,
                const std::filesystem::path& file) {
  constexpr const char* kHint =
      "embed the set's classes in their order, or give `classes`, an entry per row";
  const size_t classes = data.classes().size();
  if (vocabulary.classes.size() != classes) {
    throw bad_input(fmt::format("{}: {} different classes, the set has {}", file.string(),
                                vocabulary.classes.size(), classes),
                    kHint);
  }
  for (size_t c = 0; c < classes; ++c) {
    const std::unordered_set<std::string> of_set = spellings_of({data.words()[c]});
    const auto is_of_set = [&](const std::string& word) { return of_set.contains(spelling(word)); };
    if (std::ranges::any_of(vocabulary.classes[c].words, is_of_set)) continue;
    throw bad_input(
        fmt::format("{}: row {} is of \"{}\", the set's class {} is \"{}\"", file.string(), c,
                    vocabulary.classes[c].name(), c, data.classes()[c]),
        kHint);
  }
}

// Throws where CLIP takes two classes of the set for one.
void check_distinct(const EmbeddedVocabulary& vocabulary, const VocabularyRequest& request,
                    size_t classes) {
  for (size_t c = 0; c < classes; ++c) {
    if (c < vocabulary.classes.size() &&
        vocabulary.classes[c].name() == request.classes[c].name()) {
      continue;
    }
    throw bad_input(vocabulary.same.front(), "give one of the classes other words");
  }
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

double share(double part, double whole) { return whole > 0 ? part / whole : NAN; }

// A kind of words, and how far the scores of its labels can be believed.
struct ReliabilityRow {
  const char* name;
  const Reliability& measured;
  double temperature;
};

std::vector<ReliabilityRow> reliability_rows(const Evaluation& evaluation,
                                             const Calibration& found) {
  return {{"seen", evaluation.reliable_seen, found.seen},
          {"novel", evaluation.reliable_new, found.novel}};
}

// The measures beside the table, a line each.
std::string describe_more(const EvalOptions& options, const Evaluation& evaluation,
                          const Calibration& found) {
  std::string text;
  if (options.boundary) {
    text += fmt::format("boundary F {}\n", percent(evaluation.boundary.mean(), 2));
  }
  if (options.inference.presence > 0) {
    const PresenceCounts& counts = evaluation.presence;
    text += fmt::format(
        "presence {}: {}% of {:.0f} absent words left out, {}% of {:.0f} kept that "
        "are there\n",
        options.inference.presence, percent(share(counts.absent_refused, counts.absent), 2),
        counts.absent, percent(share(counts.there_kept, counts.there), 2), counts.there);
  }
  if (!options.calibrate) return text;
  for (const auto& [name, measured, temperature] : reliability_rows(evaluation, found)) {
    if (measured.empty()) continue;
    text +=
        fmt::format("scores of {} words: expected calibration error {}, {} at temperature {:.3f}\n",
                    name, percent(measured.calibration_error(), 2),
                    percent(measured.calibration_error(temperature), 2), temperature);
  }
  return text;
}

std::string to_json(const SegmentationMetrics& metrics, const Dataset& data, const SeenSplit& split,
                    const EvalOptions& options, const Evaluation& evaluation,
                    const Calibration& found) {
  auto object = nlohmann::ordered_json::parse(to_json(metrics, data.classes(), split.seen));
  object["seen_by"] = split.source;
  if (options.boundary) object["boundary_f"] = evaluation.boundary.mean();
  if (options.inference.presence > 0) {
    const PresenceCounts& counts = evaluation.presence;
    object["presence"] = {{"absent_left_out", share(counts.absent_refused, counts.absent)},
                          {"there_kept", share(counts.there_kept, counts.there)}};
  }
  if (options.calibrate) {
    for (const auto& [name, measured, temperature] : reliability_rows(evaluation, found)) {
      if (measured.empty()) continue;
      object["calibration"][name] = {{"temperature", temperature},
                                     {"error_before", measured.calibration_error()},
                                     {"error_after", measured.calibration_error(temperature)}};
    }
  }
  return object.dump();
}

// The set as it is to be read for the model; says what was taken from the model's training.
DatasetOptions as_trained(const DatasetOptions& asked, const TrainedOn& trained_on,
                          Console& console) {
  const TrainedReading reading = read_as_trained(asked, trained_on);
  if (!reading.taken.empty()) console.note("as in the model's training: " + reading.taken);
  return reading.options;
}

int measure(EvalOptions options, Console& console) {
  if (options.calibrate) options.inference.calibrated = false;
  const World world = World::join(console);
  RootConsole root_console(world, console);
  Pipeline pipeline = load_pipeline(options.weights, options.inference, world, root_console);
  const Dataset data(as_trained(options.data, pipeline.trained_on(), root_console), options.split);
  const VocabularyRequest request = set_classes(options, data);
  const auto vocabulary =
      unless_stopped(world, [&] { return pipeline.embed(request, hooks_of(root_console)); });
  if (!vocabulary) return stopped_exit_code(console);
  if (request.classes.empty()) {
    check_rows(*vocabulary, data, request.text_embeddings);
  } else {
    check_distinct(*vocabulary, request, data.classes().size());
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
  const Evaluation evaluation =
      evaluate(pipeline.segmenter(*vocabulary), data, world,
               {.boundary = options.boundary, .reliability = options.calibrate}, progress,
               [&](const std::string& warning) { console.warn(warning); });
  if (world.any(console.stop_requested())) {
    root_console.note("stopped; nothing was measured");
    return stopped_exit_code(console);
  }
  if (!world.is_root()) return 0;
  const SegmentationMetrics metrics = summarise(evaluation.confusion, split.seen);
  const Calibration found{evaluation.reliable_seen.best_temperature(),
                          evaluation.reliable_new.best_temperature()};
  if (options.calibrate) {
    write_calibration(options.weights, pipeline.mode(), found,
                      fmt::format("{}, {}", data.folder().string(), options.split));
    root_console.note("scores are now made as sure as they proved right: " +
                      calibration_file(options.weights).string());
  }
  console.print(options.json ? to_json(metrics, data, split, options, evaluation, found)
                             : format_table(metrics, data.classes(), split.seen) +
                                   describe_more(options, evaluation, found));
  return 0;
}

}  // namespace
}  // namespace tagclip

int tagclip_eval(const tagclip::EvalOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  return unless_stopped_early(console, [&] { return measure(options, console); });
}

#include "infer/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "text/same_words.h"
#include "text/tokenizer.h"

namespace tagclip {

VocabularyRequest parse_vocabulary(const VocabularyOptions& options) {
  VocabularyRequest request{.text_embeddings = options.text_embeddings,
                            .use_cache = !options.no_cache};
  const auto refuse_with_embeddings = [&](bool given, const std::string& what) {
    if (given && !options.text_embeddings.empty()) throw usage_error(what, "leave one of them out");
  };
  refuse_with_embeddings(
      !options.prompt.empty(),
      "`prompt` has nothing to fill in where `text_embeddings` gives the embeddings");
  refuse_with_embeddings(
      options.synonyms == Synonyms::kMax,
      "`synonyms` max needs an embedding per word, `text_embeddings` holds one per class");
  refuse_with_embeddings(!options.background.empty(),
                         "`background` needs a text tower, which `text_embeddings` does without");
  if (!options.classes.empty()) request.classes = parse_classes(options.classes);
  request.remarks = class_list_remarks(options.classes, request.classes);
  for (ClassWords& entry : request.classes) entry.synonyms = options.synonyms;
  if (!options.background.empty()) {
    if (request.classes.empty()) {
      throw usage_error("`background` goes with `classes`", "name the classes, too");
    }
    add_background(options.background, request.classes);
    for (std::string& remark : class_list_remarks(options.background, {})) {
      request.remarks.push_back(std::move(remark));
    }
  }
  if (!options.prompt.empty()) request.templates = parse_templates(options.prompt);
  return request;
}

std::vector<bool> seen_classes(const std::vector<ClassWords>& classes,
                               const TrainedOn& trained_on) {
  std::unordered_set<std::string> known;
  for (size_t c = 0; c < trained_on.classes.size(); ++c) {
    if (!trained_on.seen[c]) continue;
    for (const std::string& word : trained_on.words(c)) known.insert(spelling(word));
  }
  std::vector<bool> seen;
  for (const ClassWords& entry : classes) {
    seen.push_back(std::ranges::any_of(
        entry.words, [&](const std::string& word) { return known.contains(spelling(word)); }));
  }
  return seen;
}

std::vector<ClassWords> trained_classes(const TrainedOn& trained_on, const std::string& source) {
  if (trained_on.classes.empty()) {
    throw bad_input(source + ": the weights do not say which classes they were trained on",
                    "name the classes to look for");
  }
  std::vector<ClassWords> classes;
  for (size_t c = 0; c < trained_on.classes.size(); ++c) classes.push_back({trained_on.words(c)});
  return classes;
}

std::vector<ClassWords> with_trained_names(std::vector<ClassWords> classes,
                                           const TrainedOn& trained_on) {
  std::unordered_map<std::string, std::string> names;  // spelling → name
  for (const std::string& name : trained_on.classes) {
    if (name.find(',') != name.npos) names.emplace(spelling(name), name);
  }
  if (names.empty()) return classes;
  for (ClassWords& entry : classes) {
    std::string joined;
    for (const std::string& word : entry.words) joined += (joined.empty() ? "" : ", ") + word;
    const auto found = names.find(spelling(joined));
    if (found != names.end()) entry.words = {found->second};
  }
  return classes;
}

EmbeddedVocabulary resolve_vocabulary(const InferenceModel& model, std::vector<ClassWords> classes,
                                      std::vector<std::string> templates) {
  if (model.text_tower == nullptr) {
    throw bad_input(
        model.source + ": the weights hold no text tower, so words cannot be looked for",
        "set `text_weights` to the CLIP they were made from, or `text_embeddings` to a file of "
        "embeddings");
  }
  const int64_t vocabulary = model.text_config.vocabulary;
  if (vocabulary < Tokenizer::kLeastVocabulary) {
    throw bad_input(
        fmt::format("{}: its text tower has a vocabulary of {} tokens; words need at least {}",
                    model.source, vocabulary, Tokenizer::kLeastVocabulary),
        "set `text_embeddings` to a file of embeddings that were made elsewhere");
  }
  if (classes.empty()) classes = trained_classes(model.trained_on, model.source);
  if (templates.empty()) templates = model.templates;
  if (templates.empty()) templates = parse_templates("single");
  for (ClassWords& entry : classes) {
    if (entry.synonyms == Synonyms::kAuto) entry.synonyms = model.synonyms;
  }

  DistinctClasses distinct = distinct_classes(
      with_trained_names(std::move(classes), model.trained_on), templates,
      Tokenizer(static_cast<int>(vocabulary)), static_cast<int>(model.text_config.context));
  std::vector<bool> seen = seen_classes(distinct.classes, model.trained_on);
  return {.classes = std::move(distinct.classes),
          .seen = std::move(seen),
          .inductive = model.trained_on.inductive,
          .templates = std::move(templates),
          .embeddings = {},
          .rows_of_class = {},
          .truncated = {},
          .same = std::move(distinct.remarks)};
}

EmbeddedVocabulary embed_vocabulary(const InferenceModel& model, std::vector<ClassWords> classes,
                                    std::vector<std::string> templates,
                                    const EmbedOptions& options) {
  EmbeddedVocabulary vocabulary =
      resolve_vocabulary(model, std::move(classes), std::move(templates));
  EmbedOptions named = options;
  named.source = model.text_source;
  TextEmbeddings embedded = embed_classes(*model.text_tower, model.text_config, vocabulary.classes,
                                          vocabulary.templates, named);
  vocabulary.embeddings = std::move(embedded.rows);
  vocabulary.rows_of_class = std::move(embedded.rows_of_class);
  vocabulary.truncated = std::move(embedded.truncated);
  vocabulary.from_cache = embedded.from_cache;
  return vocabulary;
}

namespace {

// The largest of each group of neighbours along dimension 1.
at::Tensor group_max(const at::Tensor& x, const std::vector<int64_t>& sizes) {
  if (!x.defined()) return x;
  std::vector<at::Tensor> groups;
  for (const at::Tensor& group : x.split_with_sizes(sizes, 1)) {
    groups.push_back(group.amax(1, /*keepdim=*/true));
  }
  return at::cat(groups, 1);
}

}  // namespace

MaskLogits logits_of_classes(MaskLogits of_rows, const EmbeddedVocabulary& vocabulary) {
  const std::vector<int64_t>& sizes = vocabulary.rows_of_class;
  if (std::ranges::all_of(sizes, [](int64_t rows) { return rows == 1; })) return of_rows;
  return {group_max(of_rows.classes, sizes), of_rows.trusty, group_max(of_rows.presence, sizes)};
}

}  // namespace tagclip

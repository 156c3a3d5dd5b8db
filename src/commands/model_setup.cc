#include "commands/model_setup.h"

#include <c10/util/StringUtil.h>

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "infer/embedding_file.h"

namespace tagclip {
namespace {

// Embedding more texts than this shows its progress.
constexpr int64_t kManyTexts = 2000;

// A cache that cannot be used costs no more than the time to embed the words again.
EmbeddedVocabulary embed_cached(const InferenceModel& model, const Wanted& wanted,
                                const WordOptions& options, EmbedOptions embed, Console& console) {
  if (!options.no_cache) {
    try {
      EmbeddingCache cache(cache_folder() / "text-embeddings.sqlite");
      embed.cache = &cache;
      return embed_vocabulary(model, wanted.classes, wanted.templates, embed);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kFailure) throw;
      console.warn(c10::str(error.what(), " (", error.hint(), ")"));
      embed.cache = nullptr;
    }
  }
  return embed_vocabulary(model, wanted.classes, wanted.templates, embed);
}

void report(const EmbeddedVocabulary& vocabulary, Console& console) {
  if (!vocabulary.truncated.empty()) {
    constexpr size_t kShown = 100;
    std::string text = vocabulary.truncated[0];
    if (text.size() > kShown) text = text.substr(0, kShown) + "...";
    const size_t more = vocabulary.truncated.size() - 1;
    console.warn(c10::str("longer than the model reads, and cut: \"", text, "\"",
                          more > 0 ? c10::str(" and ", more, " more") : ""));
  }
  const size_t count = vocabulary.classes.size();
  const auto seen = static_cast<size_t>(std::ranges::count(vocabulary.seen, true));
  console.note(c10::str(count, count == 1 ? " class: " : " classes: ", seen, " seen in training, ",
                        count - seen, " new to the model"));
}

}  // namespace

InferenceModel load_model_noisily(const ModelOptions& options, const Ranks& ranks,
                                  Console& console) {
  InferenceModel model = load_for_inference({.weights = options.weights,
                                             .text_weights = options.text_weights,
                                             .mode = parse_mode(options.mode),
                                             .device = ranks.own(choose_device(options.device))});
  if (!model.assumption.empty()) {
    console.warn(c10::str(options.weights.string(), ": ", model.assumption));
  }
  return model;
}

void check_free(const std::filesystem::path& file, bool overwrite) {
  if (overwrite || !std::filesystem::exists(file)) return;
  throw failure(file.string() + ": exists already",
                "--overwrite replaces it, or choose another name");
}

Wanted read_words(const WordOptions& options) {
  Wanted wanted;
  if (!options.text_embeddings.empty() && !options.prompt.empty()) {
    throw usage_error(
        "--prompt has nothing to fill in where --text-embeddings gives the embeddings",
        "leave one of them out");
  }
  if (!options.text_embeddings.empty() && options.synonyms == "max") {
    throw usage_error(
        "--synonyms max needs an embedding a word, --text-embeddings holds one a class",
        "leave one of them out");
  }
  if (!options.text_embeddings.empty() && !options.background.empty()) {
    throw usage_error("--background needs a text tower, which --text-embeddings does without",
                      "leave one of them out");
  }
  if (!options.classes.empty()) wanted.classes = parse_classes(options.classes);
  if (options.synonyms == "max") {
    for (ClassWords& entry : wanted.classes) entry.synonyms = Synonyms::kMax;
  }
  if (!options.background.empty()) {
    if (wanted.classes.empty()) {
      throw usage_error("--background goes with --classes", "name the classes, too");
    }
    add_background(options.background, wanted.classes);
  }
  if (!options.prompt.empty()) wanted.templates = parse_templates(options.prompt);
  return wanted;
}

EmbeddedVocabulary embed_noisily(const InferenceModel& model, Wanted wanted,
                                 const WordOptions& options, Console& console) {
  if (!options.text_embeddings.empty()) {
    EmbeddedVocabulary vocabulary =
        read_text_embeddings(options.text_embeddings, model, std::move(wanted.classes));
    report(vocabulary, console);
    return vocabulary;
  }
  EmbedOptions embed;
  embed.progress = [&](int64_t done, int64_t total) {
    if (total >= kManyTexts) console.progress("embedding words", done, total);
    return !console.stop_requested();
  };
  EmbeddedVocabulary vocabulary = embed_cached(model, wanted, options, embed, console);
  if (console.stop_requested()) return vocabulary;
  report(vocabulary, console);
  return vocabulary;
}

}  // namespace tagclip

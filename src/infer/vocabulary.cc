#include "infer/vocabulary.h"

#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "clip/text_embeddings.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace tagclip {
namespace {

std::string lower_case(const std::string& word) { return encode_utf8(to_lower(decode_utf8(word))); }

std::vector<ClassWords> trained_classes(const TrainedOn& trained_on) {
  if (trained_on.classes.empty()) {
    throw bad_input("the weights do not say which classes they were trained on",
                    "name the classes to look for");
  }
  std::vector<ClassWords> classes;
  for (const std::string& name : trained_on.classes) classes.push_back({{name}});
  return classes;
}

}  // namespace

std::vector<bool> seen_classes(const std::vector<ClassWords>& classes,
                               const TrainedOn& trained_on) {
  std::unordered_set<std::string> known;
  for (size_t c = 0; c < trained_on.classes.size(); ++c) {
    if (trained_on.seen[c]) known.insert(lower_case(trained_on.classes[c]));
  }
  std::vector<bool> seen;
  for (const ClassWords& entry : classes) {
    seen.push_back(std::ranges::any_of(
        entry.words, [&](const std::string& word) { return known.contains(lower_case(word)); }));
  }
  return seen;
}

EmbeddedVocabulary embed_vocabulary(const LoadedModel& loaded, std::vector<ClassWords> classes,
                                    std::vector<std::string> templates) {
  const auto& [model, trained_on, metadata] = loaded;
  if (!model.text_encoder) {
    throw bad_input(
        "the weights hold no text tower (text_encoder.*), so words cannot be looked for",
        "use weights that were saved with their text tower");
  }
  if (classes.empty()) classes = trained_classes(trained_on);
  if (templates.empty()) templates = trained_on.templates;
  if (templates.empty()) templates = parse_templates("single");

  const ClipConfig& clip = model.config.clip;
  auto [rows, truncated] = embed_classes(*model.text_encoder, clip, classes, templates);
  std::vector<bool> seen = seen_classes(classes, trained_on);
  return {.classes = std::move(classes),
          .seen = std::move(seen),
          .inductive = trained_on.inductive,
          .templates = std::move(templates),
          .embeddings = std::move(rows),
          .truncated = std::move(truncated)};
}

}  // namespace tagclip

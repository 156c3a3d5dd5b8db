#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "commands/commands.h"
#include "commands/setup.h"
#include "infer/embedding_file.h"
#include "infer/photo_list.h"

namespace tagclip {
namespace {

// The list beside a .npy file is written, unless the user's own, which was read, lies there.
bool needs_list(const EmbedCommandOptions& options) {
  if (options.output.extension() != ".npy") return false;
  return !is_same_file(options.vocabulary.classes, class_list_of(options.output));
}

EmbeddedVocabulary tuned(const Pipeline& pipeline, const VocabularyRequest& request,
                         const EmbedCommandOptions& options, Console& console) {
  PhotoList list = list_photos({options.tune.string()}, [] { return std::string(); });
  if (list.photos.empty() && !list.unusable.empty()) throw list.unusable.front().error;
  for (const LeftOut& left_out : list.left_out) console.note(left_out.text);
  const auto read = [&](int64_t i) {
    const std::filesystem::path& photo = list.photos[i];
    return about_file(photo.string(), [&] {
      return read_image(photo, {.max_pixels = options.inference.max_pixels});
    });
  };
  return pipeline.tune_templates(request, {std::ssize(list.photos), read}, hooks_of(console));
}

}  // namespace
}  // namespace tagclip

int tagclip_embed(const tagclip::EmbedCommandOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  VocabularyRequest request = parse_vocabulary(options.vocabulary);
  for (ClassWords& entry : request.classes) {  // a file holds one embedding per class
    if (entry.synonyms == Synonyms::kAuto) entry.synonyms = Synonyms::kMean;
  }
  if (!options.tune.empty() && options.output.extension() == ".npy") {
    throw usage_error("a .npy file has no place for the templates of each class",
                      "write a .safetensors file");
  }
  const bool with_list = needs_list(options);
  check_free(options.output, options.overwrite);
  if (with_list) check_free(class_list_of(options.output), options.overwrite);
  const World alone;
  const Pipeline pipeline = load_pipeline(options.weights, options.inference, alone, console);
  const auto vocabulary = unless_stopped(alone, [&] {
    return options.tune.empty() ? pipeline.embed(request, hooks_of(console))
                                : tuned(pipeline, request, options, console);
  });
  if (!vocabulary) {
    console.note("stopped; nothing was written");
    return kStopped;
  }
  write_text_embeddings(options.output, *vocabulary, with_list);
  console.print(fmt::format("{}: {} embeddings of {} numbers", options.output.string(),
                            vocabulary->embeddings.size(0), vocabulary->embeddings.size(1)));
  return 0;
}

#include <c10/util/StringUtil.h>

#include "base/error.h"
#include "engine/commands.h"
#include "engine/model_setup.h"
#include "infer/embedding_file.h"

int tagclip_embed(const tagclip::EmbedCommandOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  Wanted wanted = read_words(options);
  if (!options.overwrite && std::filesystem::exists(options.output)) {
    throw failure(options.output.string() + ": exists already", "--overwrite replaces it");
  }
  const InferenceModel model = load_model_noisily(options, console);
  const EmbeddedVocabulary vocabulary = embed_noisily(model, std::move(wanted), options, console);
  if (console.stop_requested()) {
    console.note("stopped; nothing was written");
    return kStopped;
  }
  write_text_embeddings(options.output, vocabulary);
  console.print(c10::str(options.output.string(), ": ", vocabulary.embeddings.size(0),
                         " embeddings of ", vocabulary.embeddings.size(1), " numbers"));
  return 0;
}

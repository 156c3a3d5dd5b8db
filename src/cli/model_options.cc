#include "cli/model_options.h"

namespace tagclip {

void add_model_options(OptionList& list, ModelOptions& options) {
  list.add_option(
          "-w,--weights", options.weights,
          "Model: a file or folder in any dialect; without it the small one that ships with "
          "tagclip")
      ->type_name("FILE")
      ->check(not_empty());
  list.add_option("--mode", options.mode,
                  "trained: the weights' decoder; clip: a CLIP as it is, by its last values "
                  "(MaskCLIP); sclip: by correlative self-attention (SCLIP)")
      ->check(one_of({"trained", "clip", "sclip"}))
      ->show_default();
  list.add_option("--text-weights", options.text_weights,
                  "A CLIP that reads the words, for weights without a text tower")
      ->type_name("FILE")
      ->check(not_empty());
  list.add_option("--device", options.device, "Where to compute")
      ->check(one_of({"auto", "cpu", "cuda"}))
      ->show_default();
}

void add_precision_option(OptionList& list, PrecisionOptions& options, const char* default_value) {
  options.precision = default_value;
  list.add_option("--precision", options.precision,
                  "What the image encoder computes in, on CPUs. auto: the fastest that leaves at "
                  "least 99.8% of the pixels labelled as in float32, which is measured on some of "
                  "the photos, until six have been compared, and kept")
      ->check(one_of({"auto", "float32", "bfloat16x3", "bfloat16", "int8"}))
      ->show_default();
}

void add_windowing_options(OptionList& list, WindowingOptions& options) {
  list.add_option("--weighting", options.weighting, "How the trusty map reweighs the scores")
      ->check(one_of({"none", "seen", "unseen", "both"}))
      ->show_default();
  list.add_option("--short-side", options.short_side,
                  "Photos are scaled to this short side; 0 = the window, for a CLIP 1.5 of it")
      ->type_name("PIXELS")
      ->check(whole_number(0, 16384));
  list.add_option("--window", options.window,
                  "Side of the sliding window; 0 = the model's own size")
      ->type_name("PIXELS")
      ->check(whole_number(0, 16384));
  list.add_option("--stride", options.stride,
                  "Step of the sliding window; 0 = 426/512 of the window, for a CLIP half")
      ->type_name("PIXELS")
      ->check(whole_number(0, 16384));
}

void add_prompt_option(OptionList& list, std::string& prompt) {
  list.add_option(
          "--prompt", prompt,
          "Prompt templates: single, multi, imagenet, a file with one a line, or one holding "
          "{}; without it the model's own")
      ->check(not_empty());
}

void add_class_options(OptionList& list, WordOptions& options) {
  list.add_option("-c,--classes", options.classes,
                  "Words (\"cat, grass, sky\"), or a file with one class a line and commas between "
                  "synonyms; without it the classes the model was trained on")
      ->type_name("WORDS")
      ->check(not_empty());
  add_prompt_option(list, options.prompt);
  list.add_flag("--no-cache", options.no_cache, "Neither read nor keep the embeddings of words");
}

void add_word_options(OptionList& list, WordOptions& options) {
  add_class_options(list, options);
  list.add_option(
          "--background", options.background,
          "Words (or a file) for whatever else is in the photos; together they are the class "
          "background")
      ->type_name("WORDS")
      ->check(not_empty());
  list.add_option("--synonyms", options.synonyms,
                  "mean: one embedding a class, the mean of its words'; max: each word is looked "
                  "for, the best one counts")
      ->check(one_of({"mean", "max"}))
      ->show_default();
  list.add_option("--text-embeddings", options.text_embeddings,
                  "Take the classes' embeddings from a file: .npy or what tagclip embed writes")
      ->type_name("FILE")
      ->check(not_empty());
}

}  // namespace tagclip

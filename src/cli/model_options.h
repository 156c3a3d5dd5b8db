#pragma once

#include "cli/options.h"
#include "commands/commands.h"

namespace tagclip {

// Options that several commands share.

// Which model, and where it runs.
void add_model_options(OptionList& list, ModelOptions& options);
// What the encoder computes in.
void add_precision_option(OptionList& list, PrecisionOptions& options, const char* default_value);
// How photos are cut up and scored.
void add_windowing_options(OptionList& list, WindowingOptions& options);
// Words, and how they become embeddings.
void add_class_options(OptionList& list, WordOptions& options);
// These, and all else that says what to look for.
void add_word_options(OptionList& list, WordOptions& options);
void add_prompt_option(OptionList& list, std::string& prompt);

}  // namespace tagclip

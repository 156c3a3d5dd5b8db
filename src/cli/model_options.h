#pragma once

#include <CLI/CLI.hpp>

#include "commands/commands.h"

namespace tagclip {

// Options that several commands share.

// Which model, and where it runs.
void add_model_options(CLI::App& app, ModelOptions& options);
// What the encoder computes in.
void add_precision_option(CLI::App& app, PrecisionOptions& options, const char* default_value);
// How photos are cut up and scored.
void add_windowing_options(CLI::App& app, WindowingOptions& options);
// Words, and how they become embeddings.
void add_class_options(CLI::App& app, WordOptions& options);
// These, and all else that says what to look for.
void add_word_options(CLI::App& app, WordOptions& options);
void add_prompt_option(CLI::App& app, std::string& prompt);

}  // namespace tagclip

#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/fields.h"
#include "cli/options.h"
#include "tagclip/options.h"

namespace tagclip {

// Adds an option for each field of a list: the setting short_side becomes --short-side. Names, help
// texts, defaults, ranges and allowed words are the list's.
void add_fields(OptionList& list, const FieldList& fields);

// -w, --weights: the model; empty means the small one that ships with the program.
void add_weights_option(OptionList& list, std::filesystem::path& weights);

// Words given as - are those that standard input holds, as in a class file. `taken`: it holds
// something else already. Throws Error(kUsage) where two ask for it.
void read_words_from_stdin(VocabularyOptions& options, bool taken);

// Words messages of the libraries for the user of these options: `short_side`, a setting between
// backticks, becomes --short-side where there is that option.
std::function<std::string(std::string_view)> option_wording(const OptionList& list);

}  // namespace tagclip

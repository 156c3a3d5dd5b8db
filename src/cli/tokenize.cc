#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "cli/command.h"
#include "text/tokenizer.h"

namespace tagclip {
namespace {

using nlohmann::json;

constexpr const char* kExample = "for example: echo '[\"a photo of a cat\"]' | tagclip tokenize";

json parse(std::istream& in) {
  try {
    return json::parse(in);
  } catch (const json::exception& error) {
    std::string reason = error.what();
    reason.erase(0, reason.find("] ") + 2);  // the name of the exception
    throw bad_input("standard input is not JSON: " + reason, kExample);
  }
}

std::vector<std::string> read_texts(std::istream& in) {
  const json texts = parse(in);
  if (!texts.is_array()) {
    throw bad_input(
        std::string("standard input: expected a JSON array of strings, found ") + texts.type_name(),
        kExample);
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].is_string()) continue;
    throw bad_input("standard input: element " + std::to_string(i) + " is not a string but " +
                        texts[i].type_name(),
                    kExample);
  }
  return texts;
}

int tokenize(int context, Console& console) {
  const Tokenizer tokenizer;
  json rows = json::array();
  size_t cut = 0;
  for (const std::string& text : read_texts(std::cin)) {
    TokenizedText tokens = tokenizer.tokenize(text, context);
    cut += tokens.truncated;
    rows.push_back(std::move(tokens.ids));
  }
  console.print(rows.dump());
  if (cut > 0) {
    console.warn(std::to_string(cut) + " of the texts were longer than " + std::to_string(context) +
                 " tokens and were cut");
  }
  return 0;
}

}  // namespace

Command tokenize_command() {
  return {
      "tokenize", "Turn a JSON array of texts into CLIP's token ids",
      [](OptionList& list) -> Action {
        auto context = std::make_shared<int>(Tokenizer::kContext);
        list.add_option("--context", *context, "Ids a text")
            ->check(whole_number(2, 1 << 16))
            ->show_default();
        list.footer(
            "Reads a JSON array of strings on standard input, prints a JSON array of arrays of\n"
            "ids.\n"
            "Example: echo '[\"a photo of a cat\"]' | tagclip tokenize");
        return [context](Console& console) { return tokenize(*context, console); };
      }};
}

}  // namespace tagclip

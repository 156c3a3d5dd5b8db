#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagclip {

// A class as a file or a text lists it.
struct ListedClass {
  std::vector<std::string> words;  // its name, then synonyms; checked, never empty
  std::string where;               // "FILE, line 3", for error texts
  std::optional<int64_t> id;       // where the list numbers its classes
  int line = 0;                    // of a text file, from 1; 0 elsewhere
};

// Reads a class file, the one grammar of all commands. Its ending or first characters tell:
//  - text: a class a line; commas (also full-width ones), semicolons, | and tabs separate its
//    synonyms; a word in quotes keeps them. Empty lines and lines that begin with # are skipped,
//    and what follows a # between spaces. Lines that all begin with a number ("0: sky", "0,sky")
//    number the classes; a dash or ImageNet's number of a synset before all names is taken off, and
//    so are colours ("road: 128,64,128", "128 64 128 road", "road #804080").
//  - .csv, .tsv, with or without a header: the column of names, perhaps of ids; columns of numbers
//    such as colours are skipped. One row lists classes, not synonyms.
//  - JSON: a list of names, of lists of words or of objects with "name" and "id" (COCO's
//    categories), or an object that maps ids to names or names to ids, perhaps below "names",
//    "classes", "categories" or "id2label".
//  - YAML: `names:` with a list, or a map of ids to names.
//  - a list or tuple of Python, perhaps with the name that it is assigned to.
// The classes come in the order of their ids where there are any. Throws Error(kBadInput) naming
// the file and the line or class: unreadable, above 64 MiB, UTF-16, invalid UTF-8, a control
// character, an empty word, one of more than 1,000 bytes, an id that comes twice, no class at all,
// brackets that do not close, RTF, HTML, a structure that is none of these.
std::vector<ListedClass> read_class_file(const std::filesystem::path& path);

// Reads the classes of a text that a person typed: "cat, sofa" with one kind of separator between
// the classes, or JSON. A word in quotes keeps its commas. `source` begins the messages. Throws as
// read_class_file, and where commas and semicolons are mixed.
std::vector<ListedClass> parse_class_list(std::string_view typed, const std::string& source);

// Returns `text` without white space at its ends. Throws as read_class_file where it is no word.
std::string checked_word(std::string_view text, const std::string& where);

// Returns the words of a line, as in a class file of text: "sofa, couch". Throws as
// read_class_file, its messages beginning with `where`.
std::vector<std::string> listed_words(std::string_view text, const std::string& where);

// Returns the word as a class file holds it: in quotes where it would be read as something else.
std::string quoted_word(const std::string& word);

}  // namespace tagclip

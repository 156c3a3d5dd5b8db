#include "cli/dataset_options.h"

#include "data/dataset_kinds.h"

namespace tagclip {

void add_dataset_options(OptionList& list, DatasetOptions& options) {
  list.add_option("--dataset", options.kind,
                  "Kind of data set; folder is images/, labels/, classes.txt and lists")
      ->check(one_of(dataset_kind_names()))
      ->show_default();
  list.add_option(
          "--unseen", options.unseen,
          "Unseen classes: names or indices, a list file, none, or a built-in split (voc-5, "
          "voc-zs3, coco-stuff-15, context-zs3, context-cascade-clip); without it the set's "
          "own")
      ->type_name("CLASSES")
      ->check(not_empty());
  list.add_option(
          "--zero-label", Target([&options](const std::string& word) {
            options.zero_label = word == "keep"     ? ZeroLabel::kKeep
                                 : word == "reduce" ? ZeroLabel::kReduce
                                                    : ZeroLabel::kAuto;
          }),
          "Background, label 0: keep it as a class, or reduce: make it void; auto as the set is "
          "used")
      ->check(one_of({"auto", "keep", "reduce"}))
      ->show_default("auto");
  list.add_option("--max-pixels", options.max_pixels, "Larger photos and label files are refused")
      ->type_name("N")
      ->check(whole_number(1, int64_t{1} << 40))
      ->show_default();
}

}  // namespace tagclip

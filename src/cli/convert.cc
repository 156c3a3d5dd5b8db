#include "cli/command.h"
#include "cli/shared_library.h"
#include "commands/commands.h"

namespace tagclip {

Command convert_command() {
  return {
      "convert", "Rewrite weights in another layout, without loss", [](OptionList& list) -> Action {
        auto options = std::make_shared<ConvertOptions>();
        list.add_option("IN", options->input, "Weights in any dialect: a file, or a model's folder")
            ->type_name("")
            ->check(not_empty())
            ->required();
        list.add_option("OUT", options->output,
                        "A safetensors file; for open-clip and hugging-face a folder of weights "
                        "and config")
            ->type_name("")
            ->check(not_empty())
            ->required();
        list.add_option("--to", options->to, "The layout to write")
            ->check(one_of({"tagclip", "open-clip", "hugging-face"}))
            ->show_default();
        list.add_option("--precision", options->precision,
                        "keep leaves every tensor its element type")
            ->check(one_of({"keep", "float32", "float16", "bfloat16"}))
            ->show_default();
        list.add_option("--activation", options->activation,
                        "What the blocks of a CLIP compute with, where its weights do not say")
            ->check(one_of({"quick_gelu", "gelu"}));
        list.add_option(
                "--heads", options->heads,
                "Attention heads of a CLIP's vision and text tower, where its weights do not "
                "say: 16,12 for ViT-L-14")
            ->type_name("VISION,TEXT");
        list.add_flag("--overwrite", options->overwrite, "Replace files that exist already");
        list.footer(
            "Example: tagclip convert ViT-B-16.pt vit-b-16.safetensors --precision bfloat16");
        return [options](Console& console) { return run_in_library(*options, console); };
      }};
}

}  // namespace tagclip

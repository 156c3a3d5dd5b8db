#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/entry_point.h"
#include "data/dataset_options.h"

// The commands that need LibTorch: a struct of options and an entry point each. This header and the
// program are free of LibTorch; the functions live in a shared library that the program loads when
// it runs one of them.
namespace tagclip {

// Which model, and where it runs.
struct ModelOptions {
  std::filesystem::path weights;       // any dialect
  std::filesystem::path text_weights;  // a CLIP that reads the words instead; empty: none
  std::string mode = "trained";        // trained, clip, sclip
  std::string device = "auto";         // auto, cpu, cuda
};

// How photos are cut up and scored.
struct WindowingOptions {
  std::string weighting = "both";                  // none, seen, unseen, both
  int64_t window = 0, stride = 0, short_side = 0;  // 0: the model's own
};

// What to look for.
struct WordOptions {
  std::string classes;            // words or a file; empty: the classes the model was trained on
  std::string background;         // words that together are the class "background"
  std::string prompt;             // see parse_templates; empty: the model's own
  std::string synonyms = "mean";  // mean, max
  std::filesystem::path text_embeddings;  // a file of embeddings for the classes; empty: none
  bool no_cache = false;                  // neither read nor keep embeddings of words
};

// What a CPU's encoder computes in: auto, float32, bfloat16x3, bfloat16, int8.
struct PrecisionOptions {
  std::string precision = "float32";
};

struct SegmentOptions : ModelOptions, PrecisionOptions, WindowingOptions, WordOptions {
  std::vector<std::string> inputs;  // files, folders, globs; "-" reads a list from standard input
  std::filesystem::path output = "out";
  double threshold = 0;                 // scores below it are unlabelled
  std::filesystem::path save_encoding;  // a folder for the photos' encodings; empty: not kept
  std::filesystem::path encoding;       // a folder to take them from; empty: photos are encoded
  int64_t max_pixels = 64LL << 20;
  int64_t threads = 0;  // 0: all
  bool overwrite = false;
  bool json = false;
};

struct TrainOptions {
  std::filesystem::path config;        // empty: the defaults
  std::vector<std::string> overrides;  // name=value
  bool print_config = false;
};

struct PretrainOptions : TrainOptions {};

// A table or figure of the paper: its training runs, one after the other.
struct ExperimentOptions {
  std::string name;                    // table1, ..., figure5
  std::filesystem::path config;        // what all runs have in common; empty: the defaults
  std::string data;                    // data set folder; empty: the config's
  std::vector<std::string> overrides;  // name=value
  std::vector<std::string> only;       // labels; empty: all
  int64_t seeds = 1;                   // the config's seed and the ones after it
  std::filesystem::path output;
  bool list = false;  // show the runs, and stop
};

struct EvalOptions : ModelOptions, PrecisionOptions, WindowingOptions {
  DatasetOptions data;
  std::string split = "val";
  std::string prompt;  // see parse_templates; empty: the model's own
  bool json = false;
};

struct EmbedCommandOptions : ModelOptions, WordOptions {
  std::filesystem::path output;  // .npy, or safetensors
  bool overwrite = false;
};

struct ConvertOptions {
  std::filesystem::path input, output;
  std::string to = "tagclip";      // tagclip, open-clip, hugging-face
  std::string precision = "keep";  // keep, float32, float16, bfloat16
  std::string activation;          // quick_gelu, gelu; empty: as the weights say
  bool overwrite = false;
};

struct VerifyOptions {
  std::filesystem::path weights;
  std::filesystem::path expected;
  std::filesystem::path inputs;  // the file that holds in.*; empty: `expected`
  std::string architecture;      // empty: as the files say
  double tolerance = 1e-5;       // absolute, of forward values
  double loss_tolerance = 1e-5;  // relative, of losses
  double gradient_absolute = 1e-6, gradient_relative = 1e-4;
  bool json = false;
};

}  // namespace tagclip

TAGCLIP_ENTRY_POINT("libtagclip_commands.so", SegmentOptions, tagclip_segment)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", TrainOptions, tagclip_train)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", ExperimentOptions, tagclip_experiment)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", PretrainOptions, tagclip_pretrain)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", EvalOptions, tagclip_eval)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", EmbedCommandOptions, tagclip_embed)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", ConvertOptions, tagclip_convert)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", VerifyOptions, tagclip_verify)

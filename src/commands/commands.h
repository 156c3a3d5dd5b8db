#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/entry_point.h"
#include "data/dataset_options.h"
#include "infer/options.h"
#include "tagclip/outputs.h"

// The commands that need LibTorch: a struct of options and an entry point each. This header and the
// program are free of LibTorch; the functions live in a shared library that the program loads when
// it runs one of them.
namespace tagclip {

struct SegmentOptions {
  std::filesystem::path weights;  // any dialect
  InferenceOptions inference;
  VocabularyOptions vocabulary;
  std::vector<std::string> inputs;  // files, folders, globs; "-" reads a list from standard input
  std::filesystem::path output = "out";
  OutputOptions outputs;
  int64_t shard = 1, shards = 1;        // of the list's photos every `shards`th, from this one on
  bool watch = false;                   // go on with photos that come into the folders
  std::filesystem::path save_encoding;  // a folder for the photos' encodings; empty: not kept
  std::filesystem::path encoding;       // a folder to take them from; empty: photos are encoded
  int64_t threads = 0;                  // 0: all
  bool overwrite = false;
  bool json = false;
};

struct VideoOptions {
  std::filesystem::path weights;
  InferenceOptions inference;
  VocabularyOptions vocabulary;
  std::filesystem::path input;   // a video or a camera
  std::filesystem::path output;  // the frames under their classes; empty: beside the input
  std::filesystem::path labels;  // the class of every pixel, lossless; empty: not written
  double unchanged = 2;          // see FrameOptions
  double smoothing = 0;
  int64_t every = 1;   // of so many frames one is taken
  int64_t frames = 0;  // stop after so many; 0: all
  std::string ffmpeg = "ffmpeg";
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

struct EvalOptions {
  std::filesystem::path weights;
  // The default is float32, since the numbers are compared with other programs'.
  InferenceOptions inference = {.precision = Precision::kFloat32};
  DatasetOptions data;
  std::string split = "val";
  // classes: one per class of the set, what to look for instead of its name; empty: the set's
  // words.
  VocabularyOptions vocabulary;
  std::string distractors;  // words that are looked for, too, and are never right; empty: none
  bool boundary = false;    // measure boundary F, too
  bool calibrate = false;   // measure the scores, and leave their calibration beside the weights
  bool json = false;
};

struct EmbedCommandOptions {
  std::filesystem::path weights;
  InferenceOptions inference;
  VocabularyOptions vocabulary;
  std::filesystem::path output;  // .npy, or safetensors
  std::filesystem::path tune;    // a folder of photos to choose templates on; empty: all are used
  bool overwrite = false;
};

struct ConvertOptions {
  std::filesystem::path input, output;
  std::string to = "tagclip";      // tagclip, open-clip, hugging-face
  std::string precision = "keep";  // keep, float32, float16, bfloat16
  // These tell what a CLIP computes where its weights do not; empty: as they say.
  std::string activation;  // quick_gelu, gelu
  std::string heads;       // attention heads of the vision and the text tower: "12,8"
  bool overwrite = false;
};

struct ExportOptions {
  std::filesystem::path weights;
  InferenceOptions inference;
  std::filesystem::path output;       // .onnx
  std::string precision = "float32";  // float32, float16
  bool parts = false;                 // write the encoder and the decoder as two files
  bool external_data = false;         // put weights beside the file even where they fit into it
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

// Tells about the library itself: it has no options.
struct DoctorOptions {};

}  // namespace tagclip

TAGCLIP_ENTRY_POINT("libtagclip_commands.so", SegmentOptions, tagclip_segment)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", VideoOptions, tagclip_video)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", TrainOptions, tagclip_train)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", ExperimentOptions, tagclip_experiment)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", PretrainOptions, tagclip_pretrain)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", EvalOptions, tagclip_eval)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", EmbedCommandOptions, tagclip_embed)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", ConvertOptions, tagclip_convert)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", ExportOptions, tagclip_export)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", VerifyOptions, tagclip_verify)
TAGCLIP_ENTRY_POINT("libtagclip_commands.so", DoctorOptions, tagclip_doctor)

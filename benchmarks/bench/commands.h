#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/console.h"

// These are the commands of tagclip_bench, each with its options. All throw tagclip::Error, and
// return the program's exit code otherwise.
namespace tagclip::bench {

// These models are measured.
struct WorkloadOptions {
  std::string model = "all";      // voc, coco, all: ViT-B/16 at 512 x 512 with random weights
  std::filesystem::path weights;  // a model instead of these; empty: none
};

struct ComparisonOptions : WorkloadOptions {
  std::string task = "all";  // segment, train-step, kernels, all
  int64_t threads = 0;       // 0: all
  int64_t runs = 5;
  std::filesystem::path floors;  // of the ratios; empty: none
  bool json = false;
};

struct LoaderSpeedOptions {
  std::string data;  // data set folder
  std::string split = "train";
  int64_t samples = 320;
  bool json = false;
};

struct ScalingOptions : WorkloadOptions {
  std::string by = "classes";  // classes, side, windows, batch, threads
  std::string precision = "float32";
  int64_t threads = 0;  // 0: all
  int64_t runs = 5;
  bool json = false;
};

struct TokenCostOptions : WorkloadOptions {
  std::string precision = "float32";
  int64_t threads = 0;  // 0: all
  int64_t runs = 5;
  bool json = false;
};

struct ModesOptions {
  std::filesystem::path weights;  // a CLIP; empty: ViT-B/16 with random weights
  std::string precision = "float32";
  int64_t threads = 0;  // 0: all
  int64_t runs = 5;
  bool json = false;
};

struct PrecisionsOptions {
  bool json = false;
};

struct InterleavedOptions {
  std::filesystem::path weights, text_embeddings, photo;
  std::string precision = "float32";
  int64_t threads = 0;  // 0: all
};

// Compares ours with plain LibTorch. Rows that do not run on this processor are listed as such.
// Returns 1 where a result differs or a ratio is under its floor.
int run_comparison(const ComparisonOptions& options, Console& console);
// Measures the same models with the trusty token and without.
int run_token_cost(const TokenCostOptions& options, Console& console);
// Measures the modes of a CLIP as it is beside each other.
int run_modes(const ModesOptions& options, Console& console);
// Measures how time and memory grow with classes, side, windows, batch or threads.
int run_scaling(const ScalingOptions& options, Console& console);
// Measures how fast one core makes training samples.
int run_loader(const LoaderSpeedOptions& options, Console& console);
// Segments the photo once per line on standard input, and answers each with a line of JSON.
int run_interleaved(const InterleavedOptions& options, Console& console);
// Lists the precisions, and which of them this processor multiplies in.
int run_precisions(const PrecisionsOptions& options, Console& console);

}  // namespace tagclip::bench

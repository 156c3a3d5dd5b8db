#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/console.h"

// The commands of tagclip_bench, each with its options. All throw tagclip::Error, and return the
// program's exit code otherwise.
namespace tagclip::bench {

// Which models are measured.
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

struct TurnsOptions {
  std::filesystem::path weights, text_embeddings, photo;
  std::string precision = "float32";
  int64_t threads = 0;  // 0: all
};

// Ours beside plain LibTorch. Returns 1 where a result differs or a ratio is under its floor.
int run_comparison(const ComparisonOptions& options, Console& console);
// How fast one core makes training samples.
int run_loader(const LoaderSpeedOptions& options, Console& console);
// How time and memory grow with classes, side, windows, batch or threads.
int run_scaling(const ScalingOptions& options, Console& console);
// Segments the photo once for every line on standard input, and answers each with a line of JSON.
int run_turns(const TurnsOptions& options, Console& console);

}  // namespace tagclip::bench

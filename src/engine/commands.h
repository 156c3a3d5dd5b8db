#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/console.h"

// What the program asks of the engine: one struct and one function a command. This header and the
// program know nothing of LibTorch; the functions live in a shared library that is loaded when one
// of them is called. All of them throw tagclip::Error and return the exit code otherwise.
namespace tagclip {

inline constexpr int kStopped = 130;  // exit code of a job the user stopped

struct SegmentOptions {
  std::vector<std::string> inputs;  // files, folders, globs; "-" reads a list from standard input
  std::string classes;              // words or a file; empty: the classes the model was trained on
  std::string prompt;               // see parse_templates; empty: the model's own
  std::filesystem::path output = "out";
  std::filesystem::path weights;
  std::string weighting = "both";  // none, seen, unseen, both
  double threshold = 0;            // scores below it are unlabelled
  std::string device = "auto";     // auto, cpu, cuda
  int64_t window = 0;              // 0: the size the model was trained with
  int64_t stride = 0;              // 0: window * 426 / 512, as the paper's
  int64_t short_side = 0;          // 0: the window
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

struct EvalOptions {
  std::filesystem::path data;
  std::string split = "val";
  std::filesystem::path weights;
  std::string weighting = "both";
  std::string device = "auto";
  int64_t window = 0, stride = 0, short_side = 0;
  bool json = false;
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

struct BenchOptions {
  std::string what = "all";   // segment, train-step, all
  std::string model = "all";  // voc, coco, all
  int64_t runs = 5;
  bool json = false;
};

}  // namespace tagclip

extern "C" {
int tagclip_segment(const tagclip::SegmentOptions& options, tagclip::Console& console);
int tagclip_train(const tagclip::TrainOptions& options, tagclip::Console& console);
int tagclip_pretrain(const tagclip::TrainOptions& options, tagclip::Console& console);
int tagclip_eval(const tagclip::EvalOptions& options, tagclip::Console& console);
int tagclip_verify(const tagclip::VerifyOptions& options, tagclip::Console& console);
int tagclip_bench(const tagclip::BenchOptions& options, tagclip::Console& console);
}

#pragma once

#include <CLI/CLI.hpp>

#include "cli/option_checks.h"

namespace tagclip {

// The options of every command that segments photos: which model, where it runs, how photos are cut
// up.
template <class Options>
void add_model_options(CLI::App& app, Options& options) {
  app.add_option("-w,--weights", options.weights,
                 "Model; without it the small one that ships with tagclip")
      ->type_name("FILE")
      ->check(not_empty());
  app.add_option("--weighting", options.weighting, "How the trusty map reweighs the scores")
      ->check(one_of({"none", "seen", "unseen", "both"}))
      ->capture_default_str();
  app.add_option("--device", options.device, "Where to compute")
      ->check(one_of({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--short-side", options.short_side,
                 "Photos are scaled to this short side; 0 = the model's own size")
      ->type_name("PIXELS")
      ->check(whole_number(0, 16384));
  app.add_option("--window", options.window, "Side of the sliding window; 0 = the model's own size")
      ->type_name("PIXELS")
      ->check(whole_number(0, 16384));
  app.add_option("--stride", options.stride,
                 "Step of the sliding window; 0 = 426/512 of the window")
      ->type_name("PIXELS")
      ->check(whole_number(0, 16384));
}

}  // namespace tagclip

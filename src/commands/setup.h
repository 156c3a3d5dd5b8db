#pragma once

#include <filesystem>
#include <optional>

#include "base/console.h"
#include "base/error.h"
#include "infer/pipeline.h"
#include "ranks/world.h"

namespace tagclip {

// The console as the hooks of a long call.
Hooks hooks_of(Console& console);

// Loads the weights, which may be a saved state of a training run, and warns of what had to be
// assumed. Each rank gets a GPU of its own.
Pipeline load_pipeline(const std::filesystem::path& weights, const InferenceOptions& options,
                       const World& world, Console& console);

// Chooses the encoder's precision where it is open: the root rank measures, all ranks follow.
void settle_precision(Pipeline& pipeline, const EmbeddedVocabulary& vocabulary,
                      const PhotoSource& photos, const World& world, Console& console);

// Returns the result of `work`, or nothing if it was stopped on any rank.
template <class Work>
auto unless_stopped(const World& world, const Work& work) -> std::optional<decltype(work())> {
  std::optional<decltype(work())> result;
  try {
    result = work();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kStopped) throw;
  }
  if (world.any(!result.has_value())) return {};
  return result;
}

// Throws Error(kFailure) where the file exists and the user did not ask for `overwrite`.
void check_free(const std::filesystem::path& file, bool overwrite);

}  // namespace tagclip

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "commands/commands.h"
#include "commands/setup.h"
#include "export/export_model.h"
#include "train/run_folder.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

ExportableModel load_trained(LoadedModel loaded, const ExportOptions& options) {
  return exportable(std::make_shared<const LoadedModel>(std::move(loaded)),
                    options.weights.string(), options.inference);
}

ExportableModel load_exportable(const ExportOptions& options, Console& console) {
  const fs::path& weights = options.weights;
  Mode mode = options.inference.mode;
  const bool may_be_trained = mode == Mode::kTrained || mode == Mode::kAuto;
  if (may_be_trained && is_saved_state(weights)) {
    const auto warn = [&](const std::string& warning) { console.warn(warning); };
    return load_trained(load_saved_state(weights, warn), options);
  }
  const StoredWeights stored = read_stored_weights(weights);
  if (const std::string prefix = describe_prefix(stored.wrapping); !prefix.empty()) {
    console.note(stored.source + ": " + prefix);
  }
  mode = mode_for(stored, mode);
  if (mode == Mode::kTrained) {
    if (const std::string& choice = stored.wrapping.choice; !choice.empty()) {
      console.warn(stored.source + ": " + choice);
    }
    return load_trained(load_model(stored), options);
  }
  const auto clip = std::make_shared<const StartingClip>(load_starting_clip(stored));
  if (!clip->assumption.empty()) console.warn(weights.string() + ": " + clip->assumption);
  return exportable(clip, mode, weights.string(), options.inference);
}

// The files of an export, model.onnx or model.encoder.onnx and model.decoder.onnx.
std::vector<std::pair<ExportPart, fs::path>> parts_of(const ExportOptions& options) {
  if (options.output.extension() != ".onnx") {
    throw usage_error(options.output.string() + ": an ONNX file is called NAME.onnx",
                      "give it that ending");
  }
  if (!options.parts) return {{ExportPart::kWhole, options.output}};
  const auto named = [&](const char* ending) {
    return fs::path(options.output).replace_extension(ending);
  };
  return {{ExportPart::kEncoder, named(".encoder.onnx")},
          {ExportPart::kDecoder, named(".decoder.onnx")}};
}

}  // namespace
}  // namespace tagclip

int tagclip_export(const tagclip::ExportOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  const auto parts = parts_of(options);
  for (const auto& [part, path] : parts) check_free(path, options.overwrite);
  const ExportPrecision precision =
      options.precision == "float16" ? ExportPrecision::kFloat16 : ExportPrecision::kFloat32;
  const ExportableModel model = load_exportable(options, console);
  std::vector<ExportedPart> files;
  const uint64_t max_bytes = options.external_data ? 0 : onnx::kMaxModelBytes;
  for (const auto& [part, path] : parts) {
    files.push_back(exported(model, part, precision, path, max_bytes));
  }
  for (const ExportedPart& part : files) {
    for (const fs::path& path : part.file->paths()) check_free(path, options.overwrite);
  }
  for (const ExportedPart& part : files) {
    part.file->write();
    for (const fs::path& path : part.file->paths()) {
      console.print(fmt::format("{}: {:.1f} MB", path.string(),
                                static_cast<double>(size_of_file(path)) / 1e6));
    }
  }
  return 0;
}

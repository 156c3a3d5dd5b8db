#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "cli/command.h"
#include "cli/program_files.h"
#include "cli/shared_library.h"
#include "commands/commands.h"

namespace tagclip {
namespace {

// What the processor can, of the things that speed depends on, as Linux names them.
constexpr std::array kFeatures = {"avx2",        "fma",      "avx512f",  "avx512_vnni",
                                  "avx512_bf16", "avx_vnni", "amx_bf16", "amx_int8",
                                  "asimd",       "asimddp",  "bf16",     "i8mm"};

struct Processor {
  std::string name = "unknown";
  std::string features;
};

Processor processor() {
  Processor result;
  std::ifstream file("/proc/cpuinfo");
  std::set<std::string> flags;
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (colon == line.npos) continue;
    if (line.starts_with("model name")) result.name = line.substr(colon + 2);
    if (!line.starts_with("flags") && !line.starts_with("Features")) continue;
    std::istringstream words(line.substr(colon + 2));
    for (std::string word; words >> word;) flags.insert(word);
  }
  for (const char* feature : kFeatures) {
    if (flags.contains(feature)) result.features += fmt::format(" {}", feature);
  }
  return result;
}

void print_row(Console& console, const std::string& name, const std::string& value) {
  console.print(fmt::format("{:<18}{}", name, value));
}

// Prints a finding, or the error that there is one instead, which counts as one thing missing.
template <class Find>
int check(Console& console, const std::string& name, const Find& find) {
  try {
    print_row(console, name, find());
    return 0;
  } catch (const Error& error) {
    print_row(console, name, fmt::format("missing: {}", error.what()));
    if (!error.hint().empty()) print_row(console, "", error.hint());
    return 1;
  }
}

// Tells whether a file is in the cache folder.
int check_kept(Console& console, const std::string& label, const char* name, const char* there,
               const char* not_there) {
  return check(console, label,
               [=] { return std::string(path_exists(cache_folder() / name) ? there : not_there); });
}

int run_doctor(Console& console) {
  print_row(console, "tagclip",
            fmt::format("{} in {}", TAGCLIP_VERSION, program_folder().string()));
  const Processor cpu = processor();
  print_row(console, "processor",
            fmt::format("{}, {} threads", cpu.name, ::sysconf(_SC_NPROCESSORS_ONLN)));
  print_row(console, "",
            cpu.features.empty() ? "none of its features matters" : cpu.features.substr(1));

  int missing = 0;
  try {
    run_in_library(DoctorOptions{}, console);
  } catch (const Error& error) {
    ++missing;
    print_row(console, "LibTorch", fmt::format("missing: {}", error.what()));
    print_row(console, "",
              "needed for segment, embed, train and all that computes; " + error.hint());
  }
  for (const std::string_view name : kShippedModels) {
    missing += check(console, fmt::format("model {}", name),
                     [name] { return shipped_weights(name).string(); });
  }
  const int no_cache = check(console, "cache", [] {
    const std::filesystem::path folder = cache_folder();
    check_output_folder(folder);
    const auto free = free_bytes(path_exists(folder) ? folder : folder.parent_path());
    return fmt::format("{}{}", folder.string(),
                       free ? fmt::format(", {} GB free", *free / 1000000000) : "");
  });
  missing += no_cache;
  if (no_cache == 0) {
    missing += check_kept(console, "  words", "text-embeddings.sqlite", "embeddings are kept",
                          "none kept yet");
    missing +=
        check_kept(console, "  ViT-B-16", kFetchedDefault, "fetched: the model where none is named",
                   "not there; `tagclip fetch ViT-B-16` brings it: better masks than the "
                   "small model's");
  }
  return missing == 0 ? 0 : static_cast<int>(ErrorKind::kFailure);
}

}  // namespace

Command doctor_command() {
  return {
      "doctor", "Tell versions, processor, precisions and caches, and what is missing",
      [](OptionList& list) -> Action {
        list.footer(
            "It exits with 1 where something is missing without which a command does not work.");
        return [](Console& console) { return run_doctor(console); };
      }};
}

}  // namespace tagclip

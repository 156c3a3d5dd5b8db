#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/version.h>

#include "base/text.h"
#include "commands/commands.h"
#include "infer/precision_cache.h"
#include "kernels/linear/precision.h"

int tagclip_doctor(const tagclip::DoctorOptions& /*options*/, tagclip::Console& console) {
  using namespace tagclip;
  const auto row = [&](const std::string& name, const std::string& value) {
    console.print(fmt::format("{:<18}{}", name, value));
  };
  row("LibTorch", fmt::format("{}, for {}, {} threads", TORCH_VERSION, at::get_cpu_capability(),
                              at::get_num_threads()));
  row("GPU", !at::hasCUDA()          ? "none: this LibTorch is for CPUs"
             : at::getNumGPUs() == 0 ? "none on this machine"
                                     : fmt::format("{} with CUDA", at::getNumGPUs()));
  for (const GemmPrecision precision : kGemmPrecisions) {
    const GemmSupport& support = gemm_support(precision);
    row(fmt::format("  {}", name_of(precision)),
        !support.backend                           ? "does not run here: " + support.reason
        : *support.backend == GemmBackend::kBlocks ? "runs on blocks"
                                                   : "runs through oneDNN");
  }
  for (const KeptPrecision& kept : kept_precisions()) {
    constexpr size_t kDigits = 8;
    row("  chosen",
        fmt::format("{} for the model {}, measured on {}", name_of(kept.chosen.precision),
                    kept.model.substr(0, kDigits), counted(kept.photos, "photo")));
  }
  return 0;
}

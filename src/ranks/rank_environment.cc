#include "ranks/rank_environment.h"

#include <cstdlib>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

constexpr int64_t kMaxRanks = 1 << 20;

class Variables {
 public:
  explicit Variables(const EnvironmentLookup& lookup) : lookup_(lookup) {}

  bool has(const std::string& name) const { return lookup_(name).has_value(); }
  std::string text(const std::string& name) const {
    if (const auto value = lookup_(name)) return *value;
    throw usage_error("the environment has ranks, but no " + name,
                      name.starts_with("SLURM_")
                          ? "start the ranks with srun, or set MASTER_ADDR; to work without others "
                            "start it with: env -u SLURM_PROCID tagclip ..."
                          : "start the ranks with torchrun or srun, or unset RANK and WORLD_SIZE");
  }
  std::string text(const std::string& name, const std::string& otherwise) const {
    return lookup_(name).value_or(otherwise);
  }
  int64_t number(const std::string& name, int64_t low, int64_t high) const {
    const std::string value = text(name);
    const auto number = parse_number<int64_t>(value);
    if (number && *number >= low && *number <= high) return *number;
    throw usage_error(name + ": expected a number from " + std::to_string(low) + " to " +
                      std::to_string(high) + ", found \"" + value + "\"");
  }

 private:
  const EnvironmentLookup& lookup_;
};

RankEnvironment from_torchrun(const Variables& variables) {
  RankEnvironment result;
  result.size = variables.number("WORLD_SIZE", 1, kMaxRanks);
  result.rank = variables.number("RANK", 0, result.size - 1);
  if (variables.has("LOCAL_RANK")) result.local_rank = variables.number("LOCAL_RANK", 0, kMaxRanks);
  if (result.size == 1) return result;
  result.address = variables.text("MASTER_ADDR");
  result.port = static_cast<uint16_t>(variables.number("MASTER_PORT", 1, 65535));
  result.store_is_served = variables.text("TORCHELASTIC_USE_AGENT_STORE", "False") == "True";
  result.attempt = variables.text("TORCHELASTIC_RESTART_COUNT", "0");
  return result;
}

RankEnvironment from_slurm(const Variables& variables) {
  RankEnvironment result;
  result.size_variable = "SLURM_NTASKS";
  result.alone = "env -u SLURM_PROCID";
  result.size = variables.number("SLURM_NTASKS", 1, kMaxRanks);
  result.rank = variables.number("SLURM_PROCID", 0, result.size - 1);
  result.local_rank = variables.number("SLURM_LOCALID", 0, kMaxRanks);
  if (result.size == 1) return result;
  result.address = variables.has("MASTER_ADDR") ? variables.text("MASTER_ADDR")
                                                : variables.text("SLURM_LAUNCH_NODE_IPADDR");
  // Jobs that share a machine need different ports.
  constexpr int64_t kFirstPort = 20000, kPorts = 20000;
  result.port = static_cast<uint16_t>(
      variables.has("MASTER_PORT")
          ? variables.number("MASTER_PORT", 1, 65535)
          : kFirstPort + variables.number("SLURM_JOB_ID", 0, INT64_MAX) % kPorts);
  return result;
}

}  // namespace

RankEnvironment read_rank_environment(const EnvironmentLookup& lookup) {
  const Variables variables(lookup);
  if (variables.has("RANK") || variables.has("WORLD_SIZE")) return from_torchrun(variables);
  // A batch script has SLURM_PROCID, too, without srun; SLURM_STEP_ID tells them apart.
  if (variables.has("SLURM_PROCID") && variables.has("SLURM_STEP_ID")) return from_slurm(variables);
  return {};
}

RankEnvironment read_rank_environment() {
  return read_rank_environment([](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
}

}  // namespace tagclip

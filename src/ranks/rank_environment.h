#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace tagclip {

// Where a process stands among its peers, and where they meet.
struct RankEnvironment {
  int64_t rank = 0;        // of all
  int64_t size = 1;        // how many there are
  int64_t local_rank = 0;  // on this machine: which GPU is its own
  std::string address;     // of the store through which the ranks find each other
  uint16_t port = 29500;
  bool store_is_served = false;  // torchrun's agent serves it; otherwise rank 0 does
  // Tells one start of the ranks from the next on the same store (torchrun restarts them).
  std::string attempt = "0";
};

using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

// Reads what torchrun sets (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT), else what
// SLURM's srun does (SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID, SLURM_LAUNCH_NODE_IPADDR; the
// MASTER_ ones win, the port is otherwise made of the job's number). A process started by neither
// is alone. Throws Error(kUsage) naming the variable that is missing or makes no sense.
RankEnvironment read_rank_environment(const EnvironmentLookup& lookup);
// The process's own.
RankEnvironment read_rank_environment();

}  // namespace tagclip

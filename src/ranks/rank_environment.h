#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace tagclip {

// Says which rank a process has, and where the ranks connect.
struct RankEnvironment {
  int64_t rank = 0;        // of all
  int64_t size = 1;        // how many there are
  int64_t local_rank = 0;  // on this machine: chooses the GPU
  std::string address;     // of the store through which the ranks connect
  uint16_t port = 29500;
  bool store_is_served = false;  // torchrun's agent serves it; otherwise rank 0 does
  // Distinguishes restarts on the same store (torchrun restarts failed ranks).
  std::string attempt = "0";
  // The source of the number of ranks, and the words that start the program as the only one; for
  // messages.
  std::string size_variable = "WORLD_SIZE";
  std::string alone = "env -u RANK -u WORLD_SIZE";
};

using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

// Reads torchrun's variables (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT) or else those
// of SLURM's srun (SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID, SLURM_LAUNCH_NODE_IPADDR; MASTER_ADDR
// and MASTER_PORT take precedence, and the port defaults to one computed from the job's number). A
// process that neither started is a world of its own. Throws Error(kUsage) naming a missing or
// invalid variable.
RankEnvironment read_rank_environment(const EnvironmentLookup& lookup);
// Reads the environment of this process.
RankEnvironment read_rank_environment();

}  // namespace tagclip

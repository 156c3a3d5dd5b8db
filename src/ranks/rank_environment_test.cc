#include "ranks/rank_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/error.h"

namespace tagclip {
namespace {

using ::testing::HasSubstr;
using Environment = std::map<std::string, std::string>;

RankEnvironment read(const Environment& environment) {
  return read_rank_environment([&](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional<std::string>(found->second);
  });
}

std::string refusal(const Environment& environment) {
  try {
    read(environment);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what() + ("; " + error.hint());
  }
  return "accepted";
}

const Environment kTorchrun = {{"RANK", "3"},
                               {"WORLD_SIZE", "8"},
                               {"LOCAL_RANK", "1"},
                               {"MASTER_ADDR", "10.0.0.7"},
                               {"MASTER_PORT", "29777"},
                               {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                               {"TORCHELASTIC_RESTART_COUNT", "2"}};
const Environment kSlurm = {{"SLURM_PROCID", "5"},     {"SLURM_NTASKS", "6"},
                            {"SLURM_LOCALID", "2"},    {"SLURM_STEP_ID", "0"},
                            {"SLURM_JOB_ID", "40123"}, {"SLURM_LAUNCH_NODE_IPADDR", "10.1.1.1"}};

Environment with(Environment environment, const std::string& name, const std::string& value) {
  environment[name] = value;
  return environment;
}

TEST(RankEnvironment, WithoutOneAProcessIsAlone) {
  EXPECT_EQ(read({}).size, 1);
  // A batch script has these variables before srun starts.
  EXPECT_EQ(read({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}}).size, 1);
}

TEST(RankEnvironment, ReadsTorchruns) {
  const RankEnvironment found = read(kTorchrun);
  EXPECT_EQ(found.rank, 3);
  EXPECT_EQ(found.size, 8);
  EXPECT_EQ(found.local_rank, 1);
  EXPECT_EQ(found.address, "10.0.0.7");
  EXPECT_EQ(found.port, 29777);
  EXPECT_TRUE(found.store_is_served);
  EXPECT_EQ(found.attempt, "2");
}

TEST(RankEnvironment, ReadsSlurms) {
  const RankEnvironment found = read(kSlurm);
  EXPECT_EQ(found.rank, 5);
  EXPECT_EQ(found.size, 6);
  EXPECT_EQ(found.local_rank, 2);
  EXPECT_EQ(found.address, "10.1.1.1");
  EXPECT_EQ(found.port, 20123);
  EXPECT_FALSE(found.store_is_served);
  EXPECT_EQ(read(with(kSlurm, "MASTER_PORT", "4567")).port, 4567);
}

TEST(RankEnvironment, NamesTheVariableThatIsWrong) {
  EXPECT_THAT(refusal({{"RANK", "0"}}), HasSubstr("no WORLD_SIZE"));
  EXPECT_THAT(refusal(with(kTorchrun, "RANK", "8")),
              HasSubstr("RANK: expected a number from 0 to 7"));
  EXPECT_THAT(refusal(with(kTorchrun, "WORLD_SIZE", "two")), HasSubstr("\"two\""));
  EXPECT_THAT(refusal(with(kTorchrun, "MASTER_PORT", "0")), HasSubstr("MASTER_PORT"));
  Environment nowhere = kSlurm;
  nowhere.erase("SLURM_LAUNCH_NODE_IPADDR");
  EXPECT_THAT(refusal(nowhere), HasSubstr("env -u SLURM_PROCID"));
}

}  // namespace
}  // namespace tagclip

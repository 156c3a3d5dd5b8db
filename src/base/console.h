#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tagclip {

enum class StopReason {
  kNone,
  kUser,       // Ctrl-C
  kScheduler,  // SIGTERM, SIGUSR1: the machine is needed, the job may go on later
};

inline constexpr int kStopped = 130;  // exit code of a job the user stopped
// Exit code of a saved job that a scheduler stopped: EX_TEMPFAIL, to be started again.
inline constexpr int kRequeue = 75;

// The destination of a command's words. Results are for other programs, notes for people.
class Console {
 public:
  virtual ~Console() = default;

  // A line of the command's result, to standard output.
  virtual void print(std::string_view line) = 0;
  // A line about what is going on, to standard error; dropped when the user asked for quiet.
  virtual void note(std::string_view line) = 0;
  // Something the user should know even when quiet: "warning: ...", to standard error.
  virtual void warn(std::string_view line) = 0;

  // Shows how far a long job is: a bar on a terminal, a line now and then elsewhere. `label` names
  // what is counted. done == total ends it.
  virtual void progress(std::string_view label, int64_t done, int64_t total) = 0;

  // Tells whether and by whom the job is asked to stop. Long jobs look at it between steps.
  virtual StopReason stop_reason() const = 0;
  bool stop_requested() const { return stop_reason() != StopReason::kNone; }
};

}  // namespace tagclip

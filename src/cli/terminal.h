#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/console.h"

namespace tagclip {

// The console of a real program run: results on standard output, words on standard error.
class Terminal : public Console {
 public:
  // `program` is the name that errors begin with. Takes over SIGINT, SIGTERM and SIGUSR1, which
  // then show in stop_reason().
  explicit Terminal(std::string program);

  void set_quiet(bool quiet) { quiet_ = quiet; }
  // Rewrites the names of settings in messages as the command that runs spells them.
  using Wording = std::function<std::string(std::string_view)>;
  void set_wording(Wording wording) { wording_ = std::move(wording); }

  // Ends `line` where it does not end itself. Throws Error(kFailure) when standard output takes no
  // more.
  void print(std::string_view line) override;
  void note(std::string_view line) override;
  void warn(std::string_view line) override;
  void progress(std::string_view label, int64_t done, int64_t total) override;
  StopReason stop_reason() const override;

  // An error and what to do about it.
  void error(std::string_view what, std::string_view hint);

 private:
  void clear_bar();
  std::string time_left(std::string_view label, int64_t done, int64_t total);
  std::string coloured(const char* code, std::string_view text) const;

  std::string program_;
  bool quiet_ = false;
  Wording wording_ = [](std::string_view message) { return std::string(message); };
  bool animated_;  // standard error is a terminal
  bool colours_;
  bool bar_shown_ = false;
  std::chrono::steady_clock::time_point last_progress_{};
  // What is counted, and since when and from which number: they tell how long it will take.
  std::string counted_;
  std::chrono::steady_clock::time_point counted_since_{};
  int64_t counted_from_ = 0;
};

}  // namespace tagclip

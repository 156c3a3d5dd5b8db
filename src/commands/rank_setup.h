#pragma once

#include "base/console.h"
#include "ranks/ranks.h"

namespace tagclip {

// The ranks of a command without settings: who waits ten minutes for another one gives up.
Ranks meet_ranks();

// Whether any rank was told to stop; all of them get the same answer.
bool stop_wanted(const Ranks& ranks, const Console& console);

// What concerns all ranks alike is said by the first alone.
class FirstRankConsole : public Console {
 public:
  FirstRankConsole(const Ranks& ranks, Console& console)
      : first_(ranks.first()), console_(console) {}

  void print(std::string_view line) override {
    if (first_) console_.print(line);
  }
  void note(std::string_view line) override {
    if (first_) console_.note(line);
  }
  void warn(std::string_view line) override {
    if (first_) console_.warn(line);
  }
  void progress(std::string_view label, int64_t done, int64_t total) override {
    if (first_) console_.progress(label, done, total);
  }
  StopReason stop_reason() const override { return console_.stop_reason(); }

 private:
  bool first_;
  Console& console_;
};

}  // namespace tagclip

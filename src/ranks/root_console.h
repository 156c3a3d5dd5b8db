#pragma once

#include "base/console.h"
#include "ranks/world.h"

namespace tagclip {

// Passes messages on from the root rank only: for what all ranks would say alike.
class RootConsole : public Console {
 public:
  RootConsole(const World& world, Console& console)
      : is_root_(world.is_root()), console_(console) {}

  void print(std::string_view line) override {
    if (is_root_) console_.print(line);
  }
  void note(std::string_view line) override {
    if (is_root_) console_.note(line);
  }
  void warn(std::string_view line) override {
    if (is_root_) console_.warn(line);
  }
  void progress(std::string_view label, int64_t done, int64_t total) override {
    if (is_root_) console_.progress(label, done, total);
  }
  StopReason stop_reason() const override { return console_.stop_reason(); }

 private:
  bool is_root_;
  Console& console_;
};

}  // namespace tagclip

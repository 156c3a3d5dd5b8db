#include "cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

volatile std::sig_atomic_t stop_signal = 0;

// The first signal asks to stop, a second one of the same kind ends the program as usual.
void on_signal(int number) {
  stop_signal = number;
  std::signal(number, SIG_DFL);
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool plain_terminal() {
  const char* term = std::getenv("TERM");
  return term == nullptr || std::strcmp(term, "dumb") == 0;
}

constexpr int kBarWidth = 24;
constexpr const char* kClearLine = "\r\x1b[K";

// Writes to standard error. If that is closed or full, there is nobody to tell.
void say(std::string_view words) { std::fwrite(words.data(), 1, words.size(), stderr); }
// Lines that may hold names of strangers' files, in one write.
void say_line(std::string_view line, std::string_view before = "") {
  say(fmt::format("{}{}\n", before, terminal_text(line)));
}

}  // namespace

Terminal::Terminal(std::string program)
    : program_(std::move(program)),
      animated_(::isatty(STDERR_FILENO) && !plain_terminal()),
      colours_(animated_ && !is_set("NO_COLOR")) {
  std::setvbuf(stdout, nullptr, _IONBF, 0);  // a line is one write: ranks may share the pipe
  for (int number : {SIGINT, SIGTERM, SIGUSR1}) std::signal(number, on_signal);
  std::signal(SIGXFSZ, SIG_IGN);  // a file over the user's limit is then an error with a message
}

std::string Terminal::coloured(const char* code, std::string_view text) const {
  return colours_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

void Terminal::print(std::string_view line) {
  clear_bar();
  std::string text = fmt::format("{}{}", line, line.ends_with('\n') ? "" : "\n");
  // Another rank's bar may stand there.
  if (::isatty(STDOUT_FILENO)) text = (animated_ ? kClearLine : "") + terminal_text(text);
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return;
  throw failure(fmt::format("cannot write to standard output: {}", std::strerror(errno)));
}

void Terminal::note(std::string_view line) {
  if (quiet_) return;
  clear_bar();
  say_line(wording_(line));
}

void Terminal::warn(std::string_view line) {
  clear_bar();
  say_line(wording_(line), coloured("33", "warning:") + " ");
}

void Terminal::error(std::string_view what, std::string_view hint) {
  clear_bar();
  say_line(wording_(what), coloured("31", program_ + ":") + " ");
  if (!hint.empty()) say_line(fmt::format("  {}", wording_(hint)));
}

void Terminal::progress(std::string_view label, int64_t done, int64_t total) {
  if (quiet_ || total <= 0) return;
  const std::string left = time_left(label, done, total);
  const auto now = std::chrono::steady_clock::now();
  const auto pause = animated_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
  const bool first = last_progress_ == std::chrono::steady_clock::time_point{};
  if (!first && done < total && now - last_progress_ < pause) return;
  last_progress_ = now;

  const auto percent = 100 * done / total;
  if (!animated_) {
    if (!first) say(fmt::format("{}: {} of {} ({}%){}\n", label, done, total, percent, left));
    return;
  }
  const auto filled = static_cast<size_t>(kBarWidth * done / total);
  say(fmt::format("{}{} [{:<{}}] {}/{} {}%{}", kClearLine, label, std::string(filled, '='),
                  kBarWidth, done, total, percent, left));
  bar_shown_ = true;
  if (done >= total) clear_bar();
}

// ", 3:20 left", as fast as it went so far; empty while that is not known.
std::string Terminal::time_left(std::string_view label, int64_t done, int64_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (label != counted_ || done < counted_from_) {
    counted_ = label;
    counted_since_ = now;
    counted_from_ = done;
  }
  constexpr double kEnoughSeconds = 2;
  const double passed = std::chrono::duration<double>(now - counted_since_).count();
  if (done <= counted_from_ || done >= total || passed < kEnoughSeconds) return {};
  const auto seconds = static_cast<int64_t>(passed * static_cast<double>(total - done) /
                                            static_cast<double>(done - counted_from_));
  const int64_t hours = seconds / 3600, minutes = seconds / 60 % 60;
  return hours > 0 ? fmt::format(", {}:{:02}:{:02} left", hours, minutes, seconds % 60)
                   : fmt::format(", {}:{:02} left", minutes, seconds % 60);
}

void Terminal::clear_bar() {
  if (!bar_shown_) return;
  say(kClearLine);
  bar_shown_ = false;
}

StopReason Terminal::stop_reason() const {
  if (stop_signal == 0) return StopReason::kNone;
  return stop_signal == SIGINT ? StopReason::kUser : StopReason::kScheduler;
}

}  // namespace tagclip

#include "serve/http/exchange.h"

namespace tagclip {

void Exchange::answer(Answer answer) {
  const std::lock_guard lock(mutex_);
  if (over_.exchange(true)) return;
  answer_ = std::move(answer);
  if (resume_) resume_();
}

void Exchange::wait(const std::function<void()>& suspend, std::function<void()> resume) {
  const std::lock_guard lock(mutex_);
  if (over_) return;
  suspend();
  resume_ = std::move(resume);
}

std::optional<Answer> Exchange::take_answer() {
  const std::lock_guard lock(mutex_);
  return std::exchange(answer_, std::nullopt);
}

}  // namespace tagclip

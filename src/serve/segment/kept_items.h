#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace tagclip {

// Things kept under an id for a while, up to a number of bytes together: what was used least
// recently goes first. Safe to use from several threads.
template <class Value>
class KeptItems {
 public:
  using Clock = std::chrono::steady_clock;

  // `now` may be another clock in tests.
  KeptItems(size_t max_bytes, std::chrono::seconds max_age,
            std::function<Clock::time_point()> now = Clock::now)
      : max_bytes_(max_bytes), max_age_(max_age), now_(std::move(now)) {}

  // Returns false where it alone is larger than all may be together; nothing is kept then.
  bool keep(const std::string& id, Value value, size_t bytes) {
    if (bytes > max_bytes_) return false;
    const std::lock_guard lock(mutex_);
    erase(id);
    entries_.push_front({id, std::move(value), bytes, now_()});
    places_[id] = entries_.begin();
    bytes_ += bytes;
    while (bytes_ > max_bytes_) erase(entries_.back().id);
    return true;
  }

  // Its age begins anew.
  std::optional<Value> find(const std::string& id) {
    const std::lock_guard lock(mutex_);
    erase_old();
    const auto place = places_.find(id);
    if (place == places_.end()) return {};
    entries_.splice(entries_.begin(), entries_, place->second);
    place->second->used = now_();
    return place->second->value;
  }

  // Returns false where there is none of that id.
  bool remove(const std::string& id) {
    const std::lock_guard lock(mutex_);
    erase_old();
    return erase(id);
  }

  void remove_all() {
    const std::lock_guard lock(mutex_);
    places_.clear();
    entries_.clear();
    bytes_ = 0;
  }

  // Lets go of what is too old. Also done by `find` and `remove`.
  void expire() {
    const std::lock_guard lock(mutex_);
    erase_old();
  }

  size_t bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
  }
  size_t count() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }
  std::chrono::seconds max_age() const { return max_age_; }

 private:
  struct Entry {
    std::string id;
    Value value;
    size_t bytes = 0;
    Clock::time_point used;
  };

  // The id by value: it may be the one of the entry that goes.
  // NOLINTNEXTLINE(performance-unnecessary-value-param)
  bool erase(std::string id) {
    const auto place = places_.find(id);
    if (place == places_.end()) return false;
    bytes_ -= place->second->bytes;
    entries_.erase(place->second);
    places_.erase(place);
    return true;
  }
  void erase_old() {
    while (!entries_.empty() && now_() - entries_.back().used > max_age_) erase(entries_.back().id);
  }

  const size_t max_bytes_;
  const std::chrono::seconds max_age_;
  const std::function<Clock::time_point()> now_;
  mutable std::mutex mutex_;  // guards what follows
  std::list<Entry> entries_;  // the one used most recently first
  std::unordered_map<std::string, typename std::list<Entry>::iterator> places_;
  size_t bytes_ = 0;
};

}  // namespace tagclip

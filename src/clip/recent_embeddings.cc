#include "clip/recent_embeddings.h"

#include <functional>

namespace tagclip {
namespace {

// Templates can be long, and are the same for many words: their digest stands for them.
std::string key_of(const std::string& tower, const std::string& templates,
                   const std::string& word) {
  const size_t digest = std::hash<std::string>()(tower + '\0' + templates);
  return std::string(reinterpret_cast<const char*>(&digest), sizeof digest) + word;
}

}  // namespace

std::vector<std::optional<std::vector<float>>> RecentEmbeddings::find(
    const std::string& tower, const std::string& templates, const std::vector<std::string>& words,
    size_t size) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::optional<std::vector<float>>> found;
  for (const std::string& word : words) {
    auto& result = found.emplace_back();
    const auto place = places_.find(key_of(tower, templates, word));
    if (place == places_.end() || place->second->embedding.size() != size) continue;
    entries_.splice(entries_.begin(), entries_, place->second);
    result = place->second->embedding;
  }
  return found;
}

void RecentEmbeddings::keep(const std::string& tower, const std::string& templates,
                            const std::vector<std::string>& words, const float* embeddings,
                            size_t size) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < words.size(); ++i) {
    Entry entry{key_of(tower, templates, words[i]),
                {embeddings + i * size, embeddings + (i + 1) * size}};
    if (const auto old = places_.find(entry.key); old != places_.end()) {
      bytes_ -= old->second->bytes();
      entries_.erase(old->second);
      places_.erase(old);
    }
    bytes_ += entry.bytes();
    entries_.push_front(std::move(entry));
    places_[entries_.front().key] = entries_.begin();
  }
  while (bytes_ > max_bytes_) {
    bytes_ -= entries_.back().bytes();
    places_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

size_t RecentEmbeddings::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace tagclip

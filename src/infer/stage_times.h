#pragma once

#include <chrono>

namespace tagclip {

class Stopwatch {
 public:
  // Seconds since the last lap or the start.
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> passed = now - start_;
    start_ = now;
    return passed.count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Seconds per stage of segmenting a photo.
struct StageTimes {
  double prepare = 0;  // resize, crop, normalise
  double encode = 0;   // image encoder
  double decode = 0;   // decode head
  double blend = 0;    // logits to labels

  StageTimes& operator+=(const StageTimes& other) {
    prepare += other.prepare;
    encode += other.encode;
    decode += other.decode;
    blend += other.blend;
    return *this;
  }
  double total() const { return prepare + encode + decode + blend; }
};

}  // namespace tagclip

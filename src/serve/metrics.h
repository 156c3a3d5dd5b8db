#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace tagclip {

// What is so now, at the time of a look.
struct ServerGauges {
  bool ready = false;
  size_t waiting = 0;  // requests in the queue
  size_t connections = 0;
  size_t encodings = 0;
  size_t encoding_bytes = 0;
};

// Counts what a server does, for Prometheus. Safe to use from several threads.
class Metrics {
 public:
  void count_request(const std::string& route, int status, double seconds);
  // `stage`: queue, encode, embed, segment, write.
  void observe_stage(const std::string& stage, double seconds);
  void count_batch(size_t photos);

  // Prometheus' text format, version 0.0.4.
  std::string text(const ServerGauges& gauges) const;

 private:
  static constexpr std::array<double, 12> kBounds = {0.001, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                     0.25,  0.5,   1,    2.5,   5,    10};
  struct Histogram {
    std::array<uint64_t, kBounds.size() + 1> counts{};
    double sum = 0;
    void add(double seconds);
  };
  static std::string text_of(const std::string& name, const std::string& label,
                             const std::map<std::string, Histogram>& histograms);

  mutable std::mutex mutex_;                                  // guards what follows
  std::map<std::pair<std::string, int>, uint64_t> requests_;  // by route and status
  std::map<std::string, Histogram> routes_, stages_;
  std::map<size_t, uint64_t> batches_;  // by the number of photos
};

}  // namespace tagclip

#include "serve/metrics.h"

#include <fmt/format.h>

namespace tagclip {
namespace {

std::string head(std::string_view name, std::string_view type, std::string_view help) {
  return fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

std::string gauge(std::string_view name, std::string_view help, size_t value) {
  return head(name, "gauge", help) + fmt::format("{} {}\n", name, value);
}

}  // namespace

void Metrics::Histogram::add(double seconds) {
  size_t bucket = 0;
  while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
  ++counts[bucket];
  sum += seconds;
}

void Metrics::count_request(const std::string& route, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++requests_[{route, status}];
  routes_[route].add(seconds);
}

void Metrics::observe_stage(const std::string& stage, double seconds) {
  const std::lock_guard lock(mutex_);
  stages_[stage].add(seconds);
}

void Metrics::count_batch(size_t photos) {
  const std::lock_guard lock(mutex_);
  ++batches_[photos];
}

std::string Metrics::text_of(const std::string& name, const std::string& label,
                             const std::map<std::string, Histogram>& histograms) {
  std::string text;
  for (const auto& [value, histogram] : histograms) {
    uint64_t count = 0;
    for (size_t i = 0; i < histogram.counts.size(); ++i) {
      count += histogram.counts[i];
      const std::string bound = i < kBounds.size() ? fmt::format("{}", kBounds[i]) : "+Inf";
      text +=
          fmt::format("{}_bucket{{{}=\"{}\",le=\"{}\"}} {}\n", name, label, value, bound, count);
    }
    text += fmt::format("{0}_sum{{{1}=\"{2}\"}} {3}\n{0}_count{{{1}=\"{2}\"}} {4}\n", name, label,
                        value, histogram.sum, count);
  }
  return text;
}

std::string Metrics::text(const ServerGauges& gauges) const {
  const std::lock_guard lock(mutex_);
  std::string text = head("tagclip_requests_total", "counter",
                          "Requests by route and status; 499: the client left.");
  for (const auto& [key, count] : requests_) {
    text += fmt::format("tagclip_requests_total{{route=\"{}\",status=\"{}\"}} {}\n", key.first,
                        key.second, count);
  }
  text += head("tagclip_request_seconds", "histogram", "From a request's headers to its answer.");
  text += text_of("tagclip_request_seconds", "route", routes_);
  text += head("tagclip_stage_seconds", "histogram", "Time of a request in each stage.");
  text += text_of("tagclip_stage_seconds", "stage", stages_);
  text += head("tagclip_batches_total", "counter", "Encoder calls by the number of photos.");
  for (const auto& [photos, count] : batches_) {
    text += fmt::format("tagclip_batches_total{{photos=\"{}\"}} {}\n", photos, count);
  }
  text += gauge("tagclip_ready", "1 once the model is loaded, 0 when draining.", gauges.ready);
  text += gauge("tagclip_queue_depth", "Requests that wait for the model.", gauges.waiting);
  text += gauge("tagclip_connections", "Open connections.", gauges.connections);
  text += gauge("tagclip_encodings", "Encoded photos that are kept.", gauges.encodings);
  text += gauge("tagclip_encoding_bytes", "Memory they take.", gauges.encoding_bytes);
  return text;
}

}  // namespace tagclip

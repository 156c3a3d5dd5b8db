#include "serve/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tagclip {
namespace {

using testing::HasSubstr;

TEST(Metrics, TextOfWhatWasCounted) {
  Metrics metrics;
  metrics.count_request("/v1/segment", 200, 0.003);
  metrics.count_request("/v1/segment", 200, 0.2);
  metrics.count_request("/v1/segment", 429, 100);
  metrics.observe_stage("encode", 0.005);
  metrics.count_batch(8);
  const std::string text = metrics.text({.ready = true, .waiting = 3, .encoding_bytes = 77});
  for (const char* line : {
           "tagclip_requests_total{route=\"/v1/segment\",status=\"200\"} 2\n",
           "tagclip_requests_total{route=\"/v1/segment\",status=\"429\"} 1\n",
           "# TYPE tagclip_request_seconds histogram\n",
           "tagclip_request_seconds_bucket{route=\"/v1/segment\",le=\"0.001\"} 0\n",
           "tagclip_request_seconds_bucket{route=\"/v1/segment\",le=\"0.005\"} 1\n",
           "tagclip_request_seconds_bucket{route=\"/v1/segment\",le=\"10\"} 2\n",
           "tagclip_request_seconds_bucket{route=\"/v1/segment\",le=\"+Inf\"} 3\n",
           "tagclip_request_seconds_sum{route=\"/v1/segment\"} 100.203\n",
           "tagclip_request_seconds_count{route=\"/v1/segment\"} 3\n",
           "tagclip_stage_seconds_bucket{stage=\"encode\",le=\"0.005\"} 1\n",
           "tagclip_batches_total{photos=\"8\"} 1\n",
           "tagclip_ready 1\n",
           "tagclip_queue_depth 3\n",
           "tagclip_encoding_bytes 77\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace tagclip

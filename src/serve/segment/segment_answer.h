#pragma once

#include <string>
#include <vector>

#include "serve/http/message.h"
#include "serve/segment/segment_request.h"
#include "tagclip/tagclip.h"

namespace tagclip {

// Milliseconds of the two halves of the work.
struct AnswerTimes {
  double encode = 0;
  double segment = 0;
};

// The answer to POST /v1/segment. `knows_classes`: the weights say which classes the model has
// seen.
Answer segment_answer(const SegmentRequest& request, const Vocabulary& vocabulary,
                      const Segmentation& result, Mode mode, bool knows_classes,
                      const std::vector<std::string>& warnings, const AnswerTimes& times);

}  // namespace tagclip

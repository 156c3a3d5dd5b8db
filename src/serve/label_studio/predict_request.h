#pragma once

#include <optional>
#include <string>
#include <vector>

#include "serve/label_studio/labelling_config.h"
#include "serve/segment/segment_request.h"

namespace tagclip {

// What is looked for in a task's picture.
struct WantedClass {
  Words words;
  size_t label = 0;          // an index into LabellingConfig::labels
  bool is_prompted = false;  // a word of a person, not of a label
};

// A task of Label Studio's, with its picture.
struct PredictTask {
  std::string name;     // for messages: "task 7"
  std::string picture;  // its address, as the task has it
  std::vector<WantedClass> classes;
  Words background;            // what is no label's: nothing is drawn there
  std::optional<Error> fault;  // why nothing can be done for it
};

struct PredictRequest {
  LabellingConfig config;
  std::vector<PredictTask> tasks;
};

// Reads POST /predict. A task that cannot be used keeps its fault; what concerns all of them throws
// Error(kBadInput), or RefusedRequest for what is too large.
//
// The classes are the words that a person has typed into the prompt, where there are some: those
// that are a label's go to it, others to the first label. Otherwise they are those of all labels.
// What is neither is background; a label called background is that.
PredictRequest read_predict_request(const std::string& body, const RequestLimits& limits);

// The labelling interface in the body of POST /setup ("schema") and POST /validate ("config").
// Throws Error(kBadInput).
LabellingConfig read_labelling_config(const std::string& body, const char* member);

// The kind of event in the body of POST /webhook. Throws Error(kBadInput) where it has none.
std::string read_webhook_action(const std::string& body);

}  // namespace tagclip

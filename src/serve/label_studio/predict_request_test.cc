#include "serve/label_studio/predict_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tagclip {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kConfig =
    "<View><Image name='image' value='$picture'/><BrushLabels name='tag' toName='image'>"
    "<Label value='Auto' alias='car' predicted_values='car,lorry'/><Label value='sky'/>"
    "<Label value='Background'/></BrushLabels>"
    "<TextArea name='prompt' toName='image' value='$words'/></View>";

json request_of(const json& tasks, const json& context = nullptr) {
  return {{"tasks", tasks},
          {"label_config", kConfig},
          {"params", {{"login", nullptr}, {"context", context}}}};
}

json typed(const json& text) {
  return {{"result",
           {{{"from_name", "notes"}, {"value", {{"text", json::array({"boat"})}}}},
            {{"from_name", "prompt"}, {"value", {{"text", text}}}}}}};
}

// The words looked for in the only task, with the name of their label.
std::vector<std::string> wanted(const json& request, const RequestLimits& limits = {}) {
  const PredictRequest read = read_predict_request(request.dump(), limits);
  std::vector<std::string> texts;
  for (const WantedClass& entry : read.tasks.at(0).classes) {
    std::string text = read.config.labels[entry.label].name + (entry.is_prompted ? "?" : ":");
    for (const std::string& word : entry.words) text += " " + word;
    texts.push_back(text);
  }
  return texts;
}

TEST(PredictRequest, LooksForTheWordsOfTheLabels) {
  const json task = {{"id", 7}, {"data", {{"picture", "/data/upload/1/a.jpg"}}}};
  const PredictRequest read = read_predict_request(request_of(json::array({task})).dump(), {});
  ASSERT_EQ(read.tasks.size(), 1);
  EXPECT_EQ(read.tasks[0].name, "task 7");
  EXPECT_EQ(read.tasks[0].picture, "/data/upload/1/a.jpg");
  EXPECT_THAT(read.tasks[0].background, ElementsAre("common"));
  EXPECT_THAT(wanted(request_of(json::array({task}))), ElementsAre("car: car lorry", "sky: sky"));
}

TEST(PredictRequest, LooksForWhatAPersonTyped) {
  const json task = {{"data", {{"picture", "a"}, {"words", "tree"}}}};
  EXPECT_THAT(wanted(request_of(json::array({task}))), ElementsAre("car? tree"));
  EXPECT_THAT(wanted(request_of(json::array({task}), typed("SKY; red  roof\nLorry, auto"))),
              ElementsAre("sky: sky", "car? red  roof", "car: car lorry", "car? auto"));
  EXPECT_THAT(wanted(request_of(json::array({task}), typed({"sky", "sky, background"}))),
              ElementsAre("sky: sky"));
  EXPECT_THAT(wanted(request_of(json::array({task}), typed(" ,"))), ElementsAre("car? tree"));
}

TEST(PredictRequest, ATaskKeepsItsFault) {
  const json tasks = {{{"id", 1}, {"data", {{"other", "a"}}}}, {{"data", {{"picture", "a"}}}}, 3};
  const PredictRequest read = read_predict_request(request_of(tasks).dump(), {});
  ASSERT_EQ(read.tasks.size(), 3);
  ASSERT_TRUE(read.tasks[0].fault);
  EXPECT_THAT(read.tasks[0].fault->what(), HasSubstr("\"picture\""));
  EXPECT_FALSE(read.tasks[1].fault);
  EXPECT_EQ(read.tasks[1].name, "task at place 2");
  EXPECT_TRUE(read.tasks[2].fault);
}

TEST(PredictRequest, AnnotationsMayBeLarge) {
  json task = {{"data", {{"picture", "a"}}}};
  task["annotations"] = json::array();
  for (int i = 0; i < 600'000; ++i) task["annotations"].push_back(i);
  EXPECT_EQ(wanted(request_of(json::array({task}))).size(), 2);
  task["more"] = task["annotations"];
  EXPECT_THROW(wanted(request_of(json::array({task}))), Error);
}

TEST(PredictRequest, IsBounded) {
  const json task = {{"data", {{"picture", "a"}}}};
  EXPECT_THROW(wanted(request_of(json::array({task}), typed("a, b, c, d")), {.classes = 3}),
               RefusedRequest);
  EXPECT_THROW(wanted(request_of(json::array({task}), typed("abcdef")), {.word_bytes = 5}),
               RefusedRequest);
  EXPECT_THROW(wanted(request_of(json::array_t(10001, task))), RefusedRequest);
  for (const char* body : {"", "[]", "{}", R"({"tasks": []})", R"({"tasks": [1]})"}) {
    EXPECT_THROW(read_predict_request(body, {}), Error) << body;
  }
}

TEST(PredictRequest, OtherBodies) {
  EXPECT_EQ(read_labelling_config(json({{"schema", kConfig}}).dump(), "schema").image_key,
            "picture");
  EXPECT_THROW(read_labelling_config("{}", "schema"), Error);
  EXPECT_EQ(read_webhook_action(R"({"action": "TASKS_CREATED", "annotation": [1]})"),
            "TASKS_CREATED");
  EXPECT_THROW(read_webhook_action("{}"), Error);
}

}  // namespace
}  // namespace tagclip

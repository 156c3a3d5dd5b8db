// Any bytes as a labelling interface, and as the body of POST /predict with that interface. A first
// byte selects which.
#include <string>

#include "serve/label_studio/picture_source.h"
#include "serve/label_studio/predict_request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const tagclip::WebAddress ours = *tagclip::parse_web_address("http://labels.example.org:8080/ls");
  try {
    if (data[0] % 2 == 0) {
      const tagclip::LabellingConfig config = tagclip::parse_labelling_config(text);
      TAGCLIP_CHECK(!config.image_key.empty() && !config.labels.empty(), "an image with labels");
      for (const tagclip::ConfigLabel& label : config.labels) {
        TAGCLIP_CHECK(!label.name.empty() && !label.words.empty(), "labels have words");
      }
      return 0;
    }
    const auto request = tagclip::read_predict_request(text, {.classes = 100, .pixels = 1 << 20});
    for (const tagclip::PredictTask& task : request.tasks) {
      TAGCLIP_CHECK(task.fault || !task.classes.empty(), "something to look for");
      if (task.fault) continue;
      const tagclip::WebAddress address = tagclip::address_of_picture(ours, task.picture);
      TAGCLIP_CHECK(address.origin() == ours.origin(), "on our own host");
      TAGCLIP_CHECK(address.path.starts_with("/ls/"), "in its own folder");
    }
  } catch (const tagclip::Error&) {  // refusing is fine
  }
  return 0;
}

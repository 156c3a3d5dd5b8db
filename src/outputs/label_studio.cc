#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "outputs/formats.h"
#include "outputs/run_lengths.h"

namespace tagclip {
namespace {

using Json = nlohmann::ordered_json;

// The names of the controls in the labelling interface, here and in label_config.xml.
constexpr const char* kBrush = "tag";
constexpr const char* kImage = "image";

// Text between the quotes of an XML attribute.
std::string xml_text(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    escaped += c == '&'   ? "&amp;"
               : c == '<' ? "&lt;"
               : c == '>' ? "&gt;"
               : c == '"' ? "&quot;"
                          : std::string(1, c);
  }
  return escaped;
}

// Tasks with predictions, one per photo.
class TaskWriter : public RunFileWriter {
 public:
  TaskWriter(const OutputRun& run, const ByteSink& sink) : run_(run), sink_(sink) {
    sink_(bytes_of("["));
  }

  void add(const LabelledPhoto& photo) override {
    Json results = Json::array();
    double total = 0, area = 0;
    for (size_t r = 0; r < photo.regions.all.size(); ++r) {
      const LabelRegion& region = photo.regions.all[r];
      total += region.score * static_cast<double>(region.area);
      area += static_cast<double>(region.area);
      results.push_back({{"id", fmt::format("{}-{}", photo.stem, r + 1)},
                         {"type", "brushlabels"},
                         {"from_name", kBrush},
                         {"to_name", kImage},
                         {"original_width", photo.labels.width},
                         {"original_height", photo.labels.height},
                         {"image_rotation", 0},
                         {"score", region.score},
                         {"value",
                          {{"format", "rle"},
                           {"rle", brush_runs(mask_of(photo.regions, r), photo.labels.width,
                                              photo.labels.height)},
                           {"brushlabels", Json::array({run_.classes[region.label]})}}}});
    }
    const Json prediction = {
        {"model_version", run_.model}, {"score", area > 0 ? total / area : 0}, {"result", results}};
    const Json task = {{"data", {{kImage, "/data/local-files/?d=" + path_from("/", photo.file)}}},
                       {"predictions", Json::array({prediction})}};
    sink_(bytes_of((tasks_++ > 0 ? ",\n" : "\n") + json_text(task)));
  }

  void finish() override { sink_(bytes_of("\n]\n")); }

 private:
  const OutputRun& run_;
  const ByteSink& sink_;
  int64_t tasks_ = 0;
};

// The labelling interface that the tasks are for.
class InterfaceWriter : public RunFileWriter {
 public:
  InterfaceWriter(const OutputRun& run, const ByteSink& sink) {
    std::string labels;
    for (size_t c = 0; c < run.classes.size(); ++c) {
      const Colour& colour = run.palette[c];
      labels += fmt::format("    <Label value=\"{}\" background=\"#{:02x}{:02x}{:02x}\"/>\n",
                            xml_text(run.classes[c]), colour[0], colour[1], colour[2]);
    }
    sink(
        bytes_of(fmt::format("<View>\n  <Image name=\"{0}\" value=\"${0}\" zoom=\"true\"/>\n"
                             "  <BrushLabels name=\"{1}\" toName=\"{0}\">\n{2}  </BrushLabels>\n"
                             "</View>\n",
                             kImage, kBrush, labels)));
  }
  void add(const LabelledPhoto& /*photo*/) override {}
  void finish() override {}
};

}  // namespace

OutputFormat label_studio_output() {
  return {.name = "label-studio",
          .meaning =
              "Label Studio's tasks with brush masks as predictions, and the labelling "
              "interface for them",
          .read_by = "Label Studio, label-studio-converter",
          .run_files = {{"label_studio/tasks.json", open_run_file<TaskWriter>},
                        {"label_studio/label_config.xml", open_run_file<InterfaceWriter>}}};
}

}  // namespace tagclip

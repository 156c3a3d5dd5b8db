#include "paper/paper_experiments.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>

#include "base/error.h"
#include "base/text_distance.h"

namespace tagclip {
namespace {

using Settings = std::vector<std::string>;

const Settings kTagClip = {"model.trusty_token=true", "model.self_attention=a_n_n",
                           "weighting=both"};
const Settings kNoToken = {"model.trusty_token=false", "model.self_attention=n_n_n",
                           "weighting=none"};
// ZegCLIP has weights of its own, too.
const Settings kZegClip = {"model.trusty_token=false", "model.self_attention=n_n_n",
                           "weighting=none", "loss.mask_weight=100"};

Settings with(Settings settings, const Settings& more) {
  std::ranges::copy(more, std::back_inserter(settings));
  return settings;
}

// A row of Table 1 (c): what the Trusty Learner's queries, keys and values are.
struct Learner {
  const char* name;
  const char *query, *key, *value;
};
constexpr Learner kLearners[] = {
    {"H-H-T", "image", "image", "text"},       {"T-H-H", "text", "image", "image"},
    {"T-H-T", "text", "image", "text"},        {"T-T-H", "text", "text", "image"},
    {"T-T-TH", "text", "text", "product"},     {"cat-cat-cat", "concat", "concat", "concat"},
    {"TH-H-H", "product", "image", "image"},   {"TH-T-T", "product", "text", "text"},
    {"TH-T-TH", "product", "text", "product"}, {"TH-TH-H", "product", "product", "image"},
    {"TH-TH-T", "product", "product", "text"}, {"TH-TH-TH", "product", "product", "product"},
};

ExperimentRun learner_run(const Learner& learner) {
  Settings settings = {"model.trusty_token=true", "model.self_attention=n_n_n",
                       std::string("model.learner_query=") + learner.query,
                       std::string("model.learner_key=") + learner.key,
                       std::string("model.learner_value=") + learner.value, "weighting=none"};
  // Queries that are all the image would be all the same: the text joins the learner's output.
  if (std::string(learner.query) == "image") settings.push_back("model.learner_text_after=true");
  return {std::string("table1/c:") + learner.name, settings};
}

std::vector<ExperimentRun> table1() {
  std::vector<ExperimentRun> runs = {
      {"table1/a", kNoToken},
      {"table1/b", {"model.trusty_token=true", "model.self_attention=n_n_n", "weighting=none"}},
  };
  std::ranges::transform(kLearners, std::back_inserter(runs), learner_run);
  runs.push_back({"table1/c", with(kTagClip, {"weighting=none"})});
  runs.push_back({"table1/d", kTagClip});
  return runs;
}

std::vector<ExperimentRun> figure5() {
  std::vector<ExperimentRun> runs;
  for (const char* gamma : {"0.1", "1", "10", "100"}) {
    runs.push_back(
        {std::string("figure5/gamma=") + gamma, {std::string("loss.trusty_weight=") + gamma}});
  }
  return runs;
}

// The paper's short name of the data set, or the folder's.
std::string name_of(const DatasetOptions& data) {
  if (data.kind == "voc2012") return "voc";
  if (data.kind == "coco-stuff") return "coco";
  if (data.kind == "context59" || data.kind == "context60") return "context";
  const std::filesystem::path folder = std::filesystem::path(data.folder).lexically_normal();
  return folder.has_filename() ? folder.filename() : folder.parent_path().filename();
}

std::vector<ExperimentRun> against_zegclip(const std::string& table, const DatasetOptions& data,
                                           const Settings& common) {
  const std::string label = table + "/" + name_of(data);
  return {{label + ":zegclip", with(kZegClip, common)}, {label, with(kTagClip, common)}};
}

}  // namespace

std::vector<std::string> experiment_names() {
  return {"table1", "table2", "table3", "table4", "table5", "figure5"};
}

std::vector<ExperimentRun> experiment_runs(const std::string& name, const DatasetOptions& data) {
  if (name == "table1") return table1();
  if (name == "table2" || name == "table3") return against_zegclip(name, data, {});
  if (name == "table4") return against_zegclip(name, data, {"setting=transductive"});
  if (name == "table5") return against_zegclip(name, data, {"setting=supervised"});
  if (name == "figure5") return figure5();
  const auto meant = nearest(name, experiment_names());
  throw usage_error("there is no experiment called " + name,
                    meant ? "did you mean " + *meant + "?"
                          : "one of table1, table2, table3, table4, table5, figure5");
}

}  // namespace tagclip

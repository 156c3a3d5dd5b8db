#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "serve/label_studio/predict_request.h"

namespace tagclip {

// The labels of a picture as a prediction of Label Studio's: its model's version, its score (the
// mean over what is labelled) and a result per region. Labels of the brush have one region per
// class, those of the polygon one per connected part of at least 1/2000 of the picture. Regions of
// words that are no label's carry the word as their text. `id` begins the ids of regions.
nlohmann::ordered_json prediction_of(const LabellingConfig& config, const PredictTask& task,
                                     const Vocabulary& vocabulary, const Segmentation& labels,
                                     const std::string& model_version, const std::string& id);

}  // namespace tagclip

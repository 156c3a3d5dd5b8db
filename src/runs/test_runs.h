#pragma once

#include <string>
#include <vector>

#include "runs/training_run.h"

namespace tagclip {

// A finished run on a made-up data set of three classes, the last of them unseen. Tests only.
inline TrainingRun sample_run(const std::string& label, int64_t seed, double iou) {
  const std::vector<std::string> classes = {"cat", "dog", "cow"};
  const std::vector<bool> seen = {true, true, false};
  TrainingRun run;
  run.folder = "runs/" + label + std::to_string(seed);
  run.record = {.tagclip = "0.1.0",
                .libtorch = "2.13.0",
                .label = label,
                .seed = seed,
                .device = "cpu",
                .precision = "float32",
                .data = {"data/pets", 30, 10, classes, seen},
                .iterations = 100,
                .started = "2026-11-23T10:00:00Z",
                .finished = "2026-11-23T11:00:00Z",
                .seconds = 3600,
                .trained_parameters = 12,
                .all_parameters = 120};
  run.settings = {{"seed", seed}, {"output", run.folder.string()}, {"loss.trusty_weight", 10.0}};
  run.curves = {{"loss", {{10, 4.0}, {20, 2.0}}}, {"mIoU", {{20, iou}}}};
  run.metrics.emplace();
  run.metrics->iteration = 100;
  run.metrics->names = classes;
  run.metrics->seen = seen;
  run.metrics->metrics = {.pixel_accuracy = 0.9,
                          .iou = {iou, iou, iou / 2},
                          .accuracy = {0.9, 0.9, 0.9},
                          .mean_iou = iou,
                          .mean_iou_seen = iou,
                          .mean_iou_unseen = iou / 2,
                          .harmonic_iou = iou,
                          .mean_accuracy = 0.9,
                          .mean_accuracy_seen = 0.9,
                          .mean_accuracy_unseen = 0.9};
  return run;
}

}  // namespace tagclip

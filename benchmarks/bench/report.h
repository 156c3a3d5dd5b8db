#pragma once

#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/measurement.h"
#include "bench/modes.h"
#include "bench/scaling.h"
#include "bench/script_tasks.h"
#include "bench/tasks.h"
#include "kernels/linear/precision.h"

// These write what was measured, as text for people and as JSON. Tables come in pieces, for a
// reader who watches them grow; no piece ends in a line break.
namespace tagclip::bench {

// --- Ours beside plain LibTorch ---

// A row that cannot be measured here: the processor has no instructions for its precision, or
// LibTorch no operator.
struct UnsupportedRow {
  std::string name;    // as Measurement::name()
  std::string reason;  // a clause without a full stop
};

std::string table_head(const Machine& machine);
std::string table_rows(const Measurement& measurement, const Machine& machine);
std::string table_row(const UnsupportedRow& row);
std::string to_json(const Machine& machine, const std::vector<Measurement>& measurements,
                    const std::vector<UnsupportedRow>& unsupported);

// --- The same model with the trusty token and without ---

std::string token_cost_head(const Machine& machine);
std::string token_cost_rows(const TokenCost& cost);
std::string to_json(const Machine& machine, const std::vector<TokenCost>& costs);

// --- The modes of a CLIP as it is ---

std::string modes_head(const Machine& machine, const std::string& precision);
std::string modes_row(const ModeSpeed& speed);
std::string to_json(const Machine& machine, const std::vector<ModeSpeed>& speeds);

// --- Ours alone, by size ---

std::string scaling_head(const Machine& machine, const std::string& variable);
std::string scaling_row(const ScalingPoint& point);
std::string to_json(const Machine& machine, const std::string& variable,
                    const std::vector<ScalingPoint>& points);

// --- For scripts ---

std::string table_rows(const LoaderSpeed& speed);
std::string to_json(const LoaderSpeed& speed);

// Writes a line of JSON: milliseconds, in all and by stage.
std::string to_json(const TimedRun& run);

// --- Precisions ---

// Lists every precision, and what multiplies in it on this processor or why nothing does.
std::string precisions_table(const Machine& machine);
std::string precisions_json(const Machine& machine);

}  // namespace tagclip::bench

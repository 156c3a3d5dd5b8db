#include "verify/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "weights/tensor_view.h"

namespace tagclip {
namespace {

std::string shown(const std::string& name) { return one_line(name, 100); }

std::string number(double value) { return scientific(value, 1); }

std::string describe(const Tolerance& tolerance) {
  if (tolerance.relative == 0) return number(tolerance.absolute);
  const std::string relative = number(tolerance.relative) + " rel";
  return tolerance.absolute == 0 ? relative : number(tolerance.absolute) + " + " + relative;
}

using Row = std::array<std::string, 6>;

Row row_of(const Comparison& c) {
  return {c.within() ? "pass" : "FAIL", shown(c.name),      shape_text(c.shape),
          number(c.absolute),           number(c.relative), describe(c.tolerance)};
}

std::string join(const std::vector<Row>& rows) {
  std::array<size_t, 6> widths{};
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      const bool last = i + 1 == row.size();
      text += last ? "\n" : std::string(widths[i] - row[i].size() + 2, ' ');
    }
  }
  return text;
}

std::vector<Comparison> worst_first(std::vector<Comparison> compared) {
  std::ranges::stable_sort(compared, std::ranges::greater(), &Comparison::used);
  return compared;
}

// Returns the position of a value in the computation: an error shows in later values, too.
size_t stage(const std::string& name) {
  constexpr std::array kOrder = {"text.",    "out.",   "vision.", "clip.", "tagclip",
                                 "decoder.", "infer.", "train.",  "grad."};
  const auto found =
      std::ranges::find_if(kOrder, [&](const char* prefix) { return name.starts_with(prefix); });
  return static_cast<size_t>(found - kOrder.begin());
}

std::string summary(const Verification& verification) {
  const auto& compared = verification.compared;
  const auto failed =
      static_cast<size_t>(std::ranges::count_if(compared, std::not_fn(&Comparison::within)));
  std::string text = fmt::format("{} tensors compared, ", compared.size());
  if (failed == 0) {
    text += "all within tolerance";
  } else {
    const Comparison* first = nullptr;
    for (const Comparison& c : compared) {
      if (!c.within() && (!first || stage(c.name) < stage(first->name))) first = &c;
    }
    text += fmt::format("{} past tolerance; the first in the order of the computation is {}",
                        failed, shown(first->name));
  }
  if (!verification.unknown.empty()) {
    text +=
        fmt::format("\n{} expected but not computed by this program:", verification.unknown.size());
    for (const std::string& name : verification.unknown) text += "\n  " + shown(name);
  }
  return text;
}

}  // namespace

Comparison compare(const std::string& name, const at::Tensor& found, const at::Tensor& expected,
                   Tolerance tolerance) {
  TAGCLIP_CHECK(found.sizes() == expected.sizes() && found.numel() > 0,
                "nothing to compare in " + name);
  const at::Tensor e = expected.to(at::kDouble);
  const at::Tensor difference = (found.to(at::kDouble) - e).abs();
  const at::Tensor allowed = tolerance.absolute + tolerance.relative * e.abs();
  // An exact value is within any tolerance, even zero.
  const at::Tensor used = at::where(difference.eq(0), difference, difference / allowed);

  Comparison result{name, expected.sizes().vec(), tolerance};
  result.absolute = difference.max().item<double>();  // NaN when one of them is
  result.relative = result.absolute == 0 ? 0 : result.absolute / e.abs().max().item<double>();
  result.used = used.nan_to_num(std::numeric_limits<double>::infinity(),
                                std::numeric_limits<double>::infinity())
                    .max()
                    .item<double>();
  return result;
}

bool Verification::passed() const {
  return unknown.empty() && std::ranges::all_of(compared, &Comparison::within);
}

std::string format_table(const Verification& verification) {
  std::vector<Row> rows = {{"", "tensor", "shape", "largest difference", "relative", "allowed"}};
  for (const Comparison& comparison : worst_first(verification.compared))
    rows.push_back(row_of(comparison));
  return join(rows) + summary(verification);
}

std::string to_json(const Verification& verification) {
  auto tensors = nlohmann::ordered_json::array();
  for (const Comparison& c : worst_first(verification.compared)) {
    tensors.push_back({{"name", c.name},
                       {"shape", c.shape},
                       {"max_absolute_difference", c.absolute},
                       {"max_relative_difference", c.relative},
                       {"tolerance_absolute", c.tolerance.absolute},
                       {"tolerance_relative", c.tolerance.relative},
                       {"tolerance_used", c.used},
                       {"pass", c.within()}});
  }
  const nlohmann::ordered_json report = {{"pass", verification.passed()},
                                         {"tensors", std::move(tensors)},
                                         {"not_computed", verification.unknown}};
  return report.dump(2);
}

}  // namespace tagclip

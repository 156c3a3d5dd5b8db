#include "verify/comparison.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace tagclip {

Comparison compare(const std::string& name, const at::Tensor& found, const at::Tensor& expected,
                   Tolerance tolerance) {
  TAGCLIP_CHECK(found.sizes() == expected.sizes() && found.numel() > 0,
                "nothing to compare in " + name);
  const at::Tensor e = expected.to(at::kDouble);
  const at::Tensor difference = (found.to(at::kDouble) - e).abs();
  const at::Tensor allowed = tolerance.absolute + tolerance.relative * e.abs();
  // An exact value is within any tolerance, also one of zero.
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

}  // namespace tagclip

#pragma once

#include <string_view>

namespace tagclip {

// The style sheet of the report.
extern const std::string_view kPageStyle;

}  // namespace tagclip

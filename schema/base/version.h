// The version of the programs of this project, as `--version`, session.status and the metric
// warpbook_build_info tell it.
#pragma once

#include <string_view>

namespace warpbook {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace warpbook

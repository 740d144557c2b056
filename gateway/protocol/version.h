// The gateway's version, as it tells its clients.
#pragma once

#include <string_view>

namespace warpbook::gateway {

inline constexpr std::string_view kGatewayVersion = "0.1.0";

}  // namespace warpbook::gateway

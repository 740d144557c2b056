// A decision as the parameters of settlement.submit.
#pragma once

#include <string>

#include "settlement/store/decision.h"

namespace warpbook::settlement {

std::string DecisionParameters(const Decision& decision);

}  // namespace warpbook::settlement

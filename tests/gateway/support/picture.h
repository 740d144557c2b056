// Pictures: all that a gateway would answer from its state, as JSON.
#pragma once

#include <string>

#include "gateway/publish/market_state.h"

namespace warpbook::gateway {

// What an account sees of itself, with its keys.
std::string PictureOf(const MarketState& state, AccountId account);
// What everybody sees of the instruments that are not closed.
std::string PublicPictureOf(const MarketState& state);
// Both, of everybody.
std::string WholePictureOf(const MarketState& state);

}  // namespace warpbook::gateway

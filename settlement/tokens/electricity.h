// What the electricity of an hour of a GPU costs (2-tokens, Disclosure): nobody sells below it for
// long. Pure integers.
#pragma once

#include "schema/base/check.h"
#include "schema/types/amounts.h"
#include "schema/types/arithmetic.h"

namespace warpbook::settlement {

// What the GPU draws, and a quarter more for what is around it: cooling, host, network.
inline constexpr int64_t kPowerOverheadPercent = 125;
// Micro-USD per kWh, where nobody says otherwise: 0.12 USD.
inline constexpr int64_t kTariffDefault = 120'000;
inline constexpr int64_t kTariffMax = 10 * kMicroUsdPerUsd;

// TDP x 1.25 x tariff per GPU-hour, rounded up, as what it costs. For watts > 0 and
// 0 < tariff <= kTariffMax (CHECKed).
constexpr Price ElectricityFloor(int tdp_watts, int64_t tariff) {
  WARPBOOK_CHECK(tdp_watts > 0 && tariff > 0 && tariff <= kTariffMax);
  // Watts into kilowatts, percent into a factor.
  return Price(*MulDivUp(int64_t{tdp_watts} * kPowerOverheadPercent, tariff, 1'000 * 100));
}

}  // namespace warpbook::settlement

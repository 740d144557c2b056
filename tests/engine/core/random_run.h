// One seed's random run of the engine against the reference.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "schema/wire/record.h"

namespace warpbook::engine {

struct RandomRunCounts {
  std::map<wire::RecordType, uint64_t> events;
  std::map<uint16_t, uint64_t> refusals;  // by RejectReason
  std::map<uint8_t, uint64_t> cancels;    // by CancelReason
  uint64_t gains_paid = 0, losses_carried = 0;
};

// Applies `commands` random commands of the seed. Returns an empty text where engine and reference
// agree all the way, else the shortened scenario and the difference. Adds to `counts`. A CHECK
// that fails names the seed before the process ends.
std::string RunRandomSeed(uint64_t seed, size_t commands, RandomRunCounts& counts);

}  // namespace warpbook::engine

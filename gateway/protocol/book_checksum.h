// The checksum of an L2 book, by which a client proves that its copy is right: CRC-32 (zlib's) over
// the ten best asks, then the ten best bids, each level as its price in ticks and then its GPUs, in
// decimal ASCII without separators (4-gateway-api of the design, Promises).
#pragma once

#include <boost/crc.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

#include "schema/types/amounts.h"

namespace warpbook::gateway {

inline constexpr size_t kChecksumLevels = 10;

// `asks` and `bids` hold (Price, Quantity) pairs, best first; levels beyond the tenth are not read.
template <typename Asks, typename Bids>
uint32_t BookChecksum(const Asks& asks, const Bids& bids, Price tick) {
  std::string text;
  const auto append = [&text, tick](const auto& levels) {
    size_t count = 0;
    for (const auto& [price, gpus] : levels) {
      if (count++ == kChecksumLevels) break;
      text += std::to_string(price.value() / tick.value());  // exact: prices are on the tick
      text += std::to_string(gpus.value());
    }
  };
  append(asks);
  append(bids);
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  return crc.checksum();
}

}  // namespace warpbook::gateway

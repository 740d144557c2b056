#include "gateway/protocol/book_checksum.h"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

namespace warpbook::gateway {

using Levels = std::vector<std::pair<Price, Quantity>>;

TEST_CASE("The checksum is zlib's CRC-32 over ten asks, then ten bids") {
  const Price tick(20'000);
  // Python: zlib.crc32(b"") and so on.
  CHECK(BookChecksum(Levels{}, Levels{}, tick) == 0);
  // zlib.crc32(b"1258" b"1265" b"12416")
  CHECK(BookChecksum(Levels{{Price(2'500'000), Quantity(8)}, {Price(2'520'000), Quantity(5)}},
                     Levels{{Price(2'480'000), Quantity(16)}}, tick) == 0x82d007bd);
  Levels eleven;
  for (int i = 1; i <= 11; ++i) eleven.emplace_back(Price(i * 20'000), Quantity(i));
  Levels ten(eleven.begin(), eleven.begin() + 10);
  CHECK(BookChecksum(eleven, Levels{}, tick) == BookChecksum(ten, Levels{}, tick));
  CHECK(BookChecksum(Levels{}, eleven, tick) == BookChecksum(Levels{}, ten, tick));
  // zlib.crc32(b"11" b"22" b"33" b"44" b"55" b"66" b"77" b"88" b"99" b"1010")
  CHECK(BookChecksum(ten, Levels{}, tick) == 0x3cef4bfb);
}

}  // namespace warpbook::gateway

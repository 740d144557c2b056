#include "gateway/publish/market_snapshot.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "gateway/publish/market_fields.h"
#include "gateway/publish/market_reader.h"

namespace warpbook::gateway {
namespace {

constexpr std::array<uint8_t, 8> kMagic = {'W', 'A', 'R', 'P', 'M', 'R', 'K', 'T'};
constexpr size_t kFormatAt = kMagic.size();
constexpr size_t kFieldsAt = kFormatAt + sizeof(uint32_t);
constexpr size_t kHashSize = sizeof(uint64_t);

// A hash map's order is chance: by id instead.
template <typename Map>
std::vector<std::pair<typename Map::key_type, const typename Map::mapped_type*>> SortedById(
    const Map& map) {
  std::vector<std::pair<typename Map::key_type, const typename Map::mapped_type*>> rows;
  rows.reserve(map.size());
  for (const auto& [id, row] : map) rows.emplace_back(id, &row);
  std::ranges::sort(rows);
  return rows;
}

void WriteAccounts(const MarketState& state, StateWriter& writer) {
  writer(uint64_t{state.accounts().size()});
  for (const auto& [id, account] : SortedById(state.accounts())) StreamAccount(writer, *account);
}

void WriteNodes(const MarketState& state, StateWriter& writer) {
  writer(uint64_t{state.nodes().size()});
  for (const auto& [id, node] : SortedById(state.nodes())) StreamNode(writer, *node);
}

// The closed ones as they were closed, of which nothing but the terms is left; then the others.
void WriteInstruments(const MarketState& state, const MarketFeed& feed, StateWriter& writer) {
  writer(uint64_t{state.closed_instruments().size()});
  for (const InstrumentId id : state.closed_instruments()) {
    StreamTerms(writer, *state.FindInstrument(id)->terms);
  }
  writer(uint64_t{state.open_instruments().size()});
  for (const InstrumentId id : state.open_instruments()) {
    const InstrumentRow& instrument = *state.FindInstrument(id);
    StreamTerms(writer, *instrument.terms);
    StreamSequences(writer, feed.SequencesOf(id));
    StreamMarketData(writer, instrument);
  }
}

void WriteLeases(const MarketState& state, StateWriter& writer) {
  // A lease may outlive what is known of its instrument.
  absl::btree_map<InstrumentId, const InstrumentTerms*> forgotten;
  for (const auto& [id, lease] : state.leases()) {
    if (state.FindInstrument(lease.terms->id) == nullptr) {
      forgotten.emplace(lease.terms->id, lease.terms.get());
    }
  }
  writer(uint64_t{forgotten.size()});
  for (const auto& [id, terms] : forgotten) StreamTerms(writer, *terms);
  writer(uint64_t{state.leases().size()});
  for (const auto& [id, lease] : SortedById(state.leases())) {
    StreamLease(writer, *lease, lease->terms->id);
  }
}

// Account by account, so that a reader stays with one row of an account for all its orders.
void WriteOrders(const MarketState& state, StateWriter& writer) {
  writer(uint64_t{state.orders().size()});
  for (const auto& [account_id, account] : SortedById(state.accounts())) {
    writer(static_cast<uint32_t>(account->orders.size()));
    for (const OrderId id : account->orders) StreamOrder(writer, *state.FindOrder(id));
  }
}

// As they finished.
void WriteFinishedOrders(const MarketState& state, StateWriter& writer) {
  writer(uint64_t{state.finished_orders().size()});
  state.finished_orders().ForEach(
      [&](const FinishedOrder& order) { StreamFinishedOrder(writer, order); });
}

void WriteGuards(const OrderGuards& guards, StateWriter& writer) {
  writer(uint64_t{guards.sessions().size()});
  for (const auto& [session, mode] : guards.sessions()) {
    writer(session.account, session.mark, mode);
  }
  writer(uint64_t{guards.timers().size()});
  for (const auto& [deadline, account] : guards.timers()) writer(deadline, account);
}

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the market snapshot is damaged: ", what));
}

}  // namespace

void WriteMarket(const Publisher& publisher, StateSink sink) {
  const MarketState& state = publisher.state();
  StateWriter writer(sink);
  writer(kMagic, kMarketSnapshotFormat);
  writer(publisher.last_sequence(), publisher.last_time_us(),
         publisher.public_feed().exchange().instruments_sequence());
  WriteAccounts(state, writer);
  WriteNodes(state, writer);
  WriteInstruments(state, publisher.public_feed().market(), writer);
  WriteLeases(state, writer);
  WriteOrders(state, writer);
  WriteFinishedOrders(state, writer);
  WriteGuards(state.guards(), writer);
  writer.Finish();
  const uint64_t hash = writer.hash();
  sink(std::as_bytes(std::span(&hash, 1)));
}

absl::Status ReadMarket(std::span<const std::byte> bytes, Publisher& publisher) {
  if (bytes.size() < kFieldsAt + kHashSize) {
    return Damaged(absl::StrCat("it has only ", bytes.size(), " bytes"));
  }
  if (std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) {
    return absl::DataLossError("this is no market snapshot: it does not begin with WARPMRKT");
  }
  const size_t hash_at = bytes.size() - kHashSize;
  uint64_t hash = 0;
  std::memcpy(&hash, bytes.data() + hash_at, sizeof hash);
  if (hash != XXH3_64bits(bytes.data(), hash_at)) return Damaged("it does not match its hash");
  uint32_t format = 0;
  std::memcpy(&format, bytes.data() + kFormatAt, sizeof format);
  if (format != kMarketSnapshotFormat) {
    return absl::FailedPreconditionError(absl::StrCat("the market snapshot is of format ", format,
                                                      ", this program reads format ",
                                                      kMarketSnapshotFormat));
  }
  PublishedMarket market{.state = MarketState(publisher.state().catalogue())};
  const auto fields = bytes.subspan(kFieldsAt, hash_at - kFieldsAt);
  const MarketReading reading = ReadMarketFields(fields, market);
  if (!reading.catalogue.ok()) return reading.catalogue;
  if (!reading.fault.empty()) return Damaged(reading.fault);
  publisher.Restore(std::move(market));
  return absl::OkStatus();
}

}  // namespace warpbook::gateway

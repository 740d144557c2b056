// MarketMetrics: what the market exports, as it was published: prices, depth, trades, proofs. The
// I/O thread walks the open instruments a few at a time, so that no order waits for it, and leaves
// plain rows; the labels are made by whoever asks for the text.
//
// The I/O thread owns it; one thread of a gateway has one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "engine/service/engine_port.h"
#include "gateway/publish/market_state.h"
#include "schema/catalogue/catalogue.h"
#include "schema/metrics/metrics.h"

namespace warpbook::gateway {

// How many instruments are looked at in one turn.
inline constexpr size_t kInstrumentsPerLook = 128;
// How many of a side's best prices count as its depth.
inline constexpr size_t kDepthLevels = 20;
// Of which windows prices are exported, counted from the one that delivers now.
inline constexpr uint32_t kExportedWindows[] = {0, 1, 2, 4, 8, 12, 16, 23, 47, 95, 167};

class MarketMetrics {
 public:
  // The catalogue outlives it.
  MarketMetrics(Metrics& metrics, const Catalogue& catalogue);

  // A batch, after the state has taken it in.
  void OnBatch(const engine::DurableBatch& batch, const MarketState& state);
  // Looks at some more instruments, and hands over what was counted; a few times a second.
  void Look(const MarketState& state);

 private:
  using Group = std::pair<ClassId, RegionId>;
  // An open instrument. Prices 0: there is none.
  struct Row {
    Group group;
    Timestamp window_start;
    Price bid, ask, last;
    int64_t bid_gpus = 0, ask_gpus = 0;
  };
  // What the thread that asks for the text reads.
  struct Shared {
    std::mutex mutex;
    std::vector<Row> rows;
  };
  struct Traded {
    uint64_t fills = 0, gpu_seconds = 0;
    Credits paid;
  };
  struct TradeCounters {
    Counter fills, gpu_seconds, usd;
  };

  static Row RowOf(const InstrumentRow& instrument);
  static void AddSamples(const Catalogue& catalogue, std::vector<Row> rows, MetricSamples& samples);
  void HandOverTrades();

  Metrics& metrics_;
  const Catalogue& catalogue_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::vector<Row> rows_;  // of the round under way
  InstrumentId next_;      // instrument of it
  absl::btree_map<Group, Traded> traded_;
  absl::btree_map<Group, TradeCounters> trade_counters_;
  Counter probes_passed_, probes_failed_;
};

}  // namespace warpbook::gateway

// Every metric that a process of the exchange exports: name, type, labels, help and the unit that
// it is recorded in. deploy/METRICS.md is made of this table (deploy/dev/metrics-reference), and
// the rules and dashboards of deploy/ are checked against what a running exchange exports.
//
// Names follow Prometheus: one base unit each, at the end; counters end in _total. No label ever
// holds an account, an order, a connection or another id: each has few values, known beforehand.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace warpbook {

enum class Metric : uint8_t {
  // warpbook serve: gateway.
  kGatewayConnections,
  kGatewayConnectionsRefused,
  kGatewayMessagesReceived,
  kGatewayMessagesSent,
  kGatewayRequestDuration,
  kGatewayRejects,
  kGatewayAuthFailures,
  kGatewaySendQueueBytes,
  kGatewaySlowConsumerDisconnects,
  kGatewayConflatedUpdates,
  kGatewayResumes,
  kGatewayReady,
  // warpbook serve: engine.
  kEngineCommands,
  kEngineMatchDuration,
  kEngineRestingOrders,
  kEngineQueueDepth,
  kEngineQueueCapacity,
  kEngineSequence,
  kEngineJournalSyncDuration,
  kEngineJournalBytes,
  kEngineJournalFreeBytes,
  kEngineStorageLow,
  kEngineSnapshotSequence,
  kEngineSnapshotFailures,
  // warpbook serve: the market, as it was published.
  kMarketBestPrice,
  kMarketLastPrice,
  kMarketDepth,
  kMarketFills,
  kMarketTradedGpuSeconds,
  kMarketTradedUsd,
  kMarketProbeVerdicts,
  // warpbook-settlement serve.
  kSettlementSequence,
  kSettlementLagSequences,
  kSettlementLagSeconds,
  kSettlementLeases,
  kSettlementFailures,
  kSettlementCommitDuration,
  kSettlementTransfers,
  kSettlementDecisions,
  kSettlementOutboxDecisions,
  kSettlementEngineConnected,
  kSettlementDatabaseConnected,
  kSettlementOwed,
  kLedgerImbalance,
  kTokenSupply,
  kTokenFlow,
  kTokenPrice,
  kVaultCoverage,
  kVaultDebt,
  // Every process.
  kBuildInfo,
  kProcessStartTime,
  kProcessCpu,
  kProcessResidentMemory,
  kProcessOpenFds,
  kProcessMaxFds,
};

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram };
constexpr std::string_view NameOf(MetricType type) {
  constexpr std::array<std::string_view, 3> kNames = {"counter", "gauge", "histogram"};
  return kNames[static_cast<size_t>(type)];
}

struct MetricInfo {
  Metric metric;
  MetricType type;
  std::string_view name;
  std::string_view labels;  // "method", "type,result"; "": none
  std::string_view help;    // a sentence
  // How many of what is recorded make one of the metric's unit: 1,000,000 where micro-USD are
  // recorded and USD exported.
  int64_t recorded_per_unit = 1;
  // Of a histogram: the buckets' upper bounds, as recorded.
  std::span<const int64_t> bounds = {};
};

inline constexpr size_t kMetricCount = static_cast<size_t>(Metric::kProcessMaxFds) + 1;
inline constexpr size_t kHistogramBoundsMax = 20;

// In the order of Metric.
std::span<const MetricInfo, kMetricCount> AllMetrics();
inline const MetricInfo& InfoOf(Metric metric) { return AllMetrics()[static_cast<size_t>(metric)]; }

}  // namespace warpbook

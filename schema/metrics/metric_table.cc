#include "schema/metrics/metric_table.h"

#include "schema/types/amounts.h"

namespace warpbook {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kMicro = 1'000'000;
constexpr int64_t kBasisPoints = 10'000;

// 1, 2, 5, 10, ... in nanoseconds.
constexpr int64_t kMatchBoundsNs[] = {100,    200,    500,    1'000,   2'000,     5'000,
                                      10'000, 20'000, 50'000, 100'000, 1'000'000, 10'000'000};
constexpr int64_t kSyncBoundsNs[] = {20'000,      50'000,      100'000,      200'000,
                                     500'000,     1'000'000,   2'000'000,    5'000'000,
                                     10'000'000,  20'000'000,  50'000'000,   100'000'000,
                                     200'000'000, 500'000'000, 1'000'000'000};
constexpr int64_t kRequestBoundsNs[] = {
    50'000,     100'000,    200'000,    500'000,     1'000'000,   2'000'000,     5'000'000,
    10'000'000, 20'000'000, 50'000'000, 100'000'000, 500'000'000, 1'000'000'000, 5'000'000'000};
constexpr int64_t kCommitBoundsNs[] = {500'000,       1'000'000,     2'000'000,     5'000'000,
                                       10'000'000,    20'000'000,    50'000'000,    100'000'000,
                                       200'000'000,   500'000'000,   1'000'000'000, 2'000'000'000,
                                       5'000'000'000, 10'000'000'000};

constexpr MetricType kCounter = MetricType::kCounter;
constexpr MetricType kGauge = MetricType::kGauge;
constexpr MetricType kHistogram = MetricType::kHistogram;

constexpr std::array<MetricInfo, kMetricCount> kTable = {{
    {Metric::kGatewayConnections, kGauge, "warpbook_gateway_connections", "kind",
     "Open connections of the clients' listener (client) and the operators' (operator)."},
    {Metric::kGatewayConnectionsRefused, kCounter, "warpbook_gateway_connections_refused_total",
     "answer",
     "Connections beyond a limit: told so by HTTP 503 (refused), or closed at once (dropped)."},
    {Metric::kGatewayMessagesReceived, kCounter, "warpbook_gateway_messages_received_total",
     "method", "Messages from clients by method; unknown where it has none that there is."},
    {Metric::kGatewayMessagesSent, kCounter, "warpbook_gateway_messages_sent_total", "channel",
     "Messages to clients by channel; reply: answers to requests."},
    {Metric::kGatewayRequestDuration, kHistogram, "warpbook_gateway_request_duration_seconds",
     "method",
     "From a request's arrival until its answer is queued; of a command, durable by then.",
     kNanosPerSecond, kRequestBoundsNs},
    {Metric::kGatewayRejects, kCounter, "warpbook_gateway_rejects_total", "code",
     "Requests refused, by the code that the client is given."},
    {Metric::kGatewayAuthFailures, kCounter, "warpbook_gateway_auth_failures_total", "reason",
     "Logons refused, by reason code."},
    {Metric::kGatewaySendQueueBytes, kGauge, "warpbook_gateway_send_queue_bytes", "",
     "Bytes that wait to be written to clients, over all connections."},
    {Metric::kGatewaySlowConsumerDisconnects, kCounter,
     "warpbook_gateway_slow_consumer_disconnects_total", "",
     "Connections ended because the client did not read what it was sent."},
    {Metric::kGatewayConflatedUpdates, kCounter, "warpbook_gateway_conflated_updates_total", "",
     "Market data messages passed over for a client that was behind; a snapshot follows."},
    {Metric::kGatewayResumes, kCounter, "warpbook_gateway_resumes_total", "result",
     "Sessions resumed (resumed), or why not, by reason code."},
    {Metric::kGatewayReady, kGauge, "warpbook_gateway_ready", "",
     "1 while /readyz says ready; 0 while it drains, has lost the engine, or the journal stands "
     "still."},

    {Metric::kEngineCommands, kCounter, "warpbook_engine_commands_total", "type,result",
     "Commands applied by type; result: accepted or rejected."},
    {Metric::kEngineMatchDuration, kHistogram, "warpbook_engine_match_duration_seconds", "",
     "Time to apply a command, of the first in every 64 that are taken together.", kNanosPerSecond,
     kMatchBoundsNs},
    {Metric::kEngineRestingOrders, kGauge, "warpbook_engine_resting_orders", "side",
     "Orders that rest in the books."},
    {Metric::kEngineQueueDepth, kGauge, "warpbook_engine_queue_depth", "",
     "Commands that wait for the engine, in the fullest queue of an I/O thread."},
    {Metric::kEngineQueueCapacity, kGauge, "warpbook_engine_queue_capacity", "",
     "How many commands such a queue holds; beyond, they are refused as engine_busy."},
    {Metric::kEngineSequence, kGauge, "warpbook_engine_sequence", "",
     "The last command's sequence; it goes up by one a second at least."},
    {Metric::kEngineJournalSyncDuration, kHistogram,
     "warpbook_engine_journal_sync_duration_seconds", "",
     "Time to write a batch of commands to the journal and sync it.", kNanosPerSecond,
     kSyncBoundsNs},
    {Metric::kEngineJournalBytes, kCounter, "warpbook_engine_journal_bytes_total", "",
     "Bytes of commands and events made durable."},
    {Metric::kEngineJournalFreeBytes, kGauge, "warpbook_engine_journal_free_bytes", "",
     "Bytes free on the journal's disk."},
    {Metric::kEngineStorageLow, kGauge, "warpbook_engine_storage_low", "",
     "1 while the journal's disk is nearly full and nothing new is taken."},
    {Metric::kEngineSnapshotSequence, kGauge, "warpbook_engine_snapshot_sequence", "",
     "The sequence of the newest snapshot; what is behind it is replayed at a start."},
    {Metric::kEngineSnapshotFailures, kCounter, "warpbook_engine_snapshot_failures_total", "",
     "Snapshots that could not be made."},

    {Metric::kMarketBestPrice, kGauge, "warpbook_market_best_price_usd",
     "class,region,windows_ahead,side",
     "The best bid (buy) and ask (sell), USD per GPU-hour, by how many delivery windows ahead.",
     kMicro},
    {Metric::kMarketLastPrice, kGauge, "warpbook_market_last_price_usd",
     "class,region,windows_ahead",
     "The last trade's price, USD per GPU-hour, by how many delivery windows ahead.", kMicro},
    {Metric::kMarketDepth, kGauge, "warpbook_market_depth_gpus", "class,region,side",
     "GPUs bid for (buy) and offered (sell), at the 20 best prices of each open window."},
    {Metric::kMarketFills, kCounter, "warpbook_market_fills_total", "class,region",
     "Trades, each of which made a lease."},
    {Metric::kMarketTradedGpuSeconds, kCounter, "warpbook_market_traded_gpu_seconds_total",
     "class,region", "GPU time sold."},
    {Metric::kMarketTradedUsd, kCounter, "warpbook_market_traded_usd_total", "class,region",
     "What was paid for the GPU time sold, USD.", kCreditsPerUsd},
    {Metric::kMarketProbeVerdicts, kCounter, "warpbook_market_probe_verdicts_total", "verdict",
     "Proofs of machines that were decided: passed or failed."},

    {Metric::kSettlementSequence, kGauge, "warpbook_settlement_sequence", "",
     "The last command that is posted in the database."},
    {Metric::kSettlementLagSequences, kGauge, "warpbook_settlement_lag_sequences", "",
     "Durable commands of the journal that are not posted yet."},
    {Metric::kSettlementLagSeconds, kGauge, "warpbook_settlement_lag_seconds", "",
     "For how long settlement has been behind the journal's end; 0 when it was there last.",
     kMicro},
    {Metric::kSettlementLeases, kGauge, "warpbook_settlement_leases", "state",
     "Leases that are not settled, by state."},
    {Metric::kSettlementFailures, kCounter, "warpbook_settlement_failures_total", "reason",
     "Times that settlement had to begin anew (database, lock) or gave up (fatal)."},
    {Metric::kSettlementCommitDuration, kHistogram, "warpbook_settlement_commit_duration_seconds",
     "", "Time of a transaction in the database, its commit included.", kNanosPerSecond,
     kCommitBoundsNs},
    {Metric::kSettlementTransfers, kCounter, "warpbook_settlement_transfers_total", "",
     "Transfers posted in the ledger."},
    {Metric::kSettlementDecisions, kCounter, "warpbook_settlement_decisions_total", "",
     "Decisions sent to the engine: top-ups, settlements, epochs."},
    {Metric::kSettlementOutboxDecisions, kGauge, "warpbook_settlement_outbox_decisions", "",
     "Decisions that the engine has not confirmed yet."},
    {Metric::kSettlementEngineConnected, kGauge, "warpbook_settlement_engine_connected", "",
     "1 while settlement is logged on at the gateway."},
    {Metric::kSettlementDatabaseConnected, kGauge, "warpbook_settlement_database_connected", "",
     "1 while the database takes what settlement posts."},
    {Metric::kSettlementOwed, kGauge, "warpbook_settlement_owed_usd", "",
     "What providers are owed and the vault could not pay yet, USD.", kCreditsPerUsd},
    {Metric::kLedgerImbalance, kGauge, "warpbook_ledger_imbalance", "asset",
     "What the database's balances (tokens, credits; smallest units) miss adding up to zero by: a "
     "fault unless 0."},
    {Metric::kTokenSupply, kGauge, "warpbook_token_supply", "kind",
     "TOK in all (total), and where they are: vault, members, fee, outside.", kMicro},
    {Metric::kTokenFlow, kCounter, "warpbook_token_flow_total", "kind",
     "TOK burned for credits, reminted for work, emitted, retired, deposited, withdrawn, ever.",
     kMicro},
    {Metric::kTokenPrice, kGauge, "warpbook_token_price_usd", "",
     "The median price of a TOK that burns and pay go by, USD.", kMicro},
    {Metric::kVaultCoverage, kGauge, "warpbook_vault_coverage_ratio", "",
     "What the vault holds, of what all credits stand for; 1: all of it.", kBasisPoints},
    {Metric::kVaultDebt, kGauge, "warpbook_vault_debt_usd", "",
     "What all credits stand for that are free, locked, in escrow or owed, USD.", kCreditsPerUsd},

    {Metric::kBuildInfo, kGauge, "warpbook_build_info", "service,version,rules_version",
     "1; which program runs, and by which rules."},
    {Metric::kProcessStartTime, kGauge, "process_start_time_seconds", "",
     "When the process started, seconds since 1970."},
    {Metric::kProcessCpu, kCounter, "process_cpu_seconds_total", "",
     "Processor time of the process, user and system.", kMicro},
    {Metric::kProcessResidentMemory, kGauge, "process_resident_memory_bytes", "",
     "Memory of the process that is resident."},
    {Metric::kProcessOpenFds, kGauge, "process_open_fds", "", "Open file descriptors."},
    {Metric::kProcessMaxFds, kGauge, "process_max_fds", "", "How many there can be."},
}};

constexpr bool IsInOrder() {
  for (size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].metric != static_cast<Metric>(i)) return false;
    if (kTable[i].bounds.size() > kHistogramBoundsMax) return false;
    if ((kTable[i].type == kHistogram) == kTable[i].bounds.empty()) return false;
  }
  return true;
}
static_assert(IsInOrder());

}  // namespace

std::span<const MetricInfo, kMetricCount> AllMetrics() { return kTable; }

}  // namespace warpbook

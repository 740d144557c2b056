#include "schema/metrics/metrics.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "schema/metrics/process_metrics.h"

namespace warpbook {
namespace {

// The value of a series in the text, as it stands there; "": it is not there.
std::string ValueOf(const std::string& text, const std::string& series) {
  const std::string begin = "\n" + series + " ";
  const size_t at = ("\n" + text).find(begin);
  if (at == std::string::npos) return "";
  const size_t value = at + begin.size() - 1;
  return text.substr(value, text.find('\n', value) - value);
}

}  // namespace

TEST_CASE("Whole numbers go in and base units come out") {
  Metrics metrics;
  Counter usd = metrics.counter(Metric::kMarketTradedUsd, {"H100-SXM", "us-west"});  // of credits
  usd.Add(150'000'000);
  usd.Add(0);
  metrics.gauge(Metric::kVaultCoverage).Set(9'750);  // of basis points
  Gauge depth = metrics.gauge(Metric::kEngineQueueDepth);
  depth.Set(5);
  depth.Add(-2);
  const std::string text = metrics.Text();
  CHECK(ValueOf(text, R"(warpbook_market_traded_usd_total{class="H100-SXM",region="us-west"})") ==
        "2.5");
  CHECK(ValueOf(text, "warpbook_vault_coverage_ratio") == "0.975");
  CHECK(ValueOf(text, "warpbook_engine_queue_depth") == "3");
  CHECK(text.find("# TYPE warpbook_engine_queue_depth gauge\n") != std::string::npos);
  CHECK(text.find("# HELP warpbook_vault_coverage_ratio What the vault holds") !=
        std::string::npos);
}

TEST_CASE("A handle that is resolved again is the same one") {
  Metrics metrics;
  metrics.counter(Metric::kGatewayRejects, {"rate_limited"}).Add(1);
  metrics.counter(Metric::kGatewayRejects, {"rate_limited"}).Add(2);
  metrics.counter(Metric::kGatewayRejects, {"engine_busy"}).Add(5);
  const std::string text = metrics.Text();
  CHECK(ValueOf(text, R"(warpbook_gateway_rejects_total{code="rate_limited"})") == "3");
  CHECK(ValueOf(text, R"(warpbook_gateway_rejects_total{code="engine_busy"})") == "5");
}

TEST_CASE("A tally in bulk is what one observation after the other is") {
  Metrics one_by_one, in_bulk;
  Histogram single = one_by_one.histogram(Metric::kEngineMatchDuration);
  Histogram bulk = in_bulk.histogram(Metric::kEngineMatchDuration);
  HistogramTally tally(Metric::kEngineMatchDuration);
  // On a bound, beside it, and beyond the last one.
  for (const int64_t ns : {0, 99, 100, 101, 5'000, 5'001, 10'000'000, 10'000'001, 2'000'000'000}) {
    single.Observe(ns);
    tally.Observe(ns);
  }
  CHECK(tally.total() == 9);
  bulk.Take(tally);
  CHECK(tally.empty());
  CHECK(tally.sum() == 0);
  bulk.Take(tally);  // nothing
  const std::string text = in_bulk.Text();
  CHECK(text == one_by_one.Text());
  CHECK(ValueOf(text, R"(warpbook_engine_match_duration_seconds_bucket{le="1e-07"})") == "3");
  CHECK(ValueOf(text, R"(warpbook_engine_match_duration_seconds_bucket{le="+Inf"})") == "9");
  CHECK(ValueOf(text, "warpbook_engine_match_duration_seconds_count") == "9");
}

TEST_CASE("A source is asked each time, and what it leaves out is gone") {
  Metrics metrics;
  int64_t leases = 0;
  metrics.AddSource([&](MetricSamples& samples) {
    if (leases > 0) samples.Add(Metric::kSettlementLeases, {"active"}, leases);
    samples.Add(Metric::kTokenFlow, {"burned"}, 1'500'000);
  });
  CHECK(metrics.Text().find("warpbook_settlement_leases") == std::string::npos);
  leases = 4;
  const std::string text = metrics.Text();
  CHECK(ValueOf(text, R"(warpbook_settlement_leases{state="active"})") == "4");
  CHECK(ValueOf(text, R"(warpbook_token_flow_total{kind="burned"})") == "1.5");
  CHECK(text.find("# TYPE warpbook_token_flow_total counter\n") != std::string::npos);
  leases = 0;
  CHECK(metrics.Text().find("warpbook_settlement_leases") == std::string::npos);
}

TEST_CASE("Several threads count while another one asks, and nothing is lost") {
  Metrics metrics;
  constexpr int kThreads = 4, kTimes = 20'000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&metrics] {
      Counter counter = metrics.counter(Metric::kEngineCommands, {"tick", "accepted"});
      Histogram histogram = metrics.histogram(Metric::kEngineJournalSyncDuration);
      HistogramTally tally(Metric::kEngineJournalSyncDuration);
      for (int k = 0; k < kTimes; ++k) {
        counter.Add(1);
        tally.Observe(k);
        if (k % 100 == 99) histogram.Take(tally);
      }
    });
  }
  for (int i = 0; i < 20; ++i) metrics.Text();
  for (std::thread& thread : threads) thread.join();
  const std::string text = metrics.Text();
  CHECK(ValueOf(text, R"(warpbook_engine_commands_total{result="accepted",type="tick"})") ==
        "80000");
  CHECK(ValueOf(text, "warpbook_engine_journal_sync_duration_seconds_count") == "80000");
}

TEST_CASE("A process tells what it is, and what it takes") {
  Metrics metrics;
  AddProcessMetrics(metrics, {.service = "test", .version = "1.2", .rules_version = "8"});
  const std::string text = metrics.Text();
  CHECK(ValueOf(text, R"(warpbook_build_info{rules_version="8",service="test",version="1.2"})") ==
        "1");
  CHECK(std::stod(ValueOf(text, "process_resident_memory_bytes")) > 1'000'000);
  CHECK(std::stod(ValueOf(text, "process_open_fds")) >= 3);
  CHECK(std::stod(ValueOf(text, "process_max_fds")) >=
        std::stod(ValueOf(text, "process_open_fds")));
  CHECK(std::stod(ValueOf(text, "process_start_time_seconds")) > 1.7e9);
}

}  // namespace warpbook

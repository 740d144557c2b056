#include "gateway/net/gateway_metrics.h"

#include <string>
#include <utility>

namespace warpbook::gateway {
namespace {

std::string MethodLabel(size_t place) {
  return place < kMethods.size() ? std::string(kMethods[place].name) : "unknown";
}

std::string ChannelLabel(size_t place) {
  return place < kChannelNames.size() ? std::string(kChannelNames[place]) : "reply";
}

std::string CodeOf(RejectReason reason) { return std::string(RejectReasonCode(reason)); }

// Those that alerts look at.
constexpr RejectReason kWatchedRejects[] = {RejectReason::kRateLimited, RejectReason::kEngineBusy,
                                            RejectReason::kStorageLow};
constexpr RejectReason kWatchedAuthFailures[] = {
    RejectReason::kNoChallenge, RejectReason::kChallengeExpired, RejectReason::kTimestampOutOfRange,
    RejectReason::kUnknownKey, RejectReason::kBadSignature};
constexpr std::string_view kResumeResults[] = {"resumed", "too_old", "unavailable", "busy"};

// The counter of that key; `make()` where there is none yet.
template <typename Handles, typename Key, typename Make>
auto& Resolve(Handles& handles, const Key& key, Make&& make) {
  const auto found = handles.find(key);
  return found != handles.end() ? found->second : handles.emplace(key, make()).first->second;
}

}  // namespace

GatewayMetrics::GatewayMetrics(Metrics& metrics)
    : metrics_(metrics),
      connections_{metrics.gauge(Metric::kGatewayConnections, {"client"}),
                   metrics.gauge(Metric::kGatewayConnections, {"operator"})},
      refused_{metrics.counter(Metric::kGatewayConnectionsRefused, {"refused"}),
               metrics.counter(Metric::kGatewayConnectionsRefused, {"dropped"})},
      slow_consumers_(metrics.counter(Metric::kGatewaySlowConsumerDisconnects)),
      conflated_(metrics.counter(Metric::kGatewayConflatedUpdates)),
      queued_bytes_(metrics.gauge(Metric::kGatewaySendQueueBytes)),
      ready_(metrics.gauge(Metric::kGatewayReady)) {
  // A counter that is there before its first event shows that event.
  for (size_t i = 0; i < GatewayTally::kMethodPlaces; ++i) {
    received_.push_back(metrics.counter(Metric::kGatewayMessagesReceived, {MethodLabel(i)}));
  }
  for (size_t i = 0; i < GatewayTally::kChannelPlaces; ++i) {
    sent_.push_back(metrics.counter(Metric::kGatewayMessagesSent, {ChannelLabel(i)}));
  }
  for (const RejectReason reason : kWatchedRejects) {
    rejects_.emplace(reason, metrics.counter(Metric::kGatewayRejects, {CodeOf(reason)}));
  }
  for (const RejectReason reason : kWatchedAuthFailures) {
    auth_failures_.emplace(reason, metrics.counter(Metric::kGatewayAuthFailures, {CodeOf(reason)}));
  }
  for (const std::string_view result : kResumeResults) {
    resumes_.emplace(result, metrics.counter(Metric::kGatewayResumes, {std::string(result)}));
  }
}

void GatewayMetrics::Take(GatewayTally& tally) {
  for (size_t i = 0; i < tally.received.size(); ++i) {
    received_[i].Add(std::exchange(tally.received[i], 0));
    if (!tally.durations[i].empty()) {
      Resolve(durations_, i, [&] {
        return metrics_.histogram(Metric::kGatewayRequestDuration, {MethodLabel(i)});
      }).Take(tally.durations[i]);
    }
  }
  for (size_t i = 0; i < tally.sent.size(); ++i) {
    sent_[i].Add(std::exchange(tally.sent[i], 0));
  }
  TakeReasons(Metric::kGatewayRejects, tally.rejects, rejects_);
  TakeReasons(Metric::kGatewayAuthFailures, tally.auth_failures, auth_failures_);
  for (const auto& [result, count] : tally.resumes) {
    Resolve(resumes_, result, [&, result = result] {
      return metrics_.counter(Metric::kGatewayResumes, {std::string(result)});
    }).Add(count);
  }
  tally.resumes.clear();
  conflated_.Add(std::exchange(tally.conflated, 0));
}

void GatewayMetrics::TakeReasons(Metric metric, absl::flat_hash_map<RejectReason, uint64_t>& counts,
                                 Counters<RejectReason>& counters) {
  for (const auto& [reason, count] : counts) {
    Resolve(counters, reason, [&, reason = reason] {
      return metrics_.counter(metric, {CodeOf(reason)});
    }).Add(count);
  }
  counts.clear();
}

}  // namespace warpbook::gateway

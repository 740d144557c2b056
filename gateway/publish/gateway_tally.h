// GatewayTally: what an I/O thread counts as it works: plain numbers of its own, which it hands to
// the metrics a few times a second (gateway/net/gateway_metrics.h). The I/O thread owns it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gateway/protocol/methods.h"
#include "gateway/protocol/reply_writer.h"
#include "schema/metrics/histogram_tally.h"
#include "schema/types/reject_reason.h"

namespace warpbook::gateway {

class GatewayTally {
 public:
  // By Method; the last place is for messages with none that there is.
  static constexpr size_t kMethodPlaces = kMethods.size() + 1;
  // By Channel; the last place is for replies.
  static constexpr size_t kChannelPlaces = kChannelNames.size() + 1;

  void OnReceived(std::optional<Method> method) { ++received[PlaceOf(method)]; }
  // A message to one client.
  void OnSent(Channel channel) { ++sent[static_cast<size_t>(channel)]; }
  void OnReply(std::optional<Method> method, const ReplyHead& head) {
    ++sent.back();
    durations[PlaceOf(method)].Observe((head.time_out_us - head.time_in_us) * kNanosPerMicro);
  }
  void OnRejected(RejectReason reason) { ++rejects[reason]; }
  void OnLogonRefused(RejectReason reason) { ++auth_failures[reason]; }
  // `result`: resumed, or the reason that the client is given (resumer.cc).
  void OnResume(std::string_view result) { ++resumes[result]; }

  std::array<uint64_t, kMethodPlaces> received = {};
  std::array<uint64_t, kChannelPlaces> sent = {};
  std::vector<HistogramTally> durations{kMethodPlaces,
                                        HistogramTally(Metric::kGatewayRequestDuration)};
  absl::flat_hash_map<RejectReason, uint64_t> rejects, auth_failures;
  absl::flat_hash_map<std::string_view, uint64_t> resumes;
  uint64_t conflated = 0;  // messages of market data that somebody was not told

 private:
  static constexpr int64_t kNanosPerMicro = 1'000;
  static size_t PlaceOf(std::optional<Method> method) {
    return method ? static_cast<size_t>(*method) : kMethods.size();
  }
};

}  // namespace warpbook::gateway

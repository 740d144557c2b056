// LateReply: where and how a request is to be answered whose answer has to wait for the journal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gateway/protocol/methods.h"
#include "gateway/protocol/reply_writer.h"
#include "gateway/publish/gateway_tally.h"
#include "gateway/publish/subscriber.h"
#include "schema/base/clock.h"

namespace warpbook::gateway {

struct LateReply {
  uint64_t connection_id = 0;
  Subscriber* subscriber = nullptr;
  GatewayTally* tally = nullptr;
  Method method = Method::kPing;
  std::optional<int64_t> req_id;
  int64_t time_in_us = 0;
  LimitStates limits = {};  // when it was asked

  // `sequence`: of the state that the answer was taken from; `clock`: real time.
  ReplyHead HeadAt(uint64_t sequence, const Clock& clock) const {
    return {.method = InfoOf(method).name,
            .req_id = req_id,
            .sequence = sequence,
            .time_in_us = time_in_us,
            .time_out_us = clock.NowMicros(),
            .limits = limits};
  }
  template <typename WriteFields>
  void Succeed(uint64_t sequence, const Clock& clock, WriteFields&& write_fields) const {
    std::string message;
    MessageWriter out(subscriber->encoding(), message);
    const ReplyHead head = HeadAt(sequence, clock);
    WriteReply(out, head, write_fields);
    tally->OnReply(method, head);
    subscriber->Send(message);
  }
  void Refuse(const Refusal& refusal, const Clock& clock) const {
    std::string message;
    MessageWriter out(subscriber->encoding(), message);
    const ReplyHead head = HeadAt(0, clock);
    WriteError(out, head, refusal, RequestOutcome::kRejected);
    tally->OnReply(method, head);
    tally->OnRejected(refusal.reason);
    subscriber->Send(message);
  }
};

}  // namespace warpbook::gateway

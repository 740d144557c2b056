// Replies: what every answer to a request has in common (4-gateway-api of the design, Shape).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/protocol/message_writer.h"
#include "gateway/protocol/request.h"

namespace warpbook::gateway {

// What is certain about a request that was not answered with success: it had no effect; it was
// taken and will have one; or nobody can tell (the exchange stopped meanwhile).
enum class RequestOutcome : uint8_t { kRejected, kAccepted, kUnknown };

// How much of a limit is used up.
struct LimitState {
  std::string_view name;
  int64_t used = 0;
  int64_t limit = 0;
  int64_t reset_us = 0;  // until nothing of it is used, if no more is asked for
};
// Those that are stated in a reply.
struct LimitStates {
  std::array<LimitState, 2> states;
  size_t count = 0;

  void Add(const LimitState& state) { states[count++] = state; }
  std::span<const LimitState> view() const { return std::span(states).first(count); }
};

struct ReplyHead {
  std::string_view method;  // "" where it could not be read
  std::optional<int64_t> req_id;
  uint64_t sequence = 0;   // of the command in the journal, or of the state asked about
  int64_t time_in_us = 0;  // real time
  int64_t time_out_us = 0;
  LimitStates limits = {};
};

// A success; `write_fields(MessageWriter&)` writes the fields of its result.
template <typename WriteFields>
void WriteReply(MessageWriter& out, const ReplyHead& head, WriteFields&& write_fields);

void WriteError(MessageWriter& out, const ReplyHead& head, const Refusal& refusal,
                RequestOutcome outcome);

// {"code":..,"number":..,"message":..,"data":{..},"outcome":..}
void WriteErrorObject(MessageWriter& out, const Refusal& refusal, RequestOutcome outcome);

// A command that the engine refused: the field that the reason is about, and what its detail says
// (engine/core/README.md).
Refusal EngineRefusal(RejectReason reason, int64_t detail);

// ---- Implementation ----

void BeginReply(MessageWriter& out, const ReplyHead& head, bool success);
void EndReply(MessageWriter& out, const ReplyHead& head);

template <typename WriteFields>
void WriteReply(MessageWriter& out, const ReplyHead& head, WriteFields&& write_fields) {
  BeginReply(out, head, true);
  out.Key("result").BeginObject();
  write_fields(out);
  out.EndObject();
  EndReply(out, head);
}

}  // namespace warpbook::gateway

// Replies: what every answer to a request has in common (4-gateway-api of the design, Shape).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/protocol/json_writer.h"
#include "gateway/protocol/request.h"

namespace warpbook::gateway {

// What is certain about a request that was not answered with success: it had no effect; it was
// taken and will have one; or nobody can tell (the exchange stopped meanwhile).
enum class RequestOutcome : uint8_t { kRejected, kAccepted, kUnknown };

struct ReplyHead {
  std::string_view method;  // "" where it could not be read
  std::optional<int64_t> req_id;
  uint64_t sequence = 0;   // of the command in the journal, or of the state asked about
  int64_t time_in_us = 0;  // real time
  int64_t time_out_us = 0;
};

// A success whose result `write_result(JsonWriter&)` writes, as one JSON value.
template <typename WriteResult>
std::string WriteReply(const ReplyHead& head, WriteResult&& write_result);

std::string WriteError(const ReplyHead& head, const Refusal& refusal, RequestOutcome outcome);

// A command that the engine refused: the field that the reason is about, and what its detail says
// (engine/core/README.md).
Refusal EngineRefusal(RejectReason reason, int64_t detail);

// ---- Implementation ----

void BeginReply(JsonWriter& json, const ReplyHead& head, bool success);
void EndReply(JsonWriter& json, const ReplyHead& head);

template <typename WriteResult>
std::string WriteReply(const ReplyHead& head, WriteResult&& write_result) {
  std::string text;
  JsonWriter json(text);
  BeginReply(json, head, true);
  json.Key("result");
  write_result(json);
  EndReply(json, head);
  return text;
}

}  // namespace warpbook::gateway

#include "engine/core/event_writer.h"

namespace warpbook::engine {

void EventWriter::Reject(wire::RecordView command, Refusal refusal) {
  const wire::CommandHeader& header = command.command_header();
  wire::CommandRejected event;
  event.mutate_tag(header.tag());
  event.mutate_detail(refusal.detail);
  event.mutate_reason(static_cast<uint16_t>(refusal.reason));
  event.mutate_command_type(static_cast<uint16_t>(command.type()));
  Append(event, AccountId(header.account_id()), 0);
}

void EventWriter::Accept(const wire::CommandHeader& command, wire::RecordType type,
                         uint64_t result_id, bool duplicate) {
  wire::CommandAccepted event;
  event.mutate_tag(command.tag());
  event.mutate_result_id(result_id);
  event.mutate_command_type(static_cast<uint16_t>(type));
  event.mutate_duplicate(duplicate ? 1 : 0);
  Append(event, AccountId(command.account_id()), 0);
}

}  // namespace warpbook::engine

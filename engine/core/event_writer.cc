#include "engine/core/event_writer.h"

namespace warpbook::engine {

void EventWriter::Reject(wire::RecordView command, Refusal refusal) {
  Reject(command.command_header(), command.type(), refusal);
}

void EventWriter::Reject(const wire::CommandHeader& command, wire::RecordType type,
                         Refusal refusal) {
  const Pending<wire::CommandRejected> event(
      *this, Add<wire::CommandRejected>(AccountId(command.account_id()), 0));
  event->mutate_tag(command.tag());
  event->mutate_detail(refusal.detail);
  SetTail(*event, static_cast<uint64_t>(refusal.reason) | static_cast<uint64_t>(type) << 16);
}

void EventWriter::Accept(const wire::CommandHeader& command, wire::RecordType type,
                         uint64_t result_id, bool duplicate) {
  const Pending<wire::CommandAccepted> event(
      *this, Add<wire::CommandAccepted>(AccountId(command.account_id()), 0));
  event->mutate_tag(command.tag());
  event->mutate_result_id(result_id);
  event->mutate_command_type(static_cast<uint16_t>(type));
  event->mutate_duplicate(duplicate ? 1 : 0);
}

}  // namespace warpbook::engine

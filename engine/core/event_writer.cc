#include "engine/core/event_writer.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

namespace warpbook::engine {
namespace {

// The longest that XXH3 hashes without making a secret of the seed first.
constexpr size_t kPieceSize = 240;

}  // namespace

void EventWriter::UpdateHash() {
  const std::span<const std::byte> bytes = output_->bytes();
  while (hashed_ < bytes.size()) {
    const size_t size = std::min(bytes.size() - hashed_, kPieceSize);
    hash_ = XXH3_64bits_withSeed(bytes.data() + hashed_, size, hash_);
    hashed_ += size;
  }
}

void EventWriter::Reject(wire::RecordView command, Refusal refusal) {
  const wire::CommandHeader& header = command.command_header();
  auto& event = Add<wire::CommandRejected>(AccountId(header.account_id()), 0);
  event.mutate_tag(header.tag());
  event.mutate_detail(refusal.detail);
  event.mutate_reason(static_cast<uint16_t>(refusal.reason));
  event.mutate_command_type(static_cast<uint16_t>(command.type()));
}

void EventWriter::Accept(const wire::CommandHeader& command, wire::RecordType type,
                         uint64_t result_id, bool duplicate) {
  auto& event = Add<wire::CommandAccepted>(AccountId(command.account_id()), 0);
  event.mutate_tag(command.tag());
  event.mutate_result_id(result_id);
  event.mutate_command_type(static_cast<uint16_t>(type));
  event.mutate_duplicate(duplicate ? 1 : 0);
}

}  // namespace warpbook::engine

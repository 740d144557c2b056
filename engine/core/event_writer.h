// EventWriter: gives events their header, appends them to the command's output and runs the hash
// over all of them. The hash covers each event's type and bytes; not the command index, which
// depends on how commands were gathered into batches.
#pragma once

#include <cstdint>
#include <span>

#include "engine/core/accounts.h"
#include "engine/core/refusal.h"
#include "schema/base/hash.h"
#include "schema/wire/record.h"

namespace warpbook::engine {

class EventWriter {
 public:
  void Begin(wire::RecordWriter& output, uint32_t command_index) {
    output_ = &output;
    command_index_ = command_index;
  }

  // For everybody, or for settlement.
  template <typename Event>
  void Public(Event& event) {
    Append(event, AccountId(), 0);
  }
  // For one account: the next of its private events.
  template <typename Event>
  void Private(Event& event, Account& account) {
    Append(event, account.id, ++account.event_sequence);
  }

  // The replies that are no events of their own.
  void Reject(wire::RecordView command, Refusal refusal);
  void Accept(const wire::CommandHeader& command, wire::RecordType type, uint64_t result_id,
              bool duplicate = false);

  EventSequence last_sequence() const { return EventSequence(sequence_); }
  uint64_t hash() const { return hash_.value(); }

 private:
  template <typename Event>
  void Append(Event& event, AccountId account, uint64_t account_sequence) {
    event.mutable_header() = wire::EventHeader(++sequence_, account.value(), account_sequence);
    output_->Append(event, command_index_);
    hash_.Add(static_cast<uint64_t>(wire::kRecordTypeOf<Event>));
    hash_.AddBytes(std::as_bytes(std::span(&event, 1)));
  }

  wire::RecordWriter* output_ = nullptr;
  uint32_t command_index_ = 0;
  uint64_t sequence_ = 0;
  Hash64 hash_;
};

}  // namespace warpbook::engine

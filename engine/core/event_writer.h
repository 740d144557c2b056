// EventWriter: gives events their header, adds them to the command's output and keeps the running
// hash over all of them: XXH3-64 of each 240 bytes of a command's event records (and of the rest),
// with the hash so far as the seed. In it every command index is 0, as that depends on how commands
// were gathered into batches. A Checkpoint holds the hash of all before it, and what follows begins
// a piece of its own.
#pragma once

#include <cstdint>

#include "engine/core/accounts.h"
#include "engine/core/refusal.h"
#include "schema/wire/record.h"

namespace warpbook::engine {

class EventWriter {
 public:
  void BeginCommand(wire::RecordWriter& output) {
    output_ = &output;
    begin_ = hashed_ = output.size();
  }
  // Hashes the command's events and gives them its index.
  void EndCommand(uint32_t command_index) {
    UpdateHash();
    if (command_index != 0) output_->SetCommandIndex(begin_, command_index);
  }

  // An empty event for everybody, or for settlement. To be filled before the next is added.
  template <typename Event>
  Event& Public() {
    return Add<Event>(AccountId(), 0);
  }
  // One for an account: the next of its private events.
  template <typename Event>
  Event& Private(Account& account) {
    return Add<Event>(account.id, ++account.event_sequence);
  }

  // The replies that are no events of their own.
  void Reject(wire::RecordView command, Refusal refusal);
  void Accept(const wire::CommandHeader& command, wire::RecordType type, uint64_t result_id,
              bool duplicate = false);

  EventSequence last_sequence() const { return EventSequence(sequence_); }
  // Takes the command's events so far into the hash.
  void UpdateHash();
  // As of the last update; each command ends with one.
  uint64_t hash() const { return hash_; }

 private:
  template <typename Event>
  Event& Add(AccountId account, uint64_t account_sequence) {
    Event& event = output_->Add<Event>(0);
    event.mutable_header() = wire::EventHeader(++sequence_, account.value(), account_sequence);
    return event;
  }

  wire::RecordWriter* output_ = nullptr;
  size_t begin_ = 0;   // of the command's events in the output
  size_t hashed_ = 0;  // up to where the output is in the hash
  uint64_t sequence_ = 0;
  uint64_t hash_ = 0;
};

}  // namespace warpbook::engine

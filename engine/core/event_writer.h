// EventWriter: gives events their header, adds them to the command's output and keeps the running
// hash over all of them:
//   hash = (rotl(hash, 31) ^ XXH3-64(struct, seed = its type number)) x 2^64 / golden ratio
// event by event, beginning with 0. The command index is not in it, as that depends on how commands
// were gathered into batches. A Checkpoint holds the hash of all events before it. Each event is
// hashed when it is complete, by code made for its size: no loop whose end the processor must
// guess, and digests that depend on nothing before them.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <cstdint>

#include "engine/core/accounts.h"
#include "engine/core/event_tail.h"
#include "engine/core/refusal.h"
#include "schema/wire/record.h"

namespace warpbook::engine {

class EventWriter {
 public:
  // An event that is being filled. It is complete, and hashed, at the end of this object's life,
  // which must come before the next event.
  template <typename Event>
  class Pending {
   public:
    Pending(EventWriter& writer, Event& event) : writer_(writer), event_(event) {}
    ~Pending() { writer_.Complete(event_); }
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;
    Event* operator->() const { return &event_; }
    Event& operator*() const { return event_; }

   private:
    EventWriter& writer_;
    Event& event_;
  };

  void BeginCommand(wire::RecordWriter& output, uint32_t command_index) {
    output_ = &output;
    command_index_ = command_index;
  }

  // An event for everybody, or for settlement.
  template <typename Event>
  Pending<Event> Public() {
    return {*this, Add<Event>(AccountId(), 0)};
  }
  // One for an account: the next of its private events.
  template <typename Event>
  Pending<Event> Private(Account& account) {
    return {*this, Add<Event>(account.id, ++account.event_sequence)};
  }

  // The replies that are no events of their own.
  void Reject(wire::RecordView command, Refusal refusal);
  void Reject(const wire::CommandHeader& command, wire::RecordType type, Refusal refusal);
  void Accept(const wire::CommandHeader& command, wire::RecordType type, uint64_t result_id,
              bool duplicate = false);

  // For a restored engine: goes on from these.
  void Restore(EventSequence last_sequence, uint64_t hash) {
    sequence_ = last_sequence.value();
    hash_ = hash;
  }
  EventSequence last_sequence() const { return EventSequence(sequence_); }
  // Over all complete events.
  uint64_t hash() const { return hash_; }

 private:
  template <typename Event>
  Event& Add(AccountId account, uint64_t account_sequence) {
    WARPBOOK_CHECK(!pending_);
    pending_ = true;
    Event& event = output_->Add<Event>(command_index_);
    event.mutable_header() = wire::EventHeader(++sequence_, account.value(), account_sequence);
    return event;
  }
  template <typename Event>
  void Complete(const Event& event) {
    constexpr auto kSeed = static_cast<uint64_t>(wire::kRecordTypeOf<Event>);
    constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;  // nothing is lost by multiplying with it
    hash_ = (std::rotl(hash_, 31) ^ XXH3_64bits_withSeed(&event, sizeof event, kSeed)) * kOdd;
    pending_ = false;
  }

  wire::RecordWriter* output_ = nullptr;
  uint32_t command_index_ = 0;
  bool pending_ = false;
  uint64_t sequence_ = 0;
  uint64_t hash_ = 0;
};

}  // namespace warpbook::engine

// Resumer: session.resume. It tells a connection what it has missed of its account's private
// events, from memory (recent_events.h) or from the journal (history_queries.h), message for
// message as it would have been told then, and lets it listen to what comes (private_feed.h) in the
// very moment in which it has caught up: no event is missing and none comes twice.
//
// Nothing is held for who is behind but its place, and one page of the journal: events that come
// meanwhile are in memory or in the journal when it gets there. What is replayed goes out as the
// connection has room, and never ends it. The I/O thread owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "gateway/publish/history_cursor.h"
#include "gateway/publish/history_queries.h"
#include "gateway/publish/late_reply.h"
#include "gateway/publish/private_event.h"
#include "gateway/publish/publisher.h"
#include "schema/base/clock.h"

namespace warpbook::gateway {

class Resumer {
 public:
  // What a connection was told last, and what it wants to hear.
  struct Request {
    LateReply reply;
    AccountId account;
    uint64_t last_sequence = 0;
    uint32_t channels = 0;  // ChannelBit of each
    // Of these, those that have not been told of the event `last_sequence` itself.
    uint32_t channels_left = 0;
  };

  // All that is passed must outlive it. `real_clock` for times of replies.
  Resumer(Publisher& publisher, HistoryQueries& history, const Clock& real_clock,
          const Clock& market_clock, const HistoryLimits& limits)
      : publisher_(publisher),
        history_(history),
        real_clock_(real_clock),
        market_clock_(market_clock),
        limits_(limits) {}

  // Answers, now or once the journal has, and replays. Of a connection that neither listens to a
  // private channel nor resumes, and for a sequence that its account has come to.
  void Begin(const Request& request);
  // 0: it does not resume.
  size_t CountOf(uint64_t connection_id) const;
  // The connection takes more (Subscriber::SendPublic has refused).
  void OnRoom(uint64_t connection_id);
  // The connection ends, or wants no more: what has no answer yet gets that one, unless it is
  // kNone.
  void Remove(uint64_t connection_id, RejectReason reason);
  // All that have no answer yet get that one; those whose replay is under way go on.
  void RefuseUnanswered(RejectReason reason);

 private:
  struct Resume {
    Request request;
    HistoryCursor cursor;
    bool answered = false;
    uint32_t channels_left = 0;      // that are to be told of the event that the cursor is at
    uint64_t previous_sequence = 0;  // of the message sent last
    bool reads_journal = false;      // counts for readers_max
    bool is_running = false;         // in Run, which is not to be entered again
  };

  void Run(Resume& resume);
  // False: the connection has no room.
  bool Tell(Resume& resume, const PrivateEvent& event);
  // False: too many read it.
  bool ReadJournal(Resume& resume);
  void OnArrival(Resume& resume, HistoryCursor::Arrival arrival);
  void Answer(Resume& resume, std::string_view source);
  void EndWithGap(Resume& resume, std::string_view reason);
  void Join(const Resume& resume);
  void Erase(uint64_t connection_id);
  const AccountRow& AccountOf(const Resume& resume) const;

  Publisher& publisher_;
  HistoryQueries& history_;
  const Clock& real_clock_;
  const Clock& market_clock_;
  const HistoryLimits limits_;
  // By connection.
  absl::flat_hash_map<uint64_t, std::unique_ptr<Resume>> resumes_;
  size_t journal_readers_ = 0;
};

}  // namespace warpbook::gateway

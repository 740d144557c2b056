#include "gateway/publish/statements.h"

#include <utility>

#include "gateway/publish/private_messages.h"
#include "schema/base/check.h"

namespace warpbook::gateway {

void Statements::Begin(const Request& request) {
  const uint64_t connection_id = request.reply.connection_id;
  WARPBOOK_CHECK(!IsOpen(connection_id));
  const uint64_t next = request.after_sequence + 1;
  auto made = std::unique_ptr<Statement>(
      new Statement{.request = request,
                    .cursor = {publisher_.recent_events(),
                               history_,
                               limits_,
                               {request.account, next,
                                Timestamp(market_clock_.NowMicros() - limits_.horizon_micros)}},
                    .from = next});
  Statement& statement = *made;
  if (Run(statement)) return Answer(statement);
  if (open_.size() >= limits_.readers_max) {
    return request.reply.Refuse(
        {.reason = RejectReason::kHistoryBusy, .retry_after_us = limits_.retry_micros},
        real_clock_);
  }
  open_.emplace(connection_id, std::move(made));
  Fetch(statement);
}

bool Statements::Run(Statement& statement) const {
  HistoryCursor& cursor = statement.cursor;
  const AccountRow& account = *publisher_.state().FindAccount(statement.request.account);
  while (cursor.next() <= account.last_sequence &&
         statement.changes.events.size() < statement.request.limit) {
    const std::optional<PrivateEvent> event = cursor.Event();
    if (!event) return cursor.pages_read() >= limits_.statement_pages_max;
    if ((ChannelsOf(*event) & ChannelBit(Channel::kBalances)) != 0) {
      statement.changes.Add(event->ts_us, event->record, event->cause);
    }
    cursor.Advance();
  }
  return true;
}

void Statements::Fetch(Statement& statement) {
  // The cursor is the statement's, and calls nobody once that is gone.
  statement.cursor.Fetch(
      [this, &statement](HistoryCursor::Arrival arrival) { OnArrival(statement, arrival); });
}

void Statements::OnArrival(Statement& statement, HistoryCursor::Arrival arrival) {
  const uint64_t connection_id = statement.request.reply.connection_id;
  // What was found to be there is gone as well: the horizon does not move.
  const bool lost = arrival == HistoryCursor::Arrival::kTooOld && statement.restarted;
  if (arrival == HistoryCursor::Arrival::kUnavailable || lost) {
    statement.request.reply.Refuse({.reason = RejectReason::kHistoryUnavailable}, real_clock_);
    open_.erase(connection_id);
    return;
  }
  if (arrival == HistoryCursor::Arrival::kTooOld) BeginWithOldest(statement);
  if (!Run(statement)) return Fetch(statement);
  Answer(statement);
  open_.erase(connection_id);
}

// The answer's `from_seq` says so.
void Statements::BeginWithOldest(Statement& statement) const {
  const AccountId account = statement.request.account;
  uint64_t oldest = statement.cursor.oldest();
  if (oldest == 0) oldest = publisher_.recent_events().OldestOf(account);
  if (oldest == 0) oldest = publisher_.state().FindAccount(account)->last_sequence + 1;
  statement.restarted = true;
  statement.from = oldest;
  statement.cursor.GoTo(oldest);
}

void Statements::Answer(const Statement& statement) const {
  const uint64_t last = publisher_.state().FindAccount(statement.request.account)->last_sequence;
  const engine::HistoryPage& changes = statement.changes;
  statement.request.reply.Succeed(publisher_.last_sequence(), real_clock_, [&](MessageWriter& out) {
    out.Field("from_seq", statement.from).Key("entries").BeginArray();
    for (const engine::HistoryPage::Event& event : changes.events) {
      const PrivateEvent change{
          .record = changes.record(event), .cause = changes.cause(event), .ts_us = event.time_us};
      out.BeginObject().Field("seq", change.sequence()).Field("ts", change.ts_us);
      WriteBalanceFields(out, change);
      out.EndObject();
    }
    out.EndArray();
    out.Field("next_after_seq", statement.cursor.next() - 1);
    out.Field("more", statement.cursor.next() <= last);
  });
}

void Statements::Remove(uint64_t connection_id) { open_.erase(connection_id); }

void Statements::RefuseAll(RejectReason reason) {
  for (const auto& [connection_id, statement] : open_) {
    statement->request.reply.Refuse({.reason = reason}, real_clock_);
  }
  open_.clear();
}

}  // namespace warpbook::gateway

#include "gateway/publish/resumer.h"

#include <bit>
#include <utility>
#include <vector>

#include "gateway/publish/private_messages.h"
#include "schema/base/check.h"

namespace warpbook::gateway {
namespace {

// What says the rest of what a gap has swallowed.
void WriteGap(MessageWriter& out, std::string_view reason, uint64_t last_sequence,
              uint64_t oldest_sequence) {
  out.Field("reason", reason).Field("last_seq", last_sequence);
  if (oldest_sequence != 0) out.Field("oldest_seq", oldest_sequence);
  out.Key("fetch").BeginArray();
  out.Text("account.orders").Text("account.balances").Text("account.leases").EndArray();
}

}  // namespace

// ---- Beginning ----

void Resumer::Begin(const Request& request) {
  const uint64_t connection_id = request.reply.connection_id;
  WARPBOOK_CHECK(CountOf(connection_id) == 0 &&
                 publisher_.private_feed().CountOf(connection_id) == 0);
  // The last event again, where some channels were not told of it.
  const bool repeats_last = request.channels_left != 0;
  const Timestamp horizon = Timestamp(market_clock_.NowMicros() - limits_.horizon_micros);
  auto made = std::unique_ptr<Resume>(new Resume{
      .request = request,
      .cursor = {publisher_.recent_events(),
                 history_,
                 limits_,
                 {request.account, request.last_sequence + (repeats_last ? 0 : 1), horizon}},
      .channels_left = repeats_last ? request.channels_left : request.channels,
      .previous_sequence = request.last_sequence});
  Resume& resume = *made;
  resumes_.emplace(connection_id, std::move(made));

  const uint64_t last = AccountOf(resume).last_sequence;
  WARPBOOK_CHECK(request.last_sequence <= last);
  if (resume.cursor.next() > last || resume.cursor.Event()) {
    Answer(resume, "memory");
    Run(resume);
  } else if (!ReadJournal(resume)) {
    publisher_.tally().OnResume("busy");
    request.reply.Refuse(
        {.reason = RejectReason::kHistoryBusy, .retry_after_us = limits_.retry_micros},
        real_clock_);
    Erase(connection_id);
  }
}

void Resumer::Answer(Resume& resume, std::string_view source) {
  resume.answered = true;
  publisher_.tally().OnResume("resumed");
  const uint64_t last = AccountOf(resume).last_sequence;
  const uint64_t missed = last - resume.request.last_sequence;
  resume.request.reply.Succeed(publisher_.last_sequence(), real_clock_, [&](MessageWriter& out) {
    out.Field("resumed", true).Field("from_seq", resume.request.last_sequence + 1);
    out.Field("to_seq", last).Field("events", missed).Field("source", source);
  });
}

// ---- Replaying ----

void Resumer::Run(Resume& resume) {
  // Whoever sends may find room, and say so before it has returned.
  if (std::exchange(resume.is_running, true)) return;
  const AccountRow& account = AccountOf(resume);
  while (resume.cursor.next() <= account.last_sequence) {
    const std::optional<PrivateEvent> event = resume.cursor.Event();
    if (!event || !Tell(resume, *event)) {
      resume.is_running = false;
      if (!event && !ReadJournal(resume)) EndWithGap(resume, "busy");
      return;
    }
    resume.cursor.Advance();
    resume.channels_left = resume.request.channels;
  }
  Join(resume);
}

bool Resumer::Tell(Resume& resume, const PrivateEvent& event) {
  Subscriber& subscriber = *resume.request.reply.subscriber;
  const uint32_t channels = resume.channels_left & ChannelsOf(event);
  for (const Channel channel : kPrivateChannels) {
    if ((channels & ChannelBit(channel)) == 0) continue;
    std::string message;
    MessageWriter out(subscriber.encoding(), message);
    WritePrivateUpdate(out, channel, event, resume.previous_sequence, publisher_.state());
    if (!subscriber.SendPublic(Share(subscriber.encoding(), std::move(message)))) return false;
    publisher_.tally().OnSent(channel);
    resume.previous_sequence = event.sequence();
    resume.channels_left &= ~ChannelBit(channel);
  }
  return true;
}

void Resumer::Join(const Resume& resume) {
  const Request request = resume.request;
  const uint64_t previous_sequence = resume.previous_sequence;
  Erase(request.reply.connection_id);
  publisher_.private_feed().Join(request.reply.connection_id, *request.reply.subscriber,
                                 request.channels, request.account, previous_sequence);
}

void Resumer::OnRoom(uint64_t connection_id) {
  const auto found = resumes_.find(connection_id);
  if (found == resumes_.end()) return;
  Resume& resume = *found->second;
  if (resume.answered && !resume.cursor.is_fetching()) Run(resume);
}

// ---- The journal ----

bool Resumer::ReadJournal(Resume& resume) {
  if (!resume.reads_journal) {
    if (journal_readers_ >= limits_.readers_max) return false;
    resume.reads_journal = true;
    ++journal_readers_;
  }
  // The cursor is the resume's, and calls nobody once that is gone.
  resume.cursor.Fetch(
      [this, &resume](HistoryCursor::Arrival arrival) { OnArrival(resume, arrival); });
  return true;
}

void Resumer::OnArrival(Resume& resume, HistoryCursor::Arrival arrival) {
  if (arrival == HistoryCursor::Arrival::kTooOld) return EndWithGap(resume, "too_old");
  if (arrival == HistoryCursor::Arrival::kUnavailable) return EndWithGap(resume, "unavailable");
  if (!resume.answered) Answer(resume, "journal");
  Run(resume);
}

// ---- The end ----

// Before the answer it is the answer; afterwards, the last that the connection hears.
void Resumer::EndWithGap(Resume& resume, std::string_view reason) {
  const LateReply reply = resume.request.reply;
  publisher_.tally().OnResume(reason);
  const uint64_t last = AccountOf(resume).last_sequence;
  const uint64_t oldest = resume.cursor.oldest() != 0
                              ? resume.cursor.oldest()
                              : publisher_.recent_events().OldestOf(resume.request.account);
  if (!resume.answered) {
    reply.Succeed(publisher_.last_sequence(), real_clock_, [&](MessageWriter& out) {
      out.Field("resumed", false).Field("gap", true);
      WriteGap(out, reason, last, oldest);
    });
  } else {
    reply.subscriber->Send(WriteMessage(reply.subscriber->encoding(), [&](MessageWriter& out) {
      out.Field("channel", "status").Field("type", "update");
      out.Key("data").BeginObject().Field("event", "resume_gap");
      WriteGap(out, reason, last, oldest);
      out.EndObject();
    }));
    publisher_.tally().OnSent(Channel::kStatus);
  }
  Erase(reply.connection_id);
}

void Resumer::Remove(uint64_t connection_id, RejectReason reason) {
  const auto found = resumes_.find(connection_id);
  if (found == resumes_.end()) return;
  const Resume& resume = *found->second;
  if (!resume.answered && reason != RejectReason::kNone) {
    resume.request.reply.Refuse({.reason = reason}, real_clock_);
  }
  Erase(connection_id);
}

void Resumer::RefuseUnanswered(RejectReason reason) {
  std::vector<uint64_t> unanswered;
  for (const auto& [connection_id, resume] : resumes_) {
    if (!resume->answered) unanswered.push_back(connection_id);
  }
  for (const uint64_t connection_id : unanswered) Remove(connection_id, reason);
}

void Resumer::Erase(uint64_t connection_id) {
  const auto found = resumes_.find(connection_id);
  if (found->second->reads_journal) --journal_readers_;
  resumes_.erase(found);
}

size_t Resumer::CountOf(uint64_t connection_id) const {
  const auto found = resumes_.find(connection_id);
  return found == resumes_.end()
             ? 0
             : static_cast<size_t>(std::popcount(found->second->request.channels));
}

const AccountRow& Resumer::AccountOf(const Resume& resume) const {
  const AccountRow* account = publisher_.state().FindAccount(resume.request.account);
  WARPBOOK_CHECK(account != nullptr);
  return *account;
}

}  // namespace warpbook::gateway

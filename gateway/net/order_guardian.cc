#include "gateway/net/order_guardian.h"

#include <span>

#include "absl/algorithm/container.h"
#include "gateway/protocol/command_builder.h"

namespace warpbook::gateway {

void OrderGuardian::TakeOverSessions() {
  for (const auto& [session, mode] : publisher_.state().guards().sessions()) {
    entries_.push_back({.session = session});
  }
}

void OrderGuardian::Watch(const Session& session) {
  auto& accounts = watched_[session.mark];
  if (!absl::c_linear_search(accounts, session.account)) accounts.push_back(session.account);
}

void OrderGuardian::AddEntries(uint32_t mark, const absl::InlinedVector<AccountId, 1>& accounts,
                               bool cancels) {
  for (const AccountId account : accounts) {
    entries_.push_back({.session = {.account = account, .mark = mark}, .cancels = cancels});
  }
}

void OrderGuardian::OnSessionEnd(uint32_t mark) {
  // Since a drain began none is watched.
  const auto watched = watched_.find(mark);
  if (watched == watched_.end()) return;
  AddEntries(mark, watched->second, /*cancels=*/true);
  watched_.erase(watched);
}

void OrderGuardian::BeginDrain() {
  for (const auto& [mark, accounts] : watched_) AddEntries(mark, accounts, /*cancels=*/false);
  watched_.clear();
  GoOn();
}

void OrderGuardian::LookAtTimers(Timestamp now) {
  for (const auto& [deadline, account] : publisher_.state().guards().timers()) {
    if (deadline > now) break;
    if (!timers_run_out_.insert(account).second) continue;
    entries_.push_back({.session = {.account = account}, .deadline = deadline});
  }
}

void OrderGuardian::GoOn() {
  commands_left_ = kCommandsPerTurn;
  // Each once: one that has to wait lets the others go on.
  for (size_t i = entries_.size(); i > 0; --i) {
    Entry entry = entries_.front();
    entries_.pop_front();
    if (!Advance(entry)) {
      entries_.push_back(entry);
    } else if (entry.session.mark == 0) {
      timers_run_out_.erase(entry.session.account);
    }
  }
}

bool OrderGuardian::IsOff(const Entry& entry) const {
  const OrderGuards& guards = publisher_.state().guards();
  if (entry.session.mark != 0) return guards.ModeOf(entry.session) == OrderGuardMode::kOff;
  return guards.TimerOf(entry.session.account) != entry.deadline;
}

bool OrderGuardian::Advance(Entry& entry) {
  const bool is_timer = entry.session.mark == 0;
  // Its orders, and whether it has a guard at all, are known once nothing is under way any more.
  if (!is_timer && publisher_.replier().pending().HasOrderUnderWay(entry.session.mark)) {
    return false;
  }
  if (IsOff(entry)) return true;
  if (entry.step == Step::kBegin) {
    const OrderGuardMode mode = publisher_.state().guards().ModeOf(entry.session);
    const bool done =
        !entry.cancels ||
        CancelOrders(entry, is_timer ? CancelReason::kTimer : CancelReason::kDisconnected,
                     is_timer || mode == OrderGuardMode::kAccount);
    if (!done) return false;
    entry.step = Step::kCancelled;
  }
  if (entry.step == Step::kCancelled &&
      Submit(MakeGuardOff(entry.session.account, entry.session.mark, entry.deadline))) {
    entry.step = Step::kGuardOff;
  }
  return false;
}

bool OrderGuardian::CancelOrders(Entry& entry, CancelReason reason, bool all) {
  const AccountId account = entry.session.account;
  if (all) return Submit(MakeCancelAll(account, reason));
  const MarketState& state = publisher_.state();
  const auto& orders = state.FindAccount(account)->orders;
  for (auto order = orders.upper_bound(entry.last_withdrawn); order != orders.end(); ++order) {
    if (state.FindOrder(*order)->session != entry.session.mark) continue;
    if (!Submit(MakeWithdraw(account, *order, reason))) return false;
    entry.last_withdrawn = *order;
  }
  return true;
}

bool OrderGuardian::Submit(const wire::CommandRecord& command) {
  if (commands_left_ == 0 || port_.TrySubmit(std::span(&command, 1)) == 0) return false;
  --commands_left_;
  return true;
}

}  // namespace warpbook::gateway

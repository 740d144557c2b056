#include "gateway/publish/order_guards.h"

namespace warpbook::gateway {

void OrderGuards::Apply(const wire::SetOrderGuard& command) {
  const AccountId account(command.header().account_id());
  const Timestamp deadline(command.deadline_us());
  const auto mode = static_cast<OrderGuardMode>(command.mode());
  if (mode == OrderGuardMode::kTimer) return SetTimer(account, deadline);
  if (command.session() == 0) {
    // One that was set again since has another deadline, and stays.
    const bool any = deadline == Timestamp();
    if (any || TimerOf(account) == deadline) ClearTimer(account);
    return;
  }
  const Session session{.account = account, .mark = command.session()};
  if (mode == OrderGuardMode::kOff) {
    sessions_.erase(session);
  } else {
    AddSession(session, mode);
  }
}

OrderGuardMode OrderGuards::ModeOf(const Session& session) const {
  const auto found = sessions_.find(session);
  return found == sessions_.end() ? OrderGuardMode::kOff : found->second;
}

std::optional<Timestamp> OrderGuards::TimerOf(AccountId account) const {
  const auto found = deadlines_.find(account);
  return found == deadlines_.end() ? std::nullopt : std::optional(found->second);
}

void OrderGuards::SetTimer(AccountId account, Timestamp deadline) {
  ClearTimer(account);
  timers_.emplace(deadline, account);
  deadlines_.emplace(account, deadline);
}

void OrderGuards::ClearTimer(AccountId account) {
  const auto found = deadlines_.find(account);
  if (found == deadlines_.end()) return;
  timers_.erase({found->second, account});
  deadlines_.erase(found);
}

}  // namespace warpbook::gateway

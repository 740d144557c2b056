#include "settlement/service/emission_days.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"
#include "settlement/tokens/owner_size.h"
#include "settlement/tokens/supply.h"
#include "settlement/tokens/work_bonus.h"

namespace warpbook::settlement {
namespace {

constexpr int64_t kMicrosPerDay = 24 * 60 * kMicrosPerMinute;

int32_t DayOf(Timestamp time) { return static_cast<int32_t>(time.micros() / kMicrosPerDay); }

}  // namespace

EmissionDays::EmissionDays(const DayRow& day, const std::vector<AccountDayRow>& rows) : day_(day) {
  for (const AccountDayRow& row : rows) {
    AddRecent(row.account, row.day, row.notional);
    if (row.day == day.day) {
      today_[row.account] = {row.gross, row.notional, row.sold};
    } else if (row.bonus && *row.bonus > Tokens(0) && !row.paid) {
      due_[row.account] = {row.gross, *row.bonus, row.sold};
    }
  }
}

void EmissionDays::BeginAt(Timestamp now) {
  if (day_.begun) return;
  day_.begun = true;
  day_.day = DayOf(now);
  day_.emission = {DailyEmission(kEmissionPool), Tokens(0)};
  day_changed_ = true;
}

bool EmissionDays::IsOver(Timestamp now) const { return day_.begun && DayOf(now) > day_.day; }

void EmissionDays::TakePayment(AccountId provider, Tokens gross, Tokens emitted) {
  day_.emission.spent += emitted;
  day_changed_ = day_changed_ || emitted > Tokens(0);
  if (gross == Tokens(0)) return;
  today_[provider].gross += gross;
  changed_.insert(provider);
}

void EmissionDays::TakeSettled(AccountId provider, AccountId buyer, Credits notional) {
  if (notional == Credits(0)) return;
  today_[provider].sold += notional;
  AddNotional(provider, notional);
  AddNotional(buyer, notional);
}

void EmissionDays::AddNotional(AccountId account, Credits notional) {
  today_[account].notional += notional;
  changed_.insert(account);
  AddRecent(account, day_.day, notional);
}

void EmissionDays::SetCoverage(CoverageState state) {
  if (day_.coverage == state) return;
  day_.coverage = state;
  day_changed_ = true;
}

std::vector<std::pair<AccountId, EmissionDays::DueBonus>> EmissionDays::Bonuses() const {
  std::vector<std::pair<AccountId, DueBonus>> bonuses;
  std::vector<OwnerWork> work;
  for (const auto& [account, done] : today_) {
    if (done.gross == Tokens(0)) continue;
    bonuses.push_back({account, {done.gross, Tokens(0), done.sold}});
    // Each account has an owner of its own.
    work.push_back({OwnerId(account.value()), done.gross});
  }
  const std::vector<Tokens> amounts = WorkBonus(day_.emission.LeftForBonus(), work);
  for (size_t i = 0; i < amounts.size(); ++i) bonuses[i].second.bonus = amounts[i];
  return bonuses;
}

EpochTotals EmissionDays::Close(Tokens retire) const {
  EpochTotals totals;
  totals.day = day_.day;
  totals.budget = day_.emission.budget;
  totals.emitted = day_.emission.spent;
  totals.retire = retire;
  const bool stressed = day_.coverage == CoverageState::kStressed;
  for (const auto& [account, due] : Bonuses()) {
    if (!stressed) totals.bonus += due.bonus;
    totals.gross += due.gross;
  }
  return totals;
}

absl::Status EmissionDays::BeClosed(const EpochTotals& totals, Tokens emitted_in_all) {
  if (!day_.begun || totals.day != day_.day || !due_.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("day ", totals.day, " is closed while day ", day_.day, " is under way"));
  }
  if (totals.emitted != day_.emission.spent || totals.budget != day_.emission.budget) {
    return absl::InvalidArgumentError(
        absl::StrCat("the close of day ", totals.day, " says that ", totals.emitted.value(),
                     " uTOK were minted, but ", day_.emission.spent.value(), " were"));
  }
  // Whether there is a bonus was decided with the close: coverage may have changed since.
  Tokens promised;
  for (const auto& [account, due] : Bonuses()) {
    const Tokens bonus = totals.bonus == Tokens(0) ? Tokens(0) : due.bonus;
    promised += bonus;
    if (bonus > Tokens(0)) due_[account] = {due.gross, bonus, due.sold};
  }
  if (promised != totals.bonus) {
    return absl::InvalidArgumentError(absl::StrCat("the close of day ", totals.day, " promises ",
                                                   totals.bonus.value(), " uTOK, its work makes ",
                                                   promised.value()));
  }
  for (const auto& [account, work] : today_) {
    const auto due = due_.find(account);
    changed_rows_[{totals.day, account}] = {
        totals.day,    account,   work.gross,
        work.notional, work.sold, due == due_.end() ? Tokens(0) : due->second.bonus};
  }
  changed_.clear();
  today_.clear();
  ++day_.day;
  day_.emission = {DailyEmission(kEmissionPool - emitted_in_all - promised), Tokens(0)};
  day_changed_ = true;
  Age();
  return absl::OkStatus();
}

absl::Status EmissionDays::BePaid(const Decision& decision, EventSequence event) {
  const AccountId account = decision.account;
  const EpochTotals& part = decision.epoch;
  const auto found = due_.find(account);
  if (found == due_.end() || part.day != due_day() || part.bonus != found->second.bonus) {
    return absl::InvalidArgumentError(
        absl::StrCat("account ", account.value(), " is paid a bonus that is not due"));
  }
  AccountDayRow row{part.day,   account, found->second.gross, Credits(0), found->second.sold,
                    part.bonus, event,   decision.number};
  if (const auto recent = recent_.find(account); recent != recent_.end()) {
    for (const auto& [day, notional] : recent->second.days) {
      if (day == part.day) row.notional = notional;
    }
  }
  changed_rows_[{part.day, account}] = row;
  due_.erase(found);
  return absl::OkStatus();
}

Credits EmissionDays::RecentNotional(AccountId account) const {
  const auto found = recent_.find(account);
  return found == recent_.end() ? Credits(0) : found->second.total;
}

void EmissionDays::AddRecent(AccountId account, int32_t day, Credits notional) {
  if (notional == Credits(0)) return;
  Recent& recent = recent_[account];
  recent.total += notional;
  if (recent.days.empty() || recent.days.back().first != day) {
    recent.days.push_back({day, Credits(0)});
  }
  recent.days.back().second += notional;
  if (recent.total > kOwnerNotionalMax) above_notional_.insert(account);
}

// Forgets the days that do not count any more.
void EmissionDays::Age() {
  const int32_t first = day_.day - static_cast<int32_t>(kOwnerNotionalDays) + 1;
  for (auto it = recent_.begin(); it != recent_.end();) {
    Recent& recent = it->second;
    const auto old_end = std::ranges::find_if(
        recent.days, [first](const auto& entry) { return entry.first >= first; });
    for (auto old = recent.days.begin(); old != old_end; ++old) recent.total -= old->second;
    recent.days.erase(recent.days.begin(), old_end);
    if (recent.total <= kOwnerNotionalMax) above_notional_.erase(it->first);
    const auto current = it++;
    if (recent.days.empty()) recent_.erase(current);
  }
}

std::vector<AccountDayRow> EmissionDays::TakeChangedRows() {
  std::vector<AccountDayRow> rows;
  for (const auto& [key, row] : changed_rows_) rows.push_back(row);
  changed_rows_.clear();
  for (const AccountId account : changed_) {
    const Work& work = today_.at(account);
    rows.push_back({day_.day, account, work.gross, work.notional, work.sold});
  }
  changed_.clear();
  return rows;
}

}  // namespace warpbook::settlement

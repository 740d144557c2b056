// The days of emission (2-tokens, Supply; Money flow 6 and 7): what may be minted today, who did
// how much work on it, and, once it is over, the bonus that each is due. A day ends by a CloseEpoch
// of the journal, so work belongs to the day in whose part of the journal it is settled. A part of
// the books: pure, settlement's worker thread owns it.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "settlement/store/rows.h"

namespace warpbook::settlement {

class EmissionDays {
 public:
  EmissionDays() = default;
  EmissionDays(const DayRow& day, const std::vector<AccountDayRow>& rows);

  // The market's first command begins the first day.
  void BeginAt(Timestamp now);
  // Whether the day under way is over by then.
  bool IsOver(Timestamp now) const;
  const DayRow& day() const { return day_; }

  // Of a payment for the account's work: its gross, in proportion to what of it was paid, and what
  // was minted for it.
  void TakePayment(AccountId provider, Tokens gross, Tokens emitted);
  // Work that was settled, between these two.
  void TakeSettled(AccountId provider, AccountId buyer, Credits notional);
  void SetCoverage(CoverageState state);

  // The close of the day under way, as things stand; `retire` of the vault's surplus.
  EpochTotals Close(Tokens retire) const;
  // The day was closed. InvalidArgument where it is another day, or what was minted on it is not
  // what was posted.
  absl::Status BeClosed(const EpochTotals& totals, Tokens emitted_in_all);

  // Of the day that was closed last: what each account is still due. None is closed before all are
  // paid.
  struct DueBonus {
    Tokens gross, bonus;
    Credits sold;
  };
  const absl::btree_map<AccountId, DueBonus>& due_bonuses() const { return due_; }
  int32_t due_day() const { return day_.day - 1; }
  // InvalidArgument where it is not due.
  absl::Status BePaid(const Decision& decision, EventSequence event);

  // Work settled for or by the account in the last 30 days, today included.
  Credits RecentNotional(AccountId account) const;
  // Those for whom it is above kOwnerNotionalMax.
  const absl::btree_set<AccountId>& above_notional() const { return above_notional_; }

  // What changed since the last call.
  std::vector<AccountDayRow> TakeChangedRows();
  bool TakeChangedDay() { return std::exchange(day_changed_, false); }

 private:
  struct Work {
    Tokens gross;
    Credits notional, sold;
  };
  struct Recent {
    Credits total;
    std::vector<std::pair<int32_t, Credits>> days;  // ascending
  };
  // What each worked today, and its bonus if there is any.
  std::vector<std::pair<AccountId, DueBonus>> Bonuses() const;
  void AddNotional(AccountId account, Credits notional);
  void Age();
  void AddRecent(AccountId account, int32_t day, Credits notional);

  DayRow day_;
  bool day_changed_ = false;
  absl::btree_map<AccountId, Work> today_;
  absl::btree_map<AccountId, DueBonus> due_;
  absl::flat_hash_map<AccountId, Recent> recent_;
  absl::btree_set<AccountId> above_notional_;
  absl::btree_set<AccountId> changed_;  // of today
  // Of closed days.
  absl::btree_map<std::pair<int32_t, AccountId>, AccountDayRow> changed_rows_;
};

}  // namespace warpbook::settlement

#include "settlement/store/day_rows.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "settlement/store/read.h"
#include "settlement/store/row_writer.h"
#include "settlement/tokens/owner_size.h"

namespace warpbook::settlement {
namespace {

using Rows = RowWriter::Rows;

constexpr std::array<std::string_view, 3> kCoverageNames = {"sound", "warning", "stressed"};

int64_t Stored(uint64_t value) { return static_cast<int64_t>(value); }

void WriteDeferred(StatementQueue& queue, const std::vector<DeferredRow>& rows) {
  RowWriter writer(queue, "deferred_payments",
                   {{"decision_number", "bigint"},
                    {"lease_id", "bigint"},
                    {"event", "bigint"},
                    {"paid_at_us", "bigint"},
                    {"consumed", "bigint"},
                    {"gross_utok", "bigint"},
                    {"provider_utok", "bigint"},
                    {"fee_utok", "bigint"},
                    {"retire_utok", "bigint"},
                    {"emitted_utok", "bigint"}},
                   Rows::kNew, rows.size());
  for (const DeferredRow& row : rows) {
    writer.Add(Stored(row.decision_number)).Add(Stored(row.lease.value()));
    writer.Add(Stored(row.event.value())).Add(row.paid_at.micros());
    writer.Add(row.paid.consumed.value()).Add(row.paid.gross.value());
    writer.Add(row.paid.provider.value()).Add(row.paid.fee.value());
    writer.Add(row.paid.retire.value()).Add(row.paid.emitted.value());
  }
  writer.Finish();
  // Of several payments of a lease the last one says what is left.
  std::map<LeaseId, Credits> left;
  for (const DeferredRow& row : rows) left[row.lease] = row.left;
  RowWriter leases(queue, "lease_records", {{"id", "bigint"}, {"owed_left", "bigint"}},
                   Rows::kRewritten, left.size());
  for (const auto& [lease, credits] : left) {
    leases.Add(Stored(lease.value())).Add(credits.value());
  }
  leases.Finish();
}

void WriteOwners(StatementQueue& queue, const std::vector<OwnerRow>& rows) {
  RowWriter writer(
      queue, "owners",
      {{"id", "bigint"}, {"account_id", "bigint"}, {"verified", "boolean"}, {"large", "boolean"}},
      Rows::kNewest, rows.size());
  for (const OwnerRow& row : rows) {
    writer.Add(Stored(row.id.value())).Add(Stored(row.account.value()));
    writer.Add(row.verified).Add(row.large);
  }
  writer.Finish();
}

void WriteOwnerMarks(StatementQueue& queue, const std::vector<OwnerMarkRow>& rows) {
  RowWriter writer(queue, "owner_marks",
                   {{"decision_number", "bigint"},
                    {"event", "bigint"},
                    {"owner_id", "bigint"},
                    {"large", "boolean"}},
                   Rows::kNew, rows.size());
  for (const OwnerMarkRow& row : rows) {
    writer.Add(Stored(row.decision_number)).Add(Stored(row.event.value()));
    writer.Add(Stored(row.owner.value())).Add(row.large);
  }
  writer.Finish();
}

void WriteAccountDays(StatementQueue& queue, const std::vector<AccountDayRow>& rows) {
  constexpr size_t kKeyColumns = 2;
  RowWriter writer(queue, "account_days",
                   {{"day", "integer"},
                    {"account_id", "bigint"},
                    {"gross_utok", "bigint"},
                    {"notional", "bigint"},
                    {"sold", "bigint"},
                    {"bonus_utok", "bigint"},
                    {"bonus_event", "bigint"},
                    {"bonus_decision", "bigint"}},
                   Rows::kNewest, rows.size(), kKeyColumns);
  for (const AccountDayRow& row : rows) {
    writer.Add(int64_t{row.day}).Add(Stored(row.account.value()));
    writer.Add(row.gross.value()).Add(row.notional.value()).Add(row.sold.value());
    row.bonus ? writer.Add(row.bonus->value()) : writer.AddNull();
    row.paid ? writer.Add(Stored(row.paid->value())) : writer.AddNull();
    row.paid ? writer.Add(Stored(row.paid_decision)) : writer.AddNull();
  }
  writer.Finish();
}

void WriteEpochs(StatementQueue& queue, const std::vector<EpochRow>& rows) {
  RowWriter writer(queue, "epochs",
                   {{"day", "integer"},
                    {"budget_utok", "bigint"},
                    {"emitted_utok", "bigint"},
                    {"bonus_utok", "bigint"},
                    {"gross_utok", "bigint"},
                    {"retired_utok", "bigint"},
                    {"decision_number", "bigint"},
                    {"closed_event", "bigint"},
                    {"closed_at_us", "bigint"}},
                   Rows::kNew, rows.size());
  for (const EpochRow& row : rows) {
    const EpochTotals& totals = row.totals;
    writer.Add(int64_t{totals.day}).Add(totals.budget.value()).Add(totals.emitted.value());
    writer.Add(totals.bonus.value()).Add(totals.gross.value()).Add(totals.retire.value());
    writer.Add(Stored(row.decision_number));
    writer.Add(Stored(row.closed.value())).Add(row.closed_at.micros());
  }
  writer.Finish();
}

void WriteCurrentDay(StatementQueue& queue, const DayRow& row) {
  RowWriter writer(queue, "current_day",
                   {{"only_row", "boolean"},
                    {"day", "integer"},
                    {"budget_utok", "bigint"},
                    {"emitted_utok", "bigint"},
                    {"coverage", "text"}},
                   Rows::kNewest, 1);
  writer.Add(true).Add(int64_t{row.day}).Add(row.emission.budget.value());
  writer.Add(row.emission.spent.value());
  writer.Add(kCoverageNames[static_cast<size_t>(row.coverage)]);
  writer.Finish();
}

absl::Status LoadDay(pqxx::transaction_base& transaction, DayRow& day) {
  const pqxx::result rows =
      transaction.exec("SELECT day, budget_utok, emitted_utok, coverage FROM current_day");
  if (rows.empty()) return absl::OkStatus();
  const pqxx::row row = rows[0];
  const auto* const name = std::ranges::find(kCoverageNames, Text(row[3]));
  if (name == kCoverageNames.end()) return Malformed("current_day", row[0]);
  day.begun = true;
  day.day = Int32(row[0]);
  day.emission = {Tokens(Int(row[1])), Tokens(Int(row[2]))};
  day.coverage = static_cast<CoverageState>(name - kCoverageNames.begin());
  return absl::OkStatus();
}

void LoadAccountDays(pqxx::transaction_base& transaction, int32_t today,
                     std::vector<AccountDayRow>& days) {
  for (const pqxx::row& row : transaction.exec_params(
           "SELECT day, account_id, gross_utok, notional, sold, bonus_utok, bonus_event"
           " FROM account_days WHERE day > $1 OR (bonus_utok > 0 AND bonus_event IS NULL)"
           " ORDER BY day, account_id",
           int64_t{today} - kOwnerNotionalDays)) {
    AccountDayRow day{Int32(row[0]), AccountId(Unsigned(row[1])), Tokens(Int(row[2])),
                      Credits(Int(row[3])), Credits(Int(row[4]))};
    if (!row[5].is_null()) day.bonus = Tokens(Int(row[5]));
    if (!row[6].is_null()) day.paid = EventSequence(Unsigned(row[6]));
    days.push_back(day);
  }
}

}  // namespace

void WriteDayRows(StatementQueue& queue, const Changes& changes) {
  WriteDeferred(queue, changes.deferred);
  WriteOwners(queue, changes.owners);
  WriteOwnerMarks(queue, changes.owner_marks);
  WriteAccountDays(queue, changes.account_days);
  WriteEpochs(queue, changes.epochs);
  if (changes.day) WriteCurrentDay(queue, *changes.day);
}

absl::Status LoadDayRows(pqxx::transaction_base& transaction, StoredState& state) {
  if (absl::Status status = LoadDay(transaction, state.day); !status.ok()) return status;
  LoadAccountDays(transaction, state.day.day, state.account_days);
  for (const pqxx::row& row :
       transaction.exec("SELECT id, account_id, verified, large FROM owners")) {
    state.owners.push_back({OwnerId(Unsigned(row[0])), AccountId(Unsigned(row[1])),
                            row[2].as<bool>(), row[3].as<bool>()});
  }
  for (const pqxx::row& row :
       transaction.exec("SELECT settled_event, id, provider, owed_left FROM lease_records"
                        " WHERE owed_left > 0 ORDER BY settled_event")) {
    state.owed.push_back({EventSequence(Unsigned(row[0])), LeaseId(Unsigned(row[1])),
                          AccountId(Unsigned(row[2])), Credits(Int(row[3]))});
  }
  return absl::OkStatus();
}

Settlement StoredFigures(const Decision& decision) {
  if (decision.kind != DecisionKind::kCloseEpoch && decision.kind != DecisionKind::kPayBonus) {
    return decision.settlement;
  }
  Settlement stored;
  stored.gross = decision.epoch.gross;
  stored.retire = decision.epoch.retire;
  stored.emitted = decision.epoch.emitted;
  return stored;
}

void MoveEpochFigures(Decision& decision) {
  if (decision.kind != DecisionKind::kCloseEpoch && decision.kind != DecisionKind::kPayBonus) {
    return;
  }
  decision.epoch.gross = decision.settlement.gross;
  decision.epoch.retire = decision.settlement.retire;
  decision.epoch.emitted = decision.settlement.emitted;
  decision.settlement = Settlement();
}

}  // namespace warpbook::settlement

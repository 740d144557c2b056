#include "settlement/store/read.h"

#include <bit>

#include "absl/strings/str_cat.h"

namespace warpbook::settlement {

absl::Status Malformed(absl::string_view table, const pqxx::field& key) {
  return absl::DataLossError(
      absl::StrCat("the database's table ", table, " holds nonsense in row ", key.c_str()));
}

absl::Status ReadCursor(pqxx::transaction_base& transaction, Cursor& cursor) {
  const pqxx::result rows = transaction.exec(
      "SELECT sequence, event_sequence, market_time_us, decision_number, command_hash"
      " FROM journal_cursor");
  if (rows.empty()) return absl::NotFoundError("the database holds no ledger yet");
  const pqxx::row row = rows[0];
  cursor.sequence = Sequence(Unsigned(row[0]));
  cursor.event = EventSequence(Unsigned(row[1]));
  cursor.market_time = Timestamp(Int(row[2]));
  cursor.decision_number = Unsigned(row[3]);
  cursor.command_hash = std::bit_cast<uint64_t>(Int(row[4]));
  return absl::OkStatus();
}

SupplyCounters ReadCounters(pqxx::transaction_base& transaction) {
  const pqxx::row row = transaction.exec1(
      "SELECT genesis_utok, emitted_utok, deposited_utok, burned_utok, reminted_provider_utok,"
      " reminted_fee_utok, retired_utok, withdrawn_utok FROM supply_counters");
  return {Tokens(Int(row[0])), Tokens(Int(row[1])), Tokens(Int(row[2])), Tokens(Int(row[3])),
          Tokens(Int(row[4])), Tokens(Int(row[5])), Tokens(Int(row[6])), Tokens(Int(row[7]))};
}

// Where a sum of tampered rows does not fit 63 bits, the cast fails and so does the reading.
HoldingTotals ReadTotals(pqxx::transaction_base& transaction) {
  HoldingTotals totals{};
  for (const pqxx::row& row :
       transaction.exec("SELECT account % 16, sum(balance)::bigint FROM account_balances"
                        " GROUP BY 1")) {
    totals[row[0].as<size_t>()] = Int(row[1]);
  }
  return totals;
}

absl::Status ReadPrices(pqxx::transaction_base& transaction, PriceState& prices) {
  const pqxx::result feeds =
      transaction.exec("SELECT feed, price, time_us FROM price_feeds ORDER BY feed");
  for (const pqxx::row& row : feeds) {
    const auto feed = static_cast<uint64_t>(Int(row[0]));
    if (feed >= prices.feeds.size()) return Malformed("price_feeds", row[0]);
    prices.feeds[feed] = {TokenPrice(Int(row[1])), Timestamp(Int(row[2]))};
  }
  const pqxx::row row = transaction.exec1("SELECT mean, variance FROM price_state");
  prices.has_mean = !row[0].is_null();
  if (prices.has_mean) prices.mean = TokenPrice(Int(row[0]));
  prices.variance = Int(row[1]);
  return absl::OkStatus();
}

absl::Status ReadBalances(pqxx::transaction_base& transaction,
                          std::vector<std::pair<LedgerAccount, int64_t>>& balances) {
  for (const pqxx::row& row :
       transaction.exec("SELECT account, balance FROM account_balances ORDER BY account")) {
    const auto account = LedgerAccount::FromNumber(Int(row[0]));
    if (!account) return Malformed("account_balances", row[0]);
    balances.emplace_back(*account, Int(row[1]));
  }
  return absl::OkStatus();
}

}  // namespace warpbook::settlement

#include "tests/bench/copy_baseline.h"

#include <libpq-fe.h>

#include <chrono>
#include <cstdio>
#include <memory>

#include "schema/base/check.h"

namespace warpbook::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

double SecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// A connection whose every fault ends the benchmark.
class Connection {
 public:
  explicit Connection(const std::string& conninfo)
      : connection_(PQconnectdb(conninfo.c_str()), PQfinish) {
    Check(PQstatus(connection_.get()) == CONNECTION_OK);
  }

  void Run(const std::string& sql, ExecStatusType expected = PGRES_COMMAND_OK) {
    Expect(PQexec(connection_.get(), sql.c_str()), expected);
  }

  int64_t Number(const std::string& sql) {
    PGresult* const result = PQexec(connection_.get(), sql.c_str());
    Check(PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1);
    const int64_t number = std::stoll(PQgetvalue(result, 0, 0));
    PQclear(result);
    return number;
  }

  // The rows that a COPY TO STDOUT gives, one by one.
  template <typename OnRow>
  void CopyOut(const std::string& sql, OnRow on_row) {
    Run(sql, PGRES_COPY_OUT);
    char* row = nullptr;
    int length = 0;
    while ((length = PQgetCopyData(connection_.get(), &row, 0)) > 0) {
      on_row(std::string_view(row, static_cast<size_t>(length)));
      PQfreemem(row);
    }
    Check(length == -1);
    Finish();
  }

  void CopyIn(const std::string& table, std::string_view rows) {
    constexpr size_t kPiece = 64 << 10;
    Run("COPY " + table + " FROM STDIN", PGRES_COPY_IN);
    for (size_t at = 0; at < rows.size(); at += kPiece) {
      const std::string_view piece = rows.substr(at, kPiece);
      Check(PQputCopyData(connection_.get(), piece.data(), static_cast<int>(piece.size())) == 1);
    }
    Check(PQputCopyEnd(connection_.get(), nullptr) == 1);
    Finish();
  }

 private:
  void Finish() {
    while (PGresult* const result = PQgetResult(connection_.get())) {
      Expect(result, PGRES_COMMAND_OK);
    }
  }
  void Expect(PGresult* result, ExecStatusType expected) {
    const bool as_expected = PQresultStatus(result) == expected;
    PQclear(result);
    Check(as_expected);
  }
  void Check(bool fine) {
    if (!fine) std::fprintf(stderr, "%s", PQerrorMessage(connection_.get()));
    WARPBOOK_CHECK(fine);
  }

  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

}  // namespace

CopyBaseline::CopyBaseline(const std::string& conninfo) {
  Connection connection(conninfo);
  last_event_ = connection.Number("SELECT max(event_sequence) FROM transfers");
  // In an order in which each finds what it refers to, and each in the order of its rows' making.
  const std::pair<const char*, const char*> sources[] = {
      {"accounts", "id"},
      {"instruments", "id"},
      {"requests", "sequence"},
      {"transfers", "event_sequence, leg"},
      {"account_balances", "account"},
      {"lease_records", "id"},
      {"lease_legs", "lease_id, leg"},
      {"price_feeds", "feed"},
      {"price_state", "only_row"},
      {"supply_counters", "only_row"},
      {"engine_checkpoint", "only_row"},
      {"journal_cursor", "only_row"},
  };
  for (const auto& [name, order] : sources) {
    Table table{name, {}, {}};
    connection.CopyOut(
        std::string("COPY (SELECT * FROM ") + name + " ORDER BY " + order + ") TO STDOUT",
        [&table](std::string_view row) {
          table.text += row;
          table.ends.push_back(table.text.size());
        });
    tables_.push_back(std::move(table));
  }
}

double CopyBaseline::Time(const std::string& conninfo, uint64_t transactions) const {
  Connection connection(conninfo);
  for (int64_t event = 0; event <= last_event_;) {
    event = connection.Number("SELECT open_transfers_partition(" + std::to_string(event) + ")");
  }
  const SteadyClock::time_point start = SteadyClock::now();
  for (uint64_t i = 0; i < transactions; ++i) {
    connection.Run("BEGIN");
    for (const Table& table : tables_) {
      const auto row_at = [&table, transactions](uint64_t part) {
        const uint64_t row = table.ends.size() * part / transactions;
        return row == 0 ? 0 : table.ends[row - 1];
      };
      const size_t begin = row_at(i);
      const size_t end = row_at(i + 1);
      if (begin == end) continue;
      connection.CopyIn(table.name, std::string_view(table.text).substr(begin, end - begin));
    }
    connection.Run("COMMIT");
  }
  return SecondsSince(start);
}

struct OneRowCommits::Impl {
  Connection connection;
};

OneRowCommits::OneRowCommits(const std::string& conninfo) : impl_(new Impl{Connection(conninfo)}) {
  impl_->connection.Run("CREATE TABLE one_row (value bigint)");
  impl_->connection.Run("INSERT INTO one_row VALUES (0)");
}

OneRowCommits::~OneRowCommits() { impl_->connection.Run("DROP TABLE one_row"); }

std::chrono::nanoseconds OneRowCommits::Time() {
  const SteadyClock::time_point start = SteadyClock::now();
  impl_->connection.Run("BEGIN");
  impl_->connection.Run("UPDATE one_row SET value = value + 1");
  impl_->connection.Run("COMMIT");
  return SteadyClock::now() - start;
}

}  // namespace warpbook::bench

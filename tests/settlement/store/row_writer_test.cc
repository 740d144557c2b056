// The ways in which rows go to PostgreSQL: by parameters, by COPY and by arrays. Whatever the way,
// what comes back is what went in.
#include "settlement/store/row_writer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "tests/settlement/support/test_database.h"

namespace warpbook::settlement {
namespace {

using test::TestDatabase;
using Rows = RowWriter::Rows;

const std::vector<RowWriter::Column> kColumns = {
    {"id", "bigint"}, {"note", "text"}, {"flag", "boolean"}};

struct Row {
  int64_t id = 0;
  std::optional<std::string> note;
  bool flag = false;
  friend bool operator==(const Row&, const Row&) = default;
};

// Everything that one of the ways has a meaning for.
const std::vector<std::optional<std::string>> kNotes = {
    "plain", "",           "NULL",  std::nullopt, "\\N",    "\\.",     "a\tb\nc\rd",
    "\\t",   "\"quoted\"", "{1,2}", "'",          "''; --", " edges ", "\xc3\xa9\xe2\x82\xac",
    "$1",    "\\\\"};

std::vector<Row> MakeRows(size_t count) {
  std::vector<Row> rows;
  for (size_t i = 0; i < count; ++i) {
    const auto number = static_cast<int64_t>(i);
    rows.push_back(
        {i % 2 == 0 ? number : INT64_MIN + number, kNotes[i % kNotes.size()], i % 3 == 0});
  }
  return rows;
}

class Table {
 public:
  Table() : database_(*Database::Connect(test_.superuser())) {
    REQUIRE(TestDatabase::Run(test_.superuser(),
                              "CREATE TABLE notes (id bigint PRIMARY KEY, note text, flag boolean)")
                .ok());
  }

  template <typename Body>
  absl::Status Transact(Body body) {
    return database_.Transact(Database::Mode::kReadWrite, "testing",
                              [&body](pqxx::transaction_base& transaction) {
                                body(transaction);
                                return absl::OkStatus();
                              });
  }
  absl::Status Write(const std::vector<Row>& rows, Rows kind, size_t rows_max) {
    return Transact([&](pqxx::transaction_base& transaction) {
      StatementQueue queue(transaction);
      RowWriter writer(queue, "notes", kColumns, kind, rows_max);
      for (const Row& row : rows) writer.Add(row.id).Add(row.note).Add(row.flag);
      writer.Finish();
      queue.Flush();
    });
  }
  std::vector<Row> Read() {
    std::vector<Row> rows;
    REQUIRE(Transact([&rows](pqxx::transaction_base& transaction) {
              for (const pqxx::row& row : transaction.exec("SELECT * FROM notes ORDER BY id")) {
                rows.push_back({row[0].as<int64_t>(), std::nullopt, row[2].as<bool>()});
                if (!row[1].is_null()) rows.back().note = row[1].c_str();
              }
            }).ok());
    return rows;
  }

 private:
  TestDatabase test_{TestDatabase::Schema::kNone};
  Database database_;
};

std::vector<Row> Sorted(std::vector<Row> rows) {
  std::ranges::sort(rows, {}, &Row::id);
  return rows;
}

// 1 and 8 rows go as parameters; 9, and as many as fill several pieces of 64 KiB, go the other
// ways.
constexpr size_t kCounts[] = {1, 8, 9, 20'000};

TEST_CASE("New rows arrive as they are, few or many") {
  for (const size_t count : kCounts) {
    CAPTURE(count);
    Table table;
    const std::vector<Row> rows = MakeRows(count);
    CHECK(table.Write(rows, Rows::kNew, count).ok());
    CHECK(table.Read() == Sorted(rows));
    // A key that is there already is refused, and nothing of the transaction stays.
    const std::vector<Row> more = {{1'000'000, "new", true}, rows.back()};
    const absl::Status refused = table.Write(more, Rows::kNew, count);
    CHECK(absl::IsFailedPrecondition(refused));
    CHECK(std::string(refused.message()).find("duplicate key") != std::string::npos);
    CHECK(table.Read() == Sorted(rows));
  }
}

TEST_CASE("The newest rows are added, or replace those with their key") {
  for (const size_t count : kCounts) {
    CAPTURE(count);
    Table table;
    std::vector<Row> rows = MakeRows(count);
    const std::vector<Row> old(rows.begin(), rows.begin() + static_cast<long>(count / 2));
    for (const Row& row : old) {
      CHECK(table.Write({{row.id, "old", !row.flag}}, Rows::kNew, 1).ok());
      if (&row - old.data() == 20) break;
    }
    CHECK(table.Write(rows, Rows::kNewest, count).ok());
    CHECK(table.Read() == Sorted(rows));
  }
}

TEST_CASE("Rewritten rows must all be there") {
  for (const size_t count : kCounts) {
    CAPTURE(count);
    Table table;
    std::vector<Row> rows = MakeRows(count);
    CHECK(table.Write(rows, Rows::kNew, count).ok());
    for (size_t i = 0; i < count; ++i) {
      rows[i].note = kNotes[(i + 1) % kNotes.size()];
      rows[i].flag = !rows[i].flag;
    }
    CHECK(table.Write(rows, Rows::kRewritten, count).ok());
    CHECK(table.Read() == Sorted(rows));

    std::vector<Row> strange = rows;
    strange.back().id = 999'999;
    strange.front().note = "never";
    const absl::Status refused = table.Write(strange, Rows::kRewritten, count);
    CHECK(absl::IsFailedPrecondition(refused));
    CHECK(std::string(refused.message()).find("the database is not as it was left") !=
          std::string::npos);
    CHECK(table.Read() == Sorted(rows));
  }
}

TEST_CASE("Statements of a queue are judged in their order") {
  Table table;
  const auto expecting = [](size_t rows, absl::StatusCode code) {
    return Statement{
        "none", "UPDATE notes SET flag = true WHERE id = $1", {"5"}, rows, [code](size_t) {
          return absl::Status(code, "another number");
        }};
  };
  const auto run = [&](std::vector<Statement> statements) {
    return table.Transact([&](pqxx::transaction_base& transaction) {
      StatementQueue queue(transaction);
      for (Statement& statement : statements) queue.Add(std::move(statement));
      queue.Flush();
    });
  };
  CHECK(run({expecting(0, absl::StatusCode::kAborted)}).ok());
  CHECK(absl::IsAborted(
      run({expecting(0, absl::StatusCode::kInternal), expecting(1, absl::StatusCode::kAborted),
           expecting(1, absl::StatusCode::kInternal)})));
  // What PostgreSQL refuses later does not hide it.
  const Statement wrong{"wrong", "INSERT INTO notes VALUES (1), (1)", {}};
  CHECK(absl::IsAborted(run({expecting(1, absl::StatusCode::kAborted), wrong})));
  CHECK(absl::IsFailedPrecondition(run({expecting(0, absl::StatusCode::kAborted), wrong})));
  // And the connection serves on.
  CHECK(run({expecting(0, absl::StatusCode::kAborted)}).ok());
}

}  // namespace
}  // namespace warpbook::settlement

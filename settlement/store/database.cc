#include "settlement/store/database.h"

#include <exception>
#include <pqxx/pqxx>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "settlement/store/connect_fault.h"

namespace warpbook::settlement {
namespace {

// PostgreSQL's messages in one line.
std::string OneLine(absl::string_view message) {
  return absl::StrReplaceAll(absl::StripSuffix(message, "\n"), {{"\n", "; "}});
}

// Classes of SQLSTATE that say nothing against what was asked: try again on a new connection.
// (25006: a standby that is not in charge yet; 55P03: somebody holds a lock; 58: the system under
// it.)
bool IsPassing(absl::string_view sqlstate) {
  for (const absl::string_view prefix : {"08", "25006", "40", "53", "55P03", "57P", "58"}) {
    if (absl::StartsWith(sqlstate, prefix)) return true;
  }
  return false;
}

constexpr absl::string_view kTookTooLong = "57014";

// Of the exception that is being handled.
absl::Status StatusOfException(absl::string_view doing) {
  try {
    throw;
  } catch (const pqxx::broken_connection& error) {
    return absl::UnavailableError(absl::StrCat(doing, ": ", OneLine(error.what())));
  } catch (const pqxx::in_doubt_error& error) {
    return absl::UnavailableError(absl::StrCat(doing, ": ", OneLine(error.what())));
  } catch (const pqxx::sql_error& error) {
    const std::string message = absl::StrCat(doing, ": ", OneLine(error.what()));
    if (error.sqlstate() == kTookTooLong) return absl::DeadlineExceededError(message);
    return IsPassing(error.sqlstate()) ? absl::UnavailableError(message)
                                       : absl::FailedPreconditionError(message);
  } catch (const std::exception& error) {
    return absl::FailedPreconditionError(absl::StrCat(doing, ": ", OneLine(error.what())));
  }
}

}  // namespace

struct Database::Handle {
  explicit Handle(const std::string& conninfo) : connection(conninfo) {}
  pqxx::connection connection;
};

absl::StatusOr<Database> Database::Connect(const std::string& conninfo) {
  try {
    auto handle = std::make_unique<Handle>(conninfo);
    // Reconnecting behind our back would lose the session's locks. Deprecated, because libpqxx 7
    // never does so; 6.4 does.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    handle->connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
    pqxx::nontransaction settings(handle->connection);
    settings.exec0("SET synchronous_commit = on");
    settings.exec0("SET TIME ZONE 'UTC'");
    settings.exec0("SET client_min_messages = warning");
    return Database(std::move(handle));
  } catch (const pqxx::broken_connection&) {
    const absl::Status why = DiagnoseConnection(conninfo);
    return absl::Status(why.code(), absl::StrCat("connecting to the database: ", why.message()));
  } catch (...) {
    return StatusOfException("connecting to the database");
  }
}

Database::Database(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

absl::Status Database::Transact(Mode mode, absl::string_view doing,
                                const std::function<absl::Status(pqxx::transaction_base&)>& body) {
  const auto run = [&body](pqxx::transaction_base& transaction) {
    if (absl::Status status = body(transaction); !status.ok()) throw BodyFailed{std::move(status)};
    transaction.commit();
  };
  try {
    if (mode == Mode::kSnapshot) {
      pqxx::transaction<pqxx::repeatable_read, pqxx::read_only> transaction(handle_->connection);
      run(transaction);
    } else {
      pqxx::work transaction(handle_->connection);
      run(transaction);
    }
    return absl::OkStatus();
  } catch (const BodyFailed& failed) {
    return failed.status;
  } catch (...) {
    const absl::Status status = StatusOfException(doing);
    // A lost connection shows itself in many ways, not all of them broken_connection.
    if (handle_->connection.is_open()) return status;
    return absl::UnavailableError(status.message());
  }
}

absl::Status Database::LimitStatements(std::chrono::milliseconds longest) {
  return Transact(Mode::kSnapshot, "limiting statements",
                  [longest](pqxx::transaction_base& transaction) {
                    transaction.exec0("SET statement_timeout = " + std::to_string(longest.count()));
                    return absl::OkStatus();
                  });
}

pqxx::connection_base& Database::connection() { return handle_->connection; }

}  // namespace warpbook::settlement

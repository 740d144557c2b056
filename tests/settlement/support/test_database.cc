#include "tests/settlement/support/test_database.h"

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <pqxx/pqxx>

#include "schema/base/check.h"
#include "settlement/store/migrations.h"

namespace warpbook::test {
namespace {

// Of the two roles, on this cluster.
constexpr const char* kPassword = "test";

std::string FromEnvironment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) {
    std::cerr << name << " is not set: run this under tests/settlement/with_postgres\n";
    std::exit(2);
  }
  return value;
}

std::string SuperuserConninfo(const std::string& database) {
  return "host=" + FromEnvironment("PGHOST") + " port=" + FromEnvironment("PGPORT") +
         " user=" + FromEnvironment("PGUSER") + " password=" + FromEnvironment("PGPASSWORD") +
         " dbname=" + database;
}

// Statements that cannot be in a transaction, too.
void Execute(const std::string& conninfo, const std::string& sql) {
  pqxx::connection connection(conninfo);
  pqxx::nontransaction transaction(connection);
  transaction.exec(sql);
}

std::string NewName() {
  static int count = 0;
  return "test_" + std::to_string(getpid()) + "_" + std::to_string(++count);
}

}  // namespace

TestDatabase::TestDatabase(Schema schema) : name_(NewName()) {
  Execute(SuperuserConninfo("postgres"), "CREATE DATABASE " + name_);
  if (schema == Schema::kNone) return;
  auto database = settlement::Database::Connect(superuser());
  WARPBOOK_CHECK(database.ok());
  WARPBOOK_CHECK(settlement::Migrate(*database).ok());
  for (const std::string role : {"warpbook_owner", "warpbook_settlement"}) {
    Execute(superuser(), "ALTER ROLE " + role + " PASSWORD '" + kPassword + "'");
  }
}

TestDatabase::TestDatabase(const TestDatabase& original) : name_(NewName()) {
  Execute(SuperuserConninfo("postgres"),
          "CREATE DATABASE " + name_ + " TEMPLATE " + original.name_);
}

void TestDatabase::Drop() { Execute(SuperuserConninfo("postgres"), "DROP DATABASE " + name_); }

std::string TestDatabase::superuser() const { return SuperuserConninfo(name_); }
std::string TestDatabase::owner() const { return Conninfo("warpbook_owner", kPassword); }
std::string TestDatabase::service() const { return Conninfo("warpbook_settlement", kPassword); }

std::string TestDatabase::Conninfo(const std::string& user, const std::string& password) const {
  return "host=" + FromEnvironment("PGHOST") + " port=" + FromEnvironment("PGPORT") +
         " user=" + user + " password=" + password + " dbname=" + name_;
}

absl::Status TestDatabase::Run(const std::string& conninfo, const std::string& sql) {
  auto database = settlement::Database::Connect(conninfo);
  if (!database.ok()) return database.status();
  return database->Transact(settlement::Database::Mode::kReadWrite, "test",
                            [&sql](pqxx::transaction_base& transaction) {
                              transaction.exec(sql);
                              return absl::OkStatus();
                            });
}

std::string TestDatabase::Value(const std::string& sql) const {
  pqxx::connection connection(superuser());
  pqxx::nontransaction transaction(connection);
  const pqxx::result rows = transaction.exec(sql);
  return rows.empty() ? "" : rows[0][0].c_str();
}

settlement::Store TestDatabase::OpenStore() const {
  auto store = settlement::Store::Open({.conninfo = service()});
  if (!store.ok()) std::cerr << store.status() << "\n";
  WARPBOOK_CHECK(store.ok());
  return *std::move(store);
}

}  // namespace warpbook::test

#include "tests/settlement/support/postgres_server.h"

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <pqxx/pqxx>
#include <thread>

#include "schema/base/check.h"
#include "settlement/store/database.h"

namespace warpbook::test {
namespace {

constexpr std::chrono::milliseconds kPause(20);

std::string DataDirectory(const std::string& conninfo) {
  pqxx::connection connection(conninfo);
  pqxx::nontransaction transaction(connection);
  return transaction.exec1("SHOW data_directory")[0].c_str();
}

bool IsAlive(pid_t pid) { return kill(pid, 0) == 0; }

}  // namespace

PostgresServer::PostgresServer(const std::string& superuser_conninfo)
    : superuser_(superuser_conninfo), data_directory_(DataDirectory(superuser_conninfo)) {}

void PostgresServer::Kill() const {
  std::ifstream file(data_directory_ + "/postmaster.pid");
  pid_t postmaster = 0;
  file >> postmaster;
  WARPBOOK_CHECK(postmaster > 1);
  WARPBOOK_CHECK(kill(postmaster, SIGKILL) == 0);
  while (IsAlive(postmaster)) std::this_thread::sleep_for(kPause);
}

void PostgresServer::Start() const {
  const char* const version = std::getenv("PGVERSION");
  WARPBOOK_CHECK(version != nullptr);
  const std::string command =
      std::string("pg_ctlcluster ") + version + " regress start >/dev/null 2>&1";
  // Refused while the processes of the one before still end.
  while (std::system(command.c_str()) != 0) std::this_thread::sleep_for(kPause);
  while (!settlement::Database::Connect(superuser_).ok()) std::this_thread::sleep_for(kPause);
}

}  // namespace warpbook::test

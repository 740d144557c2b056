// The PostgreSQL that tests/settlement/with_postgres provides, as a process that can be killed.
#pragma once

#include <string>

namespace warpbook::test {

// Kills its postmaster with kill -9: all connections end, and what was not committed is gone.
class PostgresServer {
 public:
  // Of a server that runs.
  explicit PostgresServer(const std::string& superuser_conninfo);

  void Kill() const;
  // Returns when it answers again.
  void Start() const;

 private:
  const std::string superuser_;
  const std::string data_directory_;
};

}  // namespace warpbook::test

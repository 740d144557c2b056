// What a PostgreSQL server is and how it is set, for those who look after it.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "settlement/store/database.h"

namespace warpbook::settlement {

struct ServerFacts {
  int version_num = 0;  // 150018: 15.18
  std::string version;
  std::string fsync, full_page_writes, data_checksums,
      archive_mode;  // "on", "off"; archive_mode also "always"
  int connections = 0, connections_max = 0;
  std::string role;                   // that is connected
  bool can_change_transfers = false;  // whether it may update or delete what was posted
};
absl::StatusOr<ServerFacts> ReadServerFacts(Database& database);

}  // namespace warpbook::settlement

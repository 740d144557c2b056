#include "settlement/store/server_facts.h"

#include <pqxx/pqxx>

#include "settlement/store/read.h"

namespace warpbook::settlement {

absl::StatusOr<ServerFacts> ReadServerFacts(Database& database) {
  ServerFacts facts;
  const absl::Status status = database.Transact(
      Database::Mode::kSnapshot, "reading the server's settings",
      [&facts](pqxx::transaction_base& transaction) {
        const pqxx::row row = transaction.exec1(
            "SELECT current_setting('server_version_num')::int, current_setting('server_version'),"
            " current_setting('fsync'), current_setting('full_page_writes'),"
            " current_setting('data_checksums'), current_setting('archive_mode'),"
            " (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend'),"
            " current_setting('max_connections')::int, current_user");
        facts.version_num = Int32(row[0]);
        facts.version = row[1].c_str();
        facts.fsync = row[2].c_str();
        facts.full_page_writes = row[3].c_str();
        facts.data_checksums = row[4].c_str();
        facts.archive_mode = row[5].c_str();
        facts.connections = Int32(row[6]);
        facts.connections_max = Int32(row[7]);
        facts.role = row[8].c_str();
        // Where there is no such table yet, nobody may.
        const pqxx::row privileges = transaction.exec1(
            "SELECT coalesce(bool_or(has_table_privilege(oid, 'UPDATE, DELETE')), false)"
            " FROM pg_class WHERE relname = 'transfers' AND relkind IN ('r', 'p')");
        facts.can_change_transfers = privileges[0].as<bool>();
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  return facts;
}

}  // namespace warpbook::settlement

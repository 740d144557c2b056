#include "settlement/store/migrations.h"

#include <pqxx/pqxx>
#include <span>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "schema/base/crypto.h"

namespace warpbook::settlement {
namespace {

// Held by whoever migrates, until its transaction ends.
constexpr int64_t kMigrationLock = 0x77617270'00000001;

std::string HashOf(std::string_view text) {
  const Sha256Digest digest = Sha256(std::as_bytes(std::span(text)));
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

bool TableExists(pqxx::transaction_base& transaction) {
  return !transaction.exec1("SELECT to_regclass('schema_version')")[0].is_null();
}

bool RoleExists(pqxx::transaction_base& transaction, const std::string& role) {
  return !transaction.exec_params("SELECT 1 FROM pg_roles WHERE rolname = $1", role).empty();
}

// The version that the database has; 0: none. FailedPrecondition where what was applied is not what
// this program knows under that number.
absl::StatusOr<int> AppliedVersion(pqxx::transaction_base& transaction) {
  int version = 0;
  for (const auto& row :
       transaction.exec("SELECT version, name, sha256 FROM schema_version ORDER BY version")) {
    version = row[0].as<int>();
    const auto& known = AllMigrations();
    if (version < 1 || version > static_cast<int>(known.size())) {
      return absl::FailedPreconditionError(
          absl::StrCat("the database has schema version ", version, " (", row[1].c_str(),
                       "), this program knows versions up to ", known.size(),
                       ": use a newer warpbook-settlement"));
    }
    if (HashOf(known[static_cast<size_t>(version) - 1].sql) != row[2].c_str()) {
      return absl::FailedPreconditionError(
          absl::StrCat("migration ", version, " (", row[1].c_str(),
                       ") is not the one that was applied to the database"));
    }
  }
  return version;
}

// Roles, and the owner's right to make tables. Nothing to do for a superuser's successor.
void PrepareRoles(pqxx::transaction_base& transaction) {
  for (const std::string role : {"warpbook_owner", "warpbook_settlement"}) {
    if (!RoleExists(transaction, role)) transaction.exec0("CREATE ROLE " + role + " LOGIN");
  }
  if (!transaction.exec1("SELECT has_schema_privilege('warpbook_owner', 'public', 'CREATE')")[0]
           .as<bool>()) {
    transaction.exec0("GRANT USAGE, CREATE ON SCHEMA public TO warpbook_owner");
  }
  transaction.exec0("SET LOCAL ROLE warpbook_owner");
}

absl::StatusOr<MigrateSummary> ApplyAll(pqxx::transaction_base& transaction, int version_max) {
  transaction.exec1("SELECT pg_advisory_xact_lock(" + std::to_string(kMigrationLock) + ")");
  PrepareRoles(transaction);
  if (!TableExists(transaction)) {
    transaction.exec0(
        "CREATE TABLE schema_version (version integer PRIMARY KEY, name text NOT NULL,"
        " sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())");
    transaction.exec0("GRANT SELECT ON schema_version TO warpbook_settlement");
  }
  const auto applied = AppliedVersion(transaction);
  if (!applied.ok()) return applied.status();
  MigrateSummary summary{*applied, *applied};
  for (const Migration& migration : AllMigrations()) {
    if (migration.version <= *applied || migration.version > version_max) continue;
    transaction.exec(std::string(migration.sql));
    transaction.exec_params(
        "INSERT INTO schema_version (version, name, sha256) VALUES ($1, $2, $3)", migration.version,
        std::string(migration.name), HashOf(migration.sql));
    summary.version_after = migration.version;
  }
  return summary;
}

}  // namespace

absl::StatusOr<MigrateSummary> Migrate(Database& database, int version_max) {
  MigrateSummary summary;
  const absl::Status status =
      database.Transact(Database::Mode::kReadWrite, "migrating the database",
                        [&summary, version_max](pqxx::transaction_base& transaction) {
                          auto applied = ApplyAll(transaction, version_max);
                          if (applied.ok()) summary = *applied;
                          return applied.status();
                        });
  if (!status.ok()) return status;
  return summary;
}

absl::Status CheckSchema(Database& database) {
  return database.Transact(
      Database::Mode::kSnapshot, "reading the schema's version",
      [](pqxx::transaction_base& transaction) {
        const auto known = static_cast<int>(AllMigrations().size());
        if (!TableExists(transaction)) {
          return absl::FailedPreconditionError(
              "the database has no schema yet: run `warpbook-settlement migrate` first");
        }
        const auto applied = AppliedVersion(transaction);
        if (!applied.ok()) return applied.status();
        if (*applied == known) return absl::OkStatus();
        return absl::FailedPreconditionError(
            absl::StrCat("the database has schema version ", *applied, ", this program needs ",
                         known, ": run `warpbook-settlement migrate` first"));
      });
}

}  // namespace warpbook::settlement

#include "gateway/cli/doctor/database_checks.h"

#include "absl/strings/str_cat.h"
#include "settlement/store/database.h"
#include "settlement/store/migrations.h"

namespace warpbook::gateway {
namespace {

constexpr int kVersionMin = 150'000;  // as server_version_num counts: PostgreSQL 15
constexpr int kConnectionsFreeMin = 5;

void CheckDurability(const settlement::ServerFacts& facts, Findings& findings) {
  struct Setting {
    const std::string& value;
    const char* name;
  };
  bool good = true;
  for (const Setting& setting :
       {Setting{facts.fsync, "fsync"}, Setting{facts.full_page_writes, "full_page_writes"}}) {
    if (setting.value == "on") continue;
    good = false;
    findings.Fault("postgresql",
                   absl::StrCat(setting.name, " is ", setting.value,
                                ": a loss of power damages the ledger. Switch it on."));
  }
  if (good) findings.Good("postgresql", "What is committed stays (fsync, full_page_writes).");
  if (facts.data_checksums != "on") {
    findings.Warn("postgresql",
                  "There are no checksums on its pages, so that a bad disk is noticed late: "
                  "pg_checksums --enable, while it is stopped.");
  }
  if (facts.archive_mode == "off") {
    findings.Warn("postgresql",
                  "Its write-ahead log is not archived, so it is restored to the last backup or "
                  "rebuilt from the journal, not to a moment between (archive_mode).");
  }
}

}  // namespace

void CheckServerFacts(const settlement::ServerFacts& facts, Findings& findings) {
  if (facts.version_num < kVersionMin) {
    findings.Fault("postgresql", absl::StrCat("It is version ", facts.version,
                                              ", and settlement needs 15 or newer."));
  } else {
    findings.Good("postgresql", absl::StrCat("Version ", facts.version, "."));
  }
  CheckDurability(facts, findings);
  if (facts.connections_max - facts.connections < kConnectionsFreeMin) {
    findings.Warn("postgresql", absl::StrCat(facts.connections, " of ", facts.connections_max,
                                             " connections are taken; settlement needs four."));
  }
  if (facts.can_change_transfers) {
    findings.Warn("postgresql",
                  absl::StrCat("The role ", facts.role,
                               " may change what was posted: settlement should connect "
                               "as warpbook_settlement, which may only add."));
  }
}

void CheckDatabase(const std::string& conninfo, Findings& findings) {
  auto database = settlement::Database::Connect(conninfo);
  if (!database.ok()) {
    return findings.Fault("postgresql", std::string(database.status().message()));
  }
  const absl::Status schema = settlement::CheckSchema(*database);
  if (!schema.ok()) findings.Fault("postgresql", std::string(schema.message()));
  const auto facts = settlement::ReadServerFacts(*database);
  if (!facts.ok()) return findings.Fault("postgresql", std::string(facts.status().message()));
  CheckServerFacts(*facts, findings);
}

}  // namespace warpbook::gateway

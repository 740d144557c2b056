// TestDatabase: a database of its own for a test, on the cluster that
// tests/settlement/with_postgres provides, with settlement's roles and schema. It goes with the
// cluster at the latest.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "settlement/store/database.h"
#include "settlement/store/store.h"

namespace warpbook::test {

class TestDatabase {
 public:
  enum class Schema { kNone, kNewest };
  explicit TestDatabase(Schema schema = Schema::kNewest);
  // A copy; nobody may be connected to the original meanwhile.
  TestDatabase(const TestDatabase& original);
  TestDatabase& operator=(const TestDatabase&) = delete;

  // Connection strings: the cluster's superuser, warpbook_owner, warpbook_settlement.
  std::string superuser() const;
  std::string owner() const;
  std::string service() const;

  // Runs SQL as that user; what PostgreSQL says where it refuses.
  static absl::Status Run(const std::string& conninfo, const std::string& sql);
  // The first field of the first row, as text; "" where there is none or it is null.
  std::string Value(const std::string& sql) const;
  int64_t Number(const std::string& sql) const { return std::stoll(Value(sql)); }

  // Removes it from the cluster; nobody may be connected, and nothing else may be called after it.
  void Drop();

  // A store as the service opens it.
  settlement::Store OpenStore() const;

 private:
  std::string Conninfo(const std::string& user, const std::string& password) const;
  const std::string name_;
};

}  // namespace warpbook::test

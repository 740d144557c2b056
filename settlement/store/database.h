// A connection to PostgreSQL. libpqxx and its exceptions stay inside settlement/store: every
// failure becomes a Status here.
//   Unavailable         the connection is lost or the server is going away: connect again and read
//                       what was committed (a commit under way may or may not have happened)
//   FailedPrecondition  the database refuses: a bug, a missing privilege or another schema; or
//                       whoever connects
//   InvalidArgument     the connection string is malformed
//   DeadlineExceeded    a statement took longer than it may, or somebody cancelled it
// One thread owns a connection. A connection string may hold a password: it is never printed.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pqxx {
class connection_base;
class transaction_base;
}  // namespace pqxx

namespace warpbook::settlement {

// Thrown by the body of a transaction: it ends with this status.
struct BodyFailed {
  absl::Status status;
};

class Database {
 public:
  enum class Mode {
    kReadWrite,  // read committed, and a commit is on disk when it returns
    kSnapshot,   // read only; all of a transaction sees one moment
  };

  static absl::StatusOr<Database> Connect(const std::string& conninfo);
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  // Runs `body` in a transaction and commits it, unless body answers with an error or throws.
  // `doing` begins the message of a failure ("posting the journal: ...").
  absl::Status Transact(Mode mode, absl::string_view doing,
                        const std::function<absl::Status(pqxx::transaction_base&)>& body);

  // No statement may take longer from now on.
  absl::Status LimitStatements(std::chrono::milliseconds longest);

  pqxx::connection_base& connection();

 private:
  struct Handle;
  explicit Database(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

}  // namespace warpbook::settlement

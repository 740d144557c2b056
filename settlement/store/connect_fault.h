// Why a connection to PostgreSQL could not be made: whether it is worth trying again. libpqxx keeps
// no code of such a failure and its text is in the server's language, so this asks once more.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace warpbook::settlement {

// After a failed attempt. Each message is one sentence without the connection string.
//   InvalidArgument     the connection string is malformed
//   FailedPrecondition  the server refuses: no such user, password or database, or no right to it
//   Unavailable         there is no server, it is starting or ending, or it has no connection free
absl::Status DiagnoseConnection(const std::string& conninfo);

}  // namespace warpbook::settlement

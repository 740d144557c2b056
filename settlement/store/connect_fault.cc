#include "settlement/store/connect_fault.h"

#include <libpq-fe.h>
#include <poll.h>

#include <chrono>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace warpbook::settlement {
namespace {

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

constexpr std::chrono::seconds kDiagnosisTime(5);

// Connects step by step, which leaves room to ask for SQLSTATE codes in messages.
void ConnectWithCodes(PGconn* connection) {
  const auto deadline = std::chrono::steady_clock::now() + kDiagnosisTime;
  PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state == PGRES_POLLING_WRITING || state == PGRES_POLLING_READING) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd socket = {PQsocket(connection),
                     static_cast<short>(state == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    if (left.count() <= 0 || poll(&socket, 1, static_cast<int>(left.count())) == 0) return;
    state = PQconnectPoll(connection);
  }
}

// The server's own word in "...: FATAL:  28P01: password authentication failed ...", whatever its
// language: five characters between two colons. Empty where there is none.
absl::string_view FindSqlState(absl::string_view message) {
  constexpr size_t kLength = 5;
  for (size_t i = 0; i + kLength + 3 < message.size(); ++i) {
    if (message[i] != ' ' || message[i + kLength + 1] != ':') continue;
    const absl::string_view code = message.substr(i + 1, kLength);
    if (code.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == code.npos &&
        code.find_first_of("0123456789") != code.npos) {
      return code;
    }
  }
  return {};
}

// Without the source file that a verbose message names, in one line.
std::string FirstLine(absl::string_view message) {
  return std::string(message.substr(0, message.find('\n')));
}

}  // namespace

absl::Status DiagnoseConnection(const std::string& conninfo) {
  char* fault = nullptr;
  PQconninfoOption* const options = PQconninfoParse(conninfo.c_str(), &fault);
  if (options == nullptr) {
    const std::string text = fault == nullptr ? "it cannot be read" : FirstLine(fault);
    PQfreemem(fault);
    return absl::InvalidArgumentError(absl::StrCat("the connection string is malformed: ", text));
  }
  PQconninfoFree(options);
  const Connection connection(PQconnectStart(conninfo.c_str()), PQfinish);
  if (connection == nullptr) return absl::ResourceExhaustedError("no memory for a connection");
  if (PQstatus(connection.get()) != CONNECTION_BAD) ConnectWithCodes(connection.get());
  if (PQstatus(connection.get()) == CONNECTION_OK) {
    return absl::UnavailableError("PostgreSQL was away for a moment");
  }
  const std::string message = FirstLine(PQerrorMessage(connection.get()));
  const absl::string_view code = FindSqlState(message);
  // 28: who it is; 3D: no such database; 42501: no right to connect; 22, 42: a setting that is
  // none.
  const bool refused = absl::StartsWith(code, "28") || absl::StartsWith(code, "3D") ||
                       absl::StartsWith(code, "42") || absl::StartsWith(code, "22");
  return refused ? absl::FailedPreconditionError(message)
                 : absl::UnavailableError(message.empty() ? "PostgreSQL does not answer" : message);
}

}  // namespace warpbook::settlement

// StatementQueue: a transaction's statements whose answers nobody waits for one by one. They go to
// PostgreSQL together, in one message, and are answered together: a small transaction takes as long
// as its commit, not as its number of statements times the way there and back.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "settlement/store/database.h"

namespace warpbook::settlement {

// A statement with its parameters. It is prepared under its name when the connection first sees it,
// and planned once.
struct Statement {
  std::string name;  // one for each text
  std::string text;
  std::vector<std::optional<std::string>> parameters;  // nullopt: null
  std::optional<size_t> rows = {};                     // that it must write, where that is known
  // What to say where it wrote another number of them.
  std::function<absl::Status(size_t rows)> otherwise = {};
};

class StatementQueue {
 public:
  // The transaction is used by Flush and Run alone.
  explicit StatementQueue(pqxx::transaction_base& transaction) : transaction_(transaction) {}

  void Add(Statement statement) { waiting_.push_back(std::move(statement)); }
  // Sends what waits and reads the answers. Throws what PostgreSQL refuses, and BodyFailed where a
  // statement wrote another number of rows: the first of them counts.
  void Flush();
  // Flushes, and runs this one alone: for parameters of megabytes, which the queue would copy.
  void Run(const Statement& statement);

  // Nothing may wait while somebody else uses it.
  pqxx::transaction_base& transaction() { return transaction_; }

 private:
  pqxx::transaction_base& transaction_;
  std::vector<Statement> waiting_;
};

}  // namespace warpbook::settlement

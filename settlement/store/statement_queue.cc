#include "settlement/store/statement_queue.h"

#include <limits>
#include <pqxx/pipeline>
#include <pqxx/pqxx>
#include <utility>

#include "absl/strings/str_cat.h"

namespace warpbook::settlement {
namespace {

void Judge(const Statement& statement, const pqxx::result& answer) {
  const size_t rows = answer.affected_rows();
  if (statement.rows && rows != *statement.rows) throw BodyFailed{statement.otherwise(rows)};
}

// The statement as SQL of one line: EXECUTE "name" ('1', '{1,2}').
std::string ExecuteText(pqxx::connection_base& connection, const Statement& statement) {
  std::string text = absl::StrCat("EXECUTE ", connection.quote_name(statement.name));
  const char* separator = " (";
  for (const std::optional<std::string>& parameter : statement.parameters) {
    absl::StrAppend(&text, separator, parameter ? connection.quote(*parameter) : "NULL");
    separator = ", ";
  }
  if (!statement.parameters.empty()) text += ')';
  return text;
}

}  // namespace

void StatementQueue::Flush() {
  const std::vector<Statement> statements = std::exchange(waiting_, {});
  if (statements.empty()) return;
  pqxx::connection_base& connection = transaction_.conn();
  for (const Statement& statement : statements) {
    connection.prepare(statement.name, statement.text);
    connection.prepare_now(statement.name);
  }
  pqxx::pipeline pipeline(transaction_);
  pipeline.retain(std::numeric_limits<int>::max());
  for (const Statement& statement : statements) pipeline.insert(ExecuteText(connection, statement));
  pipeline.complete();
  for (const Statement& statement : statements) Judge(statement, pipeline.retrieve().second);
}

void StatementQueue::Run(const Statement& statement) {
  Flush();
  transaction_.conn().prepare(statement.name, statement.text);
  std::vector<const char*> parameters;
  for (const std::optional<std::string>& parameter : statement.parameters) {
    parameters.push_back(parameter ? parameter->c_str() : nullptr);
  }
  Judge(statement,
        transaction_.exec_prepared(statement.name, pqxx::prepare::make_dynamic_params(parameters)));
}

}  // namespace warpbook::settlement

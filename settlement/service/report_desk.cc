#include "settlement/service/report_desk.h"

#include <algorithm>
#include <span>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "settlement/service/amounts_json.h"
#include "settlement/service/report_time.h"
#include "settlement/service/statement.h"
#include "settlement/service/supply_json.h"
#include "settlement/store/migrations.h"

namespace warpbook::settlement {
namespace {

using gateway::RequestTarget;

HttpAnswer Success(const Cursor& cursor, const std::string& result) {
  JsonObject object;
  object.Flag("success", true).Raw("result", result);
  object.Integer("seq", static_cast<int64_t>(cursor.sequence.value()));
  return {200, object.Integer("ts", cursor.market_time.micros()).Build()};
}

HttpAnswer Wrong(std::string_view parameter, std::string_view what) {
  return HttpError(400, "bad_parameter", std::string(parameter) + ": " + std::string(what));
}

HttpAnswer Failed(const absl::Status& status) {
  const std::string message(status.message());
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return HttpError(404, "not_found", message);
    case absl::StatusCode::kResourceExhausted:
      return HttpError(400, "too_much", message + ": ask for a shorter time");
    case absl::StatusCode::kDeadlineExceeded:
      return HttpError(503, "took_too_long",
                       message + "; of an account with a long history ask the database itself");
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kFailedPrecondition:
      return HttpError(503, "database_unavailable", message);
    default:
      return HttpError(500, "ledger_contradicts_itself", message);
  }
}

// Of what is there as soon as there is a ledger.
HttpAnswer NotYet(const absl::Status& status) {
  if (!absl::IsNotFound(status)) return Failed(status);
  return HttpError(503, "no_ledger_yet", std::string(status.message()));
}

// Every parameter is one of these, and is there once.
std::optional<HttpAnswer> CheckParameters(const RequestTarget& target,
                                          std::span<const std::string_view> known) {
  for (size_t i = 0; i < target.parameters.size(); ++i) {
    const std::string& name = target.parameters[i].first;
    if (std::ranges::find(known, name) == known.end()) {
      return HttpError(400, "unknown_parameter", "There is no such parameter here.");
    }
    const auto earlier = std::span(target.parameters).first(i);
    if (std::ranges::find(earlier, name, &RequestTarget::Parameter::first) != earlier.end()) {
      return Wrong(name, "is there twice");
    }
  }
  return std::nullopt;
}

// 1 and more, in digits alone; 0: it is none.
uint64_t ParseId(const std::string* text) {
  uint64_t id = 0;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text == nullptr || !std::ranges::all_of(*text, is_digit)) return 0;
  return absl::SimpleAtoi(*text, &id) && id <= LedgerAccount::kMemberMax ? id : 0;
}

}  // namespace

ReportDesk::ReportDesk(Options options) : options_(std::move(options)) {}

bool ReportDesk::IsPublic(const std::string& target) {
  const std::string_view path = std::string_view(target).substr(0, target.find('?'));
  return path == "/supply" || path == "/disclosures";
}

HttpAnswer ReportDesk::Answer(const std::string& target) {
  const auto parsed = gateway::ParseRequestTarget(target);
  if (!parsed) return HttpError(400, "bad_request", "The target is none.");
  struct Resource {
    std::string_view path;
    std::vector<std::string_view> parameters;
  };
  static const auto* const kResources = new std::vector<Resource>{
      {"/supply", {"date"}},
      {"/disclosures", {}},
      {"/statement", {"account", "from", "to"}},
      {"/lease", {"id"}},
  };
  const auto resource =
      std::ranges::find(*kResources, std::string_view(parsed->path), &Resource::path);
  if (resource == kResources->end()) {
    return HttpError(404, "not_found",
                     "There is /supply, /disclosures, /statement and /lease here.");
  }
  if (auto wrong = CheckParameters(*parsed, resource->parameters)) return *std::move(wrong);
  if (resource->path == "/supply") return Supply(*parsed);
  if (resource->path == "/disclosures") return Disclosures();
  if (resource->path == "/statement") return Statement(*parsed);
  return Lease(*parsed);
}

HttpAnswer ReportDesk::Supply(const RequestTarget& target) {
  const std::string* date = target.Find("date");
  const auto day = date == nullptr ? std::nullopt : ParseDay(*date);
  if (date != nullptr && !day) return Wrong("date", "a day, as 2027-01-01");
  const Time now = std::chrono::steady_clock::now();
  if (!supply_ || now - supply_->at >= kReportAgeMax) {
    auto figures = Ask(ReadTokenFigures);
    if (!figures.ok()) return NotYet(figures.status());
    supply_ = {*std::move(figures), now};
  }
  const TokenFigures& figures = supply_->figures;
  const int64_t today = DayOf(figures.cursor.market_time);
  if (day && (*day < today || *day > today + kBoundDaysMax)) {
    return Wrong("date", "from today of the market on, for a hundred years");
  }
  return Success(figures.cursor, SupplyJson(figures, day));
}

HttpAnswer ReportDesk::Disclosures() {
  const Time now = std::chrono::steady_clock::now();
  if (!disclosures_ || now - disclosures_->at >= kReportAgeMax) {
    auto figures = Ask(ReadDisclosures);
    if (!figures.ok()) return NotYet(figures.status());
    disclosures_ = {*std::move(figures), now};
  }
  const DisclosureFigures& figures = disclosures_->figures;
  return Success(figures.tokens.cursor,
                 DisclosuresJson(figures, options_.catalogue, options_.tariff));
}

HttpAnswer ReportDesk::Statement(const RequestTarget& target) {
  const AccountId account(ParseId(target.Find("account")));
  if (!account) return Wrong("account", "the number of an account");
  const std::string* from = target.Find("from");
  const std::string* to = target.Find("to");
  const auto from_second = from == nullptr ? std::nullopt : ParseSecond(*from, false);
  const auto to_second = to == nullptr ? std::nullopt : ParseSecond(*to, true);
  constexpr std::string_view kForm = "a day or a time of UTC, as 2026-12-01 or 2026-12-01T14:00";
  if (!from_second) return Wrong("from", kForm);
  if (!to_second) return Wrong("to", kForm);
  if (*to_second <= *from_second) return Wrong("to", "is not later than from");
  const auto figures = Ask([&](Database& database) {
    return ReadStatement(database, account, *from_second, *to_second);
  });
  if (!figures.ok()) return Failed(figures.status());
  const auto movements = MovementsOf(*figures, account);
  if (!movements.ok()) return Failed(movements.status());
  return Success(figures->cursor, StatementJson(*figures, account, *movements));
}

HttpAnswer ReportDesk::Lease(const RequestTarget& target) {
  const LeaseId id(ParseId(target.Find("id")));
  if (!id) return Wrong("id", "the number of a lease");
  const auto figures = Ask([id](Database& database) { return ReadLease(database, id); });
  if (!figures.ok()) return Failed(figures.status());
  return Success(figures->cursor, LeaseJson(*figures));
}

template <typename Read>
auto ReportDesk::Ask(const Read& read) -> decltype(read(std::declval<Database&>())) {
  if (!database_) {
    if (absl::Status status = Connect(); !status.ok()) return status;
  }
  auto figures = read(*database_);
  if (absl::IsUnavailable(figures.status())) {
    // It may be a connection that was lost long ago.
    if (absl::Status status = Connect(); !status.ok()) return status;
    figures = read(*database_);
  }
  return figures;
}

void ReportDesk::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  if (database_) CancelStatement(*database_);
}

absl::Status ReportDesk::Connect() {
  auto database = Database::Connect(options_.conninfo);
  if (!database.ok()) return database.status();
  if (absl::Status status = CheckSchema(*database); !status.ok()) return status;
  if (absl::Status status = database->LimitStatements(kReportStatementTimeout); !status.ok()) {
    return status;
  }
  const std::lock_guard lock(mutex_);
  if (closed_) return absl::DeadlineExceededError("settlement is being stopped");
  database_ = *std::move(database);
  return absl::OkStatus();
}

}  // namespace warpbook::settlement

// ReportDesk: answers questions about the ledger, from a database connection of its own, each from
// one moment:
//
//   /supply[?date=YYYY-MM-DD]   /disclosures            for everybody, by way of the gateway
//   /statement?account=&from=&to=   /lease?id=          for operators
//
// An answer is {"success":true,"result":...,"seq":...,"ts":...}: the last command that it takes in,
// and its market time in microseconds; or {"error":{"code","message"}} with 400 (the question is
// wrong), 404 (there is no such thing), 500 (the ledger contradicts itself) or 503 (not now).
//
// What everybody may ask is read once a second at most. One thread owns a desk; another one may
// close it.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "gateway/client/request_target.h"
#include "schema/catalogue/catalogue.h"
#include "settlement/service/http_server.h"
#include "settlement/store/report_queries.h"

namespace warpbook::settlement {

// How long a statement of SQL may take.
inline constexpr std::chrono::milliseconds kReportStatementTimeout{5'000};
inline constexpr std::chrono::milliseconds kReportAgeMax{1'000};

class ReportDesk {
 public:
  struct Options {
    std::string conninfo;
    Catalogue catalogue;
    int64_t tariff = 0;  // micro-USD per kWh
  };
  explicit ReportDesk(Options options);

  // `target` as it stands in the request.
  HttpAnswer Answer(const std::string& target);

  // From any thread: ends the SQL statement that is under way, so that nobody waits for it.
  void Close();

  // Whether anybody may ask that: the target of a report that is read once a second at most.
  static bool IsPublic(const std::string& target);

 private:
  using Time = std::chrono::steady_clock::time_point;
  template <typename Figures>
  struct Kept {
    Figures figures;
    Time at;
  };

  HttpAnswer Supply(const gateway::RequestTarget& target);
  HttpAnswer Disclosures();
  HttpAnswer Statement(const gateway::RequestTarget& target);
  HttpAnswer Lease(const gateway::RequestTarget& target);

  // `read(database)`, on a connection that is made where there is none.
  template <typename Read>
  auto Ask(const Read& read) -> decltype(read(std::declval<Database&>()));
  absl::Status Connect();

  const Options options_;
  std::mutex mutex_;  // guards the making and closing of connections against Close
  bool closed_ = false;
  std::optional<Database> database_;
  std::optional<Kept<TokenFigures>> supply_;
  std::optional<Kept<DisclosureFigures>> disclosures_;
};

}  // namespace warpbook::settlement

#include <iostream>
#include <limits>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/key_files.h"
#include "gateway/cli/print.h"
#include "gateway/cli/report_client.h"
#include "gateway/cli/report_print.h"
#include "gateway/cli/session.h"
#include "gateway/cli/symbols.h"
#include "schema/base/json_object.h"
#include "schema/types/signed_messages.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {
namespace {

// lease.start, lease.complete, lease.dispute: a method that names a lease, and nothing else.
void AddSimple(Command& lease, const std::string& word, const std::string& done,
               const std::string& description) {
  Command command = lease.Add(word, description);
  const auto id = std::make_shared<int64_t>(0);
  command.Integer("lease,--lease", *id, "The lease's id").Required();
  OnRunWithSession(command, std::make_shared<ClientOptions>(), Speaker::kMember,
                   [id, word, done](CliSession& session) {
                     const absl::Status status =
                         session
                             .Call(absl::StrCat("lease.", word),
                                   JsonObject().Id("lease", static_cast<uint64_t>(*id)).Build())
                             .status();
                     if (status.ok() && !session.json()) {
                       std::cout << "lease " << *id << " is " << done << "\n";
                     }
                     return status;
                   });
}

struct Heartbeat {
  int64_t lease = 0, minute = 0;
  std::string device_key;
};

absl::Status SendHeartbeat(CliSession& session, const Heartbeat& wanted) {
  const absl::StatusOr<Ed25519PrivateKey> device = Ed25519PrivateKey::LoadPem(wanted.device_key);
  if (!device.ok()) return device.status();
  const absl::StatusOr<std::string> server = session.ServerName();
  if (!server.ok()) return server.status();
  int64_t minute = wanted.minute;
  if (minute == 0) {
    const absl::StatusOr<int64_t> now = MarketTime(session);
    if (!now.ok()) return now.status();
    minute = *now - *now % kMicrosPerMinute;
  }
  const LeaseId lease(static_cast<uint64_t>(wanted.lease));
  const auto signature = device->Sign(HeartbeatMessage(*server, lease, Timestamp(minute)));
  const absl::Status status =
      session
          .Call("lease.heartbeat", JsonObject()
                                       .Id("lease", lease.value())
                                       .Integer("minute", minute)
                                       .Text("signature", SignatureHex(signature))
                                       .Build())
          .status();
  if (status.ok() && !session.json()) {
    std::cout << "heartbeat of lease " << wanted.lease << " for the minute " << FormatTime(minute)
              << " UTC\n";
  }
  return status;
}

// `lease ID`: what settlement knows of it.
void AddShow(Command& lease) {
  struct Wanted {
    ReportOptions options;
    int64_t id = 0;
  };
  const auto wanted = std::make_shared<Wanted>();
  AddSettlementOptions(lease, wanted->options);
  lease.Integer("lease,--lease", wanted->id, "Show this lease (where settlement is)")
      .Range(1, std::numeric_limits<int64_t>::max());
  lease.OnRunAlone([wanted] {
    if (wanted->id == 0) {
      Finish(absl::InvalidArgumentError("name a lease, or what to do; see warpbook lease --help"));
      return kExitUsage;
    }
    const auto report = AskReport(wanted->options, absl::StrCat("/lease?id=", wanted->id));
    if (!report.ok() || wanted->options.json) return Finish(report.status());
    return Finish(PrintLease(*report, std::cout));
  });
}

struct Judgement {
  int64_t lease = 0, share_bps = 10'000;
  std::string verdict, reason;
};

absl::Status Judge(CliSession& session, const Judgement& wanted) {
  const absl::Status status =
      session
          .Call("lease.judge", JsonObject()
                                   .Id("lease", static_cast<uint64_t>(wanted.lease))
                                   .Text("verdict", wanted.verdict)
                                   .Integer("share_bps", wanted.share_bps)
                                   .Text("reason", wanted.reason)
                                   .Build())
          .status();
  if (status.ok() && !session.json()) {
    std::cout << "the dispute of lease " << wanted.lease << " is " << wanted.verdict << "\n";
  }
  return status;
}

void AddJudge(Command& lease) {
  Command judge = lease.Add("judge", "Decide on a dispute, over the rule (operator)");
  const auto wanted = std::make_shared<Judgement>();
  judge.Integer("lease,--lease", wanted->lease, "The lease's id").Required();
  judge.Text("verdict,--verdict", wanted->verdict, "founded or unfounded").Required();
  judge.Text("reason,--reason", wanted->reason, "Why: 1 to 64 characters that both sides read")
      .Required();
  judge.Integer("--share-bps", wanted->share_bps,
                "Of the price of each delivered minute, in 1/10,000; default: all of it");
  OnRunWithSession(judge, std::make_shared<ClientOptions>(), Speaker::kOperator,
                   [wanted](CliSession& session) { return Judge(session, *wanted); });
}

}  // namespace

void AddLeaseCommands(Command& root) {
  Command lease =
      root.Add("lease", "Everything about a lease; deliver what was sold, accept what was bought");
  AddSimple(lease, "start", "started", "Begin a delivery (provider)");
  AddSimple(lease, "complete", "complete", "End the dispute time of a delivery (buyer)");
  AddSimple(lease, "dispute", "disputed",
            "Say that a delivery was not one; costs a deposit of 5% (buyer)");

  AddJudge(lease);

  Command heartbeat = lease.Add("heartbeat", "Prove one delivered minute (provider)");
  const auto wanted = std::make_shared<Heartbeat>();
  heartbeat.Integer("lease,--lease", wanted->lease, "The lease's id").Required();
  heartbeat.Integer("--minute", wanted->minute,
                    "The minute's start in microseconds since 1970; default: the current one");
  heartbeat.Text("--device-key", wanted->device_key, "The device's key (PEM); default: KEY.device");
  const auto options = std::make_shared<ClientOptions>();
  OnRunWithSession(heartbeat, options, Speaker::kMember, [wanted, options](CliSession& session) {
    if (wanted->device_key.empty()) wanted->device_key = options->key + ".device";
    return SendHeartbeat(session, *wanted);
  });
  AddShow(lease);
}

}  // namespace warpbook::gateway

#include "tests/settlement/support/worker_process.h"

#include <doctest/doctest.h>

#include <utility>

#include "settlement/service/replay.h"
#include "settlement/service/report.h"
#include "settlement/store/audit.h"

namespace warpbook::test {
namespace {

using settlement::Database;
using settlement::LedgerDigest;
using settlement::Store;

Store MakeStore(const std::string& conninfo,
                const std::function<void(settlement::CommitStep)>& on_step) {
  auto store = Store::Open({.conninfo = conninfo, .on_step = on_step});
  CAPTURE(store.status().ToString());
  REQUIRE(store.ok());
  return *std::move(store);
}

LedgerDigest DigestOf(const TestDatabase& test) {
  auto database = Database::Connect(test.service());
  REQUIRE(database.ok());
  auto digest = ReadDigest(*database);
  REQUIRE(digest.ok());
  return *std::move(digest);
}

}  // namespace

WorkerProcess::WorkerProcess(const std::string& conninfo, TestMarket& market,
                             settlement::DecisionSender& sender, Options options)
    : store_(MakeStore(conninfo, options.on_step)) {
  settlement::Worker::Options worker_options;
  worker_options.cursor_directory = options.cursor_directory;
  if (options.decides) worker_options.key = SettlementKey();
  auto worker = settlement::Worker::Create(worker_options, store_, sender);
  CAPTURE(worker.status().ToString());
  REQUIRE(worker.ok());
  worker_ = *std::move(worker);
  reader_ = market.journal().Open(worker_->FirstSequence());
  worker_->SetReader(*reader_);
}

void WorkerProcess::Run() {
  while (true) {
    const auto wrote = worker_->Step();
    CAPTURE(wrote.status().ToString());
    REQUIRE(wrote.ok());
    if (!*wrote) return;
  }
}

void RunToQuiet(WorkerProcess& process, TestMarket& market, TestSender& sender) {
  while (true) {
    process.Run();
    if (sender.waiting() == 0) return;
    sender.Send();
    market.Seal();
    REQUIRE(sender.status().ok());
  }
}

void LetLeasesBecomeDue(TestMarket& market) {
  for (int i = 0; i < 13; ++i) {
    market.Advance(60);
    market.SetMarketPrice();
  }
  market.Tick(1);
  market.Seal();
}

void CheckLedger(const TestDatabase& test, TestMarket& market) {
  auto database = Database::Connect(test.service());
  REQUIRE(database.ok());
  const auto audit = ReadAudit(*database);
  CAPTURE(audit.status().ToString());
  REQUIRE(audit.ok());
  bool all_hold = false;
  const std::string text = AuditText(*audit, &all_hold);
  CAPTURE(text);
  CHECK(all_hold);
  const LedgerDigest posted = DigestOf(test);
  CHECK(posted.cursor.sequence.value() == market.journal().last_sequence());

  TestDatabase replayed;
  TestSender nobody(market);
  WorkerProcess process(replayed.service(), market, nobody, {.decides = false});
  process.Run();
  CHECK(nobody.waiting() == 0);
  for (const std::string& difference : Differences(posted, DigestOf(replayed), 10)) {
    FAIL(difference);
  }
  CHECK(test.Number("SELECT count(*) FROM outbox WHERE posted_sequence IS NULL AND NOT void") == 0);
}

}  // namespace warpbook::test

// A worker on a real PostgreSQL over a TestMarket's journal, as a process has it, and what must be
// true of its ledger in the end.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "settlement/service/worker.h"
#include "settlement/store/store.h"
#include "tests/settlement/support/test_database.h"
#include "tests/settlement/support/test_market.h"
#include "tests/settlement/support/test_sender.h"

namespace warpbook::test {

class WorkerProcess {
 public:
  struct Options {
    bool decides = true;
    std::string cursor_directory = {};
    std::function<void(settlement::CommitStep)> on_step = [](settlement::CommitStep) {};
  };
  WorkerProcess(const std::string& conninfo, TestMarket& market, settlement::DecisionSender& sender,
                Options options);
  WorkerProcess(const std::string& conninfo, TestMarket& market, settlement::DecisionSender& sender)
      : WorkerProcess(conninfo, market, sender, Options()) {}

  settlement::Worker* operator->() { return worker_.get(); }
  // Steps until there is nothing to do.
  void Run();

 private:
  settlement::Store store_;
  std::unique_ptr<settlement::Worker> worker_;
  std::unique_ptr<journal::TailReader> reader_;
};

// Lets the worker and the engine talk until neither has anything to do.
void RunToQuiet(WorkerProcess& process, TestMarket& market, TestSender& sender);

// A quarter of an hour in which all leases become due, with prices.
void LetLeasesBecomeDue(TestMarket& market);

// That the ledger stands at the journal's end, keeps every invariant, has nothing under way, and is
// what the journal alone gives in an empty database.
void CheckLedger(const TestDatabase& database, TestMarket& market);

}  // namespace warpbook::test

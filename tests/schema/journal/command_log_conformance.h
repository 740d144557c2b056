// The conformance suite of CommandLog: the contract at the head of schema/journal/command_log.h as
// rules that run over any implementation. They give violations rather than fail, so that a test can
// also show that a wrong implementation is found.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/journal/command_log.h"

namespace warpbook::journal::test {

// One log of the implementation under test, empty at first, and what can happen to it.
class LogWorld {
 public:
  virtual ~LogWorld() = default;

  // Another process's way to the log. The process ends when what it gave is destroyed.
  virtual std::unique_ptr<CommandLog> Connect() = 0;

  // A reader whose first batch is the one that holds (or will hold) the command. OutOfRange for one
  // further away than the next.
  virtual absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(uint64_t from_sequence) = 0;

  // From now on (until null) the hook is called while a batch or a marker is in flight: written,
  // and not durable yet; perhaps several times for one. If it is not OK, the write fails.
  virtual void SetInFlightHook(std::function<absl::Status()> hook) = 0;

  // Loss of power, after everything that was given out has been destroyed. `keep` is asked about
  // each piece that is not durable.
  virtual void Crash(const std::function<bool()>& keep) = 0;

  // How many lives of processes the rules try that try many.
  virtual int lives() const { return 120; }
};
using MakeLogWorld = std::function<std::unique_ptr<LogWorld>()>;

// What is violated, a sentence each.
using Violations = std::vector<std::string>;

struct ConformanceRule {
  std::string_view name;  // a sentence
  void (*check)(LogWorld& world, Violations& violations);
};
const std::vector<ConformanceRule>& ConformanceRules();

// Runs each rule in a world of its own; violations begin with the rule's name.
Violations CheckConformance(const MakeLogWorld& make_world);

}  // namespace warpbook::journal::test

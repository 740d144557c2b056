// The contract of CommandLog, over every implementation there is; and that wrong ones are found.
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_join.h"
#include "schema/journal/file_command_log.h"
#include "schema/journal/tail_reader.h"
#include "tests/schema/journal/command_log_conformance.h"
#include "tests/schema/journal/journal_fixture.h"
#include "tests/schema/journal/reference_command_log.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::journal::test {
namespace {

using warpbook::test::FaultyFileSystem;
using warpbook::test::FileFault;
using warpbook::test::FileOperation;
using warpbook::test::MemoryFileSystem;
using warpbook::test::TemporaryDirectory;

// Calls the hook before each sync of a file.
class HookedSyncs {
 public:
  FaultyFileSystem::Judge judge() {
    return [this](const FileOperation& operation) {
      FileFault fault;
      if (operation.kind != FileOperation::Kind::kSyncData) return fault;
      if (hook_ != nullptr) fault.status = hook_();
      fault.lost = lost_;
      return fault;
    };
  }
  void SetHook(std::function<absl::Status()> hook) { hook_ = std::move(hook); }
  // Syncs answer OK and do nothing.
  void LoseAll() { lost_ = true; }

 private:
  std::function<absl::Status()> hook_;
  bool lost_ = false;
};

// Files in memory, which can lose power.
class MemoryFileWorld final : public LogWorld {
 public:
  explicit MemoryFileWorld(uint64_t segment_pages) : options_(SmallSegments(segment_pages)) {
    UseFiles(std::make_unique<MemoryFileSystem>());
  }
  std::unique_ptr<CommandLog> Connect() override {
    return std::make_unique<FileCommandLog>(*hooked_, kDirectory, options_);
  }
  absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(uint64_t from_sequence) override {
    return TailReader::Open(*hooked_, kDirectory, from_sequence);
  }
  void SetInFlightHook(std::function<absl::Status()> hook) override {
    syncs_.SetHook(std::move(hook));
  }
  void Crash(const std::function<bool()>& keep) override { UseFiles(files_->AfterCrash(keep)); }

  void LoseAllSyncs() { syncs_.LoseAll(); }

 private:
  void UseFiles(std::unique_ptr<MemoryFileSystem> files) {
    files_ = std::move(files);
    hooked_.emplace(*files_, syncs_.judge());
  }

  const Writer::Options options_;
  HookedSyncs syncs_;
  std::unique_ptr<MemoryFileSystem> files_;
  std::optional<FaultyFileSystem> hooked_;
};

// The machine's files. A crash is the end of the process: what was written stays.
class MachineFileWorld final : public LogWorld {
 public:
  std::unique_ptr<CommandLog> Connect() override {
    return std::make_unique<FileCommandLog>(hooked_, journal_, options_);
  }
  absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(uint64_t from_sequence) override {
    return TailReader::Open(hooked_, journal_, from_sequence);
  }
  void SetInFlightHook(std::function<absl::Status()> hook) override {
    syncs_.SetHook(std::move(hook));
  }
  void Crash(const std::function<bool()>&) override {}
  int lives() const override { return 8; }  // each of dozens of real syncs

 private:
  const TemporaryDirectory directory_;
  const std::string journal_ = directory_ / "journal";
  const Writer::Options options_ = SmallSegments(12);
  HookedSyncs syncs_;
  FaultyFileSystem hooked_{PosixFileSystem(), syncs_.judge()};
};

std::string ViolationsOf(const MakeLogWorld& make_world) {
  return absl::StrJoin(CheckConformance(make_world), "\n");
}

TEST_CASE("Files in memory that lose power keep to the command log's contract") {
  // Most batches begin a segment of 3 pages, few one of 64.
  for (const uint64_t pages : {3, 64}) {
    CHECK(ViolationsOf([&] { return std::make_unique<MemoryFileWorld>(pages); }) == "");
  }
}

TEST_CASE("The machine's files keep to the command log's contract") {
  CHECK(ViolationsOf([] { return std::make_unique<MachineFileWorld>(); }) == "");
}

TEST_CASE("The reference in memory keeps to the command log's contract") {
  CHECK(ViolationsOf([] { return MakeReferenceWorld(); }) == "");
}

TEST_CASE("Each flaw of a command log is found by the rule that is there for it") {
  for (const auto& [flaw, rule_name] : kFlaws) {
    const auto rule = std::ranges::find(ConformanceRules(), rule_name, &ConformanceRule::name);
    REQUIRE(rule != ConformanceRules().end());
    Violations violations;
    rule->check(*MakeReferenceWorld(flaw), violations);
    CHECK_MESSAGE(!violations.empty(), "flaw ", static_cast<int>(flaw), ": ", rule_name);
  }
}

TEST_CASE("Each rule of the command log finds a flaw") {
  for (const ConformanceRule& rule : ConformanceRules()) {
    const bool found = std::ranges::any_of(kFlaws, [&](const FlawAndRule& flaw) {
      Violations violations;
      rule.check(*MakeReferenceWorld(flaw.flaw), violations);
      return !violations.empty();
    });
    CHECK_MESSAGE(found, rule.name);
  }
}

TEST_CASE("A disk that answers syncs with OK and does nothing breaks the contract") {
  const Violations violations = CheckConformance([] {
    auto world = std::make_unique<MemoryFileWorld>(64);
    world->LoseAllSyncs();
    return world;
  });
  CHECK(std::ranges::any_of(violations, [](const std::string& violation) {
    return violation.starts_with("An acknowledged batch survives a crash: ");
  }));
}

}  // namespace
}  // namespace warpbook::journal::test

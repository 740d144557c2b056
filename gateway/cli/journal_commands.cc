#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "engine/service/journal_verify.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/print.h"
#include "gateway/cli/session.h"
#include "schema/base/file.h"
#include "schema/journal/dump.h"

namespace warpbook::gateway {
namespace {

struct DumpArguments {
  std::string journal;
  int64_t from = 1;
  int64_t to = std::numeric_limits<int64_t>::max();
};

absl::Status Dump(const DumpArguments& arguments) {
  return journal::DumpJournal(PosixFileSystem(), arguments.journal,
                              static_cast<uint64_t>(arguments.from),
                              static_cast<uint64_t>(arguments.to),
                              [](std::string_view line) { std::cout << line << '\n'; });
}

std::string Hex(uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(value >> shift) & 15];
  return text;
}

absl::Status Verify(const std::string& directory) {
  const absl::StatusOr<engine::JournalProof> proof =
      engine::VerifyJournal(PosixFileSystem(), directory);
  if (!proof.ok()) return proof.status();
  std::cout << "the journal is right: " << proof->last_sequence.value() << " commands and "
            << proof->events << " events, to " << FormatTime(proof->last_time.micros())
            << " UTC of the market\nevent hash " << Hex(proof->event_hash) << ", state hash "
            << Hex(proof->state_hash) << "\n";
  return absl::OkStatus();
}

}  // namespace

void AddJournalCommands(Command& root) {
  Command journal = root.Add("journal", "Read and prove a journal");

  Command dump = journal.Add("dump", "Print commands and events, a line each");
  const auto arguments = std::make_shared<DumpArguments>();
  dump.Text("journal,--journal", arguments->journal, "The journal's directory").Required();
  dump.Integer("--from", arguments->from, "First sequence")
      .Range(1, std::numeric_limits<int64_t>::max());
  dump.Integer("--to", arguments->to, "Last sequence; default: the last durable one")
      .Range(1, std::numeric_limits<int64_t>::max());
  dump.OnRun([arguments] { return Finish(Dump(*arguments)); });

  Command verify = journal.Add("verify", "Run the engine over it again and compare every event");
  const auto directory = std::make_shared<std::string>();
  verify.Text("journal,--journal", *directory, "The journal's directory").Required();
  verify.OnRun([directory] { return Finish(Verify(*directory)); });
}

}  // namespace warpbook::gateway

#include "tests/bench/account_timing.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <utility>
#include <vector>

#include "schema/base/check.h"
#include "schema/journal/account_index.h"
#include "schema/journal/account_indexer.h"
#include "schema/journal/account_reader.h"
#include "schema/journal/file_command_log.h"
#include "schema/wire/record.h"
#include "tests/bench/journal_timing.h"

namespace warpbook::bench {
namespace {

constexpr uint64_t kAccounts = 10'000;
constexpr size_t kBatchBytes = 64 << 10;  // on disk
constexpr size_t kOrderBytes =
    2 * sizeof(wire::RecordHeader) + sizeof(wire::PlaceOrder) + sizeof(wire::OrderAccepted);
constexpr uint32_t kOrdersInBatch = (kBatchBytes - sizeof(journal::BatchHeader)) / kOrderBytes;

// By all reads of this process, whether they came from the disk or the page cache.
uint64_t BytesReadSoFar() {
  std::ifstream file("/proc/self/io");
  std::string name;
  uint64_t bytes = 0;
  file >> name >> bytes;
  WARPBOOK_CHECK(name == "rchar:");
  return bytes;
}

ReadCost CostOf(const std::function<void()>& action) {
  const uint64_t bytes = BytesReadSoFar();
  const auto start = std::chrono::steady_clock::now();
  action();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return {taken.count(), BytesReadSoFar() - bytes};
}

void AppendOrder(wire::RecordWriter& writer, uint64_t sequence, uint32_t index, uint64_t account,
                 uint64_t account_sequence) {
  wire::PlaceOrder& order = writer.Add<wire::PlaceOrder>(index);
  order.mutable_header().mutate_sequence(sequence);
  wire::OrderAccepted& accepted = writer.Add<wire::OrderAccepted>(index);
  accepted.mutable_header().mutate_event_sequence(sequence);
  accepted.mutable_header().mutate_account_id(account);
  accepted.mutable_header().mutate_account_sequence(account_sequence);
}

}  // namespace

AccountJournal::AccountJournal(std::string directory, uint64_t journal_bytes)
    : directory_(std::move(directory)) {
  // Nobody waits for the disk here.
  const std::unique_ptr<FileSystem> files = MakeDelayedFileSystem(0);
  journal::FileCommandLog log(*files, directory_, {});
  const auto recovered = log.Recover(
      nullptr, [](const journal::BatchView&) { return absl::InternalError("it is not new"); });
  WARPBOOK_CHECK(recovered.ok());
  const auto appender = log.Begin();
  WARPBOOK_CHECK(appender.ok());

  std::mt19937_64 random(1);
  std::vector<uint64_t> account_sequences(kAccounts + 1);
  const uint64_t orders = journal_bytes / kBatchBytes * kOrdersInBatch;
  wire::RecordWriter writer;
  for (uint64_t sequence = 1; sequence + kOrdersInBatch <= orders;) {
    writer.Clear();
    for (uint32_t i = 0; i < kOrdersInBatch; ++i, ++sequence) {
      const bool is_first = account_sequences[1] < kEvents * sequence / orders;
      const uint64_t account = is_first ? 1 : 2 + random() % (kAccounts - 1);
      AppendOrder(writer, sequence, i, account, ++account_sequences[account]);
    }
    WARPBOOK_CHECK((*appender)->Append({kOrdersInBatch, kOrdersInBatch, writer.bytes()}).ok());
  }
}

ReadCost AccountJournal::Index() {
  DropIndexes();
  return CostOf([&] {
    const std::atomic<bool> stop = false;
    const absl::Status made =
        journal::AccountIndexer(PosixFileSystem(), directory_).MakeMissing(stop);
    WARPBOOK_CHECK(made.ok());
  });
}

uint64_t AccountJournal::index_bytes() const {
  uint64_t bytes = 0;
  const std::filesystem::path path = journal::AccountIndexDirectory(directory_);
  for (const auto& file : std::filesystem::directory_iterator(path)) bytes += file.file_size();
  return bytes;
}

void AccountJournal::DropIndexes() {
  std::filesystem::remove_all(journal::AccountIndexDirectory(directory_));
}

ReadCost AccountJournal::Read(uint64_t after_account_sequence) {
  using journal::AccountReader;
  uint64_t next = after_account_sequence + 1;
  const ReadCost cost = CostOf([&] {
    const auto reader =
        AccountReader::Open(PosixFileSystem(), directory_, AccountId(1), after_account_sequence);
    WARPBOOK_CHECK(reader.ok());
    auto progress = AccountReader::Progress::kMore;
    while (progress == AccountReader::Progress::kMore) {
      progress = *(*reader)->Read({}, [&](const journal::AccountEvent& event) {
        WARPBOOK_CHECK(event.record.event_header().account_sequence() == next++);
      });
    }
  });
  WARPBOOK_CHECK(next + 5 > kEvents);
  return cost;
}

}  // namespace warpbook::bench

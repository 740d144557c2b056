#include "schema/journal/account_indexer.h"

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "schema/journal/account_index.h"
#include "schema/journal/sealed_segment.h"
#include "schema/journal/segment_reader.h"

namespace warpbook::journal {
namespace {

bool HasGoodIndex(FileSystem& files, const std::string& directory, const SealedSegment& segment) {
  const absl::StatusOr<std::unique_ptr<AccountIndex>> index =
      AccountIndex::Open(files, directory, segment);
  return index.ok() && (*index)->Verify().ok();
}

}  // namespace

absl::Status AccountIndexer::MakeMissing(const std::atomic<bool>& stop,
                                         absl::FunctionRef<void(uint64_t)> on_made) {
  const absl::StatusOr<std::vector<uint64_t>> numbers = ListSegments(files_, directory_);
  if (!numbers.ok()) return numbers.status();
  for (const uint64_t number : *numbers) {
    if (number <= done_) continue;
    if (stop.load()) return absl::CancelledError("it was stopped");
    const absl::StatusOr<std::unique_ptr<SealedSegment>> segment =
        SealedSegment::Open(files_, directory_, number);
    if (!segment.ok()) return segment.status();
    if (*segment == nullptr) break;
    if ((*segment)->has_commands() && !HasGoodIndex(files_, directory_, **segment)) {
      const absl::StatusOr<SegmentAccounts> accounts = ReadAccounts(**segment, std::nullopt, &stop);
      if (!accounts.ok()) return accounts.status();
      const absl::Status written = WriteAccountIndex(files_, directory_, **segment, *accounts);
      if (!written.ok()) return written;
      on_made(number);
    }
    done_ = number;
  }
  return absl::OkStatus();
}

}  // namespace warpbook::journal

#include "schema/journal/scan.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/journal/chain.h"
#include "schema/journal/cursors.h"
#include "schema/journal/format.h"
#include "schema/journal/recovery_table.h"
#include "schema/journal/segment_batches.h"
#include "schema/journal/segment_reader.h"
#include "schema/journal/snapshot_names.h"
#include "schema/journal/watermark.h"

namespace warpbook::journal {
namespace {

// A known durable sequence and who knows it.
struct KnownDurable {
  uint64_t sequence = 0;
  std::string source;
};

absl::StatusOr<KnownDurable> ReadKnownDurable(FileSystem& files, const std::string& directory) {
  KnownDurable known;
  const absl::StatusOr<std::vector<Cursor>> cursors = ReadCursors(files, directory);
  if (!cursors.ok()) return cursors.status();
  for (const Cursor& cursor : *cursors) {
    if (cursor.sequence > known.sequence) {
      known = {cursor.sequence, absl::StrCat("the cursor of ", cursor.name)};
    }
  }
  const absl::StatusOr<std::vector<uint64_t>> snapshots = ListSnapshots(files, directory);
  if (!snapshots.ok()) return snapshots.status();
  if (!snapshots->empty() && snapshots->back() > known.sequence) {
    known = {snapshots->back(), "the newest snapshot"};
  }
  const absl::StatusOr<std::unique_ptr<Watermark>> watermark = Watermark::Open(files, directory);
  if (watermark.ok()) {
    const uint64_t sequence = (*watermark)->Load();
    if (sequence > known.sequence) known = {sequence, "the watermark"};
  } else if (!absl::IsNotFound(watermark.status()) && !absl::IsDataLoss(watermark.status())) {
    return watermark.status();
  }
  return known;
}

class Scanner {
 public:
  Scanner(FileSystem& files, std::string directory, uint32_t rules_version, uint64_t after_sequence,
          const OnBatch& on_batch)
      : files_(files),
        directory_(std::move(directory)),
        rules_version_(rules_version),
        after_sequence_(after_sequence),
        on_batch_(on_batch) {}

  absl::StatusOr<JournalScan> Run() {
    absl::StatusOr<KnownDurable> known = ReadKnownDurable(files_, directory_);
    if (!known.ok()) return known.status();
    known_ = *std::move(known);
    const absl::StatusOr<std::vector<uint64_t>> numbers = ListAllSegments(files_, directory_);
    if (!numbers.ok()) return numbers.status();
    last_number_ = numbers->empty() ? 0 : numbers->back();
    if (after_sequence_ > 0) {
      const absl::Status begun = BeginBehindSnapshot(*numbers);
      if (!begun.ok()) return begun;
    }
    while (true) {
      const absl::StatusOr<StopAction> action = ScanSegment();
      if (!action.ok()) return action.status();
      if (*action != StopAction::kNextSegment) return Result();
    }
  }

 private:
  // Opens the last segment that begins at or before the first sequence that is wanted.
  absl::Status BeginBehindSnapshot(const std::vector<uint64_t>& numbers) {
    for (size_t i = numbers.size(); i > 0; --i) {
      absl::StatusOr<std::unique_ptr<SegmentReader>> segment =
          SegmentReader::Open(files_, directory_, numbers[i - 1]);
      // A damaged one is judged as the successor of the one before it.
      if (absl::IsDataLoss(segment.status())) continue;
      if (!segment.ok()) return segment.status();
      if ((*segment)->header().first_sequence > after_sequence_ + 1) continue;
      segment_ = *std::move(segment);
      chain_ = Chain(segment_->header());
      offset_ = kPageSize;
      return absl::OkStatus();
    }
    return absl::DataLossError(absl::StrCat(directory_, ": no segment holds what follows sequence ",
                                            after_sequence_,
                                            ", which a snapshot ends with; nothing was changed"));
  }

  // Reads the batches of the segment that is open (none before the first), judges the place where
  // they stop, and opens the next segment where that is the verdict.
  absl::StatusOr<StopAction> ScanSegment() {
    StopFacts facts;
    torn_end_ = 0;
    if (segment_ != nullptr) {
      const absl::Status read = ReadBatches(facts);
      if (!read.ok()) return read;
    }
    const absl::Status looked = LookAtSuccessor(facts);
    if (!looked.ok()) return looked;
    facts.known_durable = chain_.next_sequence() <= known_.sequence;

    const StopRow& row = Decide(facts);
    if (row.action == StopAction::kRefuse) return Refusal(facts, row);
    if (row.action == StopAction::kNextSegment) {
      segment_ = std::move(successor_);
      chain_.Advance(segment_->header());
      // The segment before it was whole and synced before this one was made.
      unproven_.clear();
      offset_ = kPageSize;
    }
    return row.action;
  }

  absl::Status ReadBatches(StopFacts& facts) {
    const absl::StatusOr<uint64_t> size = segment_->Size();
    if (!size.ok()) return size.status();
    const absl::StatusOr<std::unique_ptr<SegmentBatches>> batches = SegmentBatches::Open(
        files_, directory_, chain_.segment(), offset_, SegmentBatches::ThreadsFor(*size));
    if (!batches.ok()) return batches.status();
    while (true) {
      const absl::StatusOr<std::optional<StoredBatch>> batch = (*batches)->Next();
      if (!batch.ok()) return batch.status();
      if (!batch->has_value()) break;
      fault_ = chain_.BatchFault(**batch);
      if (!fault_.empty()) {
        facts.spot = Spot::kStranger;
        return absl::OkStatus();
      }
      const absl::Status taken = TakeBatch(**batch);
      if (!taken.ok()) return taken;
    }
    const absl::StatusOr<SegmentRest> rest = segment_->ReadRest(offset_);
    if (!rest.ok()) return rest.status();
    torn_end_ = rest->nonzero_end;
    facts.spot = torn_end_ == 0 ? Spot::kNothing : Spot::kDamaged;
    if (rest->batch_at_offset) {
      facts.later_batch = true;
      fault_ = absl::StrCat("at offset ", *rest->batch_at_offset);
    }
    return absl::OkStatus();
  }

  absl::Status TakeBatch(const StoredBatch& batch) {
    const BatchHeader& header = batch.header;
    std::erase_if(unproven_, [&](const UnprovenBatch& unproven) {
      return unproven.last_sequence <= header.durable_sequence;
    });
    if (header.command_count > 0 && header.first_sequence > after_sequence_) {
      const absl::Status given = GiveBatch(batch);
      if (!given.ok()) return given;
    }
    // A marker too: whatever follows it carries its hash.
    unproven_.push_back({header.first_sequence + header.command_count - 1,
                         {chain_.segment(), offset_, batch.hash}});
    chain_.Advance(batch);
    offset_ = batch.end_offset;
    return absl::OkStatus();
  }

  absl::Status GiveBatch(const StoredBatch& batch) {
    const BatchHeader& header = batch.header;
    // That of a later segment has been looked at (LookAtSuccessor).
    const std::string fault = RulesVersionFault(segment_->header().rules_version, rules_version_);
    if (!fault.empty()) {
      return absl::DataLossError(absl::StrCat(segment_->path(), ", offset ", offset_,
                                              ": at sequence ", header.first_sequence, " ", fault,
                                              "; nothing was changed"));
    }
    return on_batch_({header.epoch, header.first_sequence, header.command_count, header.event_count,
                      batch.body, rules_version_});
  }

  // Sets facts.successor, and successor_ where it continues the journal.
  absl::Status LookAtSuccessor(StopFacts& facts) {
    const uint64_t number = chain_.segment() + 1;
    if (number > last_number_) return absl::OkStatus();
    facts.successor = Successor::kBroken;
    const std::string path = SegmentPath(directory_, number);
    absl::StatusOr<std::unique_ptr<SegmentReader>> successor =
        SegmentReader::Open(files_, directory_, number);
    if (absl::IsNotFound(successor.status())) {
      successor_fault_ = absl::StrCat(path, " is missing");
      return absl::OkStatus();
    }
    if (absl::IsDataLoss(successor.status())) {
      successor_fault_ = std::string(successor.status().message());
      return absl::OkStatus();
    }
    if (!successor.ok()) return successor.status();
    const absl::StatusOr<bool> whole = SegmentIsWhole();
    if (!whole.ok()) return whole.status();
    const SegmentHeader& header = (*successor)->header();
    std::string fault = chain_.SegmentFault(header, *whole);
    if (fault.empty()) fault = RulesVersionFault(header.rules_version, rules_version_);
    if (!fault.empty()) {
      successor_fault_ = absl::StrCat(path, ": ", fault);
      return absl::OkStatus();
    }
    facts.successor = Successor::kContinues;
    successor_ = *std::move(successor);
    return absl::OkStatus();
  }

  absl::StatusOr<bool> SegmentIsWhole() {
    if (segment_ == nullptr) return true;
    const absl::StatusOr<uint64_t> size = segment_->Size();
    if (!size.ok()) return size.status();
    return *size == segment_->header().segment_size;
  }

  absl::Status Refusal(const StopFacts& facts, const StopRow& row) const {
    const std::string place =
        segment_ == nullptr ? directory_ : absl::StrCat(segment_->path(), ", offset ", offset_);
    std::string detail;
    if (facts.spot == Spot::kStranger || facts.later_batch) {
      detail = fault_;
    } else if (facts.successor == Successor::kBroken) {
      detail = successor_fault_;
    } else if (facts.known_durable) {
      detail = absl::StrCat(known_.source, " is at sequence ", known_.sequence);
    }
    return absl::DataLossError(absl::StrCat(place, ": at sequence ", chain_.next_sequence(), " ",
                                            absl::string_view(row.reason.data(), row.reason.size()),
                                            detail.empty() ? "" : " (", detail,
                                            detail.empty() ? "" : ")", "; nothing was changed"));
  }

  JournalScan Result() const {
    JournalScan scan;
    scan.segment = chain_.segment();
    scan.epoch = chain_.epoch();
    scan.last_sequence = chain_.next_sequence() - 1;
    scan.last_batch_hash = chain_.batch_hash();
    scan.end_offset = offset_;
    scan.torn_end = torn_end_;
    for (const UnprovenBatch& unproven : unproven_) scan.unproven.push_back(unproven.place);
    return scan;
  }

  struct UnprovenBatch {
    uint64_t last_sequence;
    StoredPlace place;
  };

  FileSystem& files_;
  const std::string directory_;
  const uint32_t rules_version_;
  const uint64_t after_sequence_;
  const OnBatch& on_batch_;

  KnownDurable known_;
  uint64_t last_number_ = 0;
  Chain chain_;
  std::unique_ptr<SegmentReader> segment_;  // null before the first
  std::unique_ptr<SegmentReader> successor_;
  uint64_t offset_ = 0;
  uint64_t torn_end_ = 0;
  std::string fault_;
  std::string successor_fault_;
  std::vector<UnprovenBatch> unproven_;
};

}  // namespace

absl::StatusOr<JournalScan> ScanJournal(FileSystem& files, const std::string& directory,
                                        uint32_t rules_version, uint64_t after_sequence,
                                        const OnBatch& on_batch) {
  return Scanner(files, directory, rules_version, after_sequence, on_batch).Run();
}

}  // namespace warpbook::journal

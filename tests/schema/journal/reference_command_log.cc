#include "tests/schema/journal/reference_command_log.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"
#include "tests/schema/journal/journal_fixture.h"

namespace warpbook::journal::test {

const std::array<FlawAndRule, 17> kFlaws = {{
    {Flaw::kAcknowledgesBeforeDurable, "An acknowledged batch survives a crash"},
    {Flaw::kLosesLastBatchAtCrash, "An acknowledged batch survives a crash"},
    {Flaw::kTearsBatchInFlight, "A batch in flight is there whole or not at all"},
    {Flaw::kForgetsWhatRecoverGave, "What Recover gave is durable from Begin on"},
    {Flaw::kShowsBeforeDurable, "A reader sees each batch from its acknowledgement on, not before"},
    {Flaw::kShowsOneBatchLate, "A reader sees each batch from its acknowledgement on, not before"},
    {Flaw::kStopsReadersAtNewEpoch, "A reader outlives the process that appends"},
    {Flaw::kReadersBeginAtBatchBehind, "A reader begins where it asks to"},
    {Flaw::kTakesStaleEpoch, "A second process is refused, or fences the first"},
    {Flaw::kFencesAtBeginOnly, "A second process is refused, or fences the first"},
    {Flaw::kKeepsEpoch, "Epochs rise"},
    {Flaw::kReusesSequence, "An acknowledged batch survives a crash"},
    {Flaw::kAnswersOkAfterFault, "A fault is final"},
    {Flaw::kWritesAfterFault, "A fault is final"},
    {Flaw::kShowsMarkers, "Markers take no sequence and are shown to nobody"},
    {Flaw::kCutsWhatWasRefused, "A refusal at Recover changes nothing"},
    {Flaw::kIgnoresStart, "Recover begins behind the start that it is told"},
}};

namespace {

struct StoredBatch {
  uint64_t epoch = 0;
  uint64_t first_sequence = 0;
  uint32_t command_count = 0;
  uint32_t event_count = 0;
  std::vector<std::byte> records;
  BatchView view() const {
    return {epoch, first_sequence, command_count, event_count, records, kRules};
  }
};

// What all processes share.
struct SharedLog {
  Flaw flaw = Flaw::kNone;
  std::vector<StoredBatch> batches;
  size_t durable = 0;    // how many of them; at most one more is in flight, or was at a fault
  uint64_t epoch = 0;    // of the last Begin
  uint64_t holders = 0;  // the last Recover's: earlier ones are fenced
  std::function<absl::Status()> in_flight_hook;

  bool Has(Flaw wrong) const { return flaw == wrong; }
  // How many batches a reader may see.
  size_t visible() const {
    if (Has(Flaw::kShowsBeforeDurable)) return batches.size();
    if (Has(Flaw::kShowsOneBatchLate)) return durable == 0 ? 0 : durable - 1;
    return durable;
  }
};

class ReferenceAppender final : public LogAppender {
 public:
  ReferenceAppender(std::shared_ptr<SharedLog> log, uint64_t holder)
      : log_(std::move(log)),
        holder_(holder),
        epoch_(log_->epoch),
        next_sequence_(log_->batches.empty() ? 1
                                             : log_->batches.back().first_sequence +
                                                   log_->batches.back().command_count) {}

  absl::Status Append(const BatchToWrite& batch) override {
    if (!Check().ok()) {
      if (log_->Has(Flaw::kAnswersOkAfterFault)) return absl::OkStatus();
      if (log_->Has(Flaw::kWritesAfterFault)) Write(batch);
      return Check();
    }
    Write(batch);
    if (log_->Has(Flaw::kAcknowledgesBeforeDurable)) return absl::OkStatus();
    if (log_->in_flight_hook != nullptr) fault_ = log_->in_flight_hook();
    if (fault_.ok()) log_->durable = log_->batches.size();
    return fault_;
  }

  // What is durable is known to be: nothing to do.
  absl::Status WriteIdleMarker() override {
    if (log_->Has(Flaw::kShowsMarkers) && Check().ok()) {
      log_->batches.push_back({epoch_, next_sequence_, 0, 0, {}});
      log_->durable = log_->batches.size();
    }
    return Check();
  }
  bool needs_idle_marker() const override { return false; }

 private:
  absl::Status Check() const {
    if (!fault_.ok()) return fault_;
    const bool fenced =
        log_->Has(Flaw::kFencesAtBeginOnly) ? epoch_ < log_->epoch : holder_ < log_->holders;
    if (!fenced || log_->Has(Flaw::kTakesStaleEpoch)) return absl::OkStatus();
    return absl::AbortedError("another process has taken the log over");
  }
  void Write(const BatchToWrite& batch) {
    log_->batches.push_back({epoch_, next_sequence_, batch.command_count, batch.event_count,
                             std::vector<std::byte>(batch.records.begin(), batch.records.end())});
    next_sequence_ += batch.command_count;
  }

  const std::shared_ptr<SharedLog> log_;
  const uint64_t holder_;
  const uint64_t epoch_;
  uint64_t next_sequence_;
  absl::Status fault_;
};

class ReferenceReader final : public LogReader {
 public:
  ReferenceReader(std::shared_ptr<SharedLog> log, size_t at)
      : log_(std::move(log)), at_(at), epoch_(log_->epoch) {}

  absl::StatusOr<std::optional<BatchView>> Next() override {
    if (at_ >= log_->visible()) return std::nullopt;
    if (log_->Has(Flaw::kStopsReadersAtNewEpoch) && log_->batches[at_].epoch > epoch_) {
      return std::nullopt;
    }
    return log_->batches[at_++].view();
  }

 private:
  const std::shared_ptr<SharedLog> log_;
  size_t at_;
  const uint64_t epoch_;
};

class ReferenceLog final : public CommandLog {
 public:
  explicit ReferenceLog(std::shared_ptr<SharedLog> log) : log_(std::move(log)) {}

  absl::StatusOr<LogEnd> Recover(const FindStart& find_start, const OnBatch& on_batch) override {
    const absl::StatusOr<uint64_t> start = find_start == nullptr ? 0 : find_start();
    if (!start.ok()) return start.status();
    for (const StoredBatch& batch : log_->batches) {
      if (batch.first_sequence <= *start && !log_->Has(Flaw::kIgnoresStart)) continue;
      const absl::Status given = on_batch(batch.view());
      if (given.ok()) continue;
      if (log_->Has(Flaw::kCutsWhatWasRefused)) {
        log_->durable = static_cast<size_t>(&batch - log_->batches.data());
        log_->batches.resize(log_->durable);
      }
      return given;
    }
    holder_ = ++log_->holders;
    // Also the batch that was in flight at the end of the last process.
    if (!log_->Has(Flaw::kForgetsWhatRecoverGave)) log_->durable = log_->batches.size();
    LogEnd end;
    if (!log_->batches.empty()) {
      end.last_sequence =
          log_->batches.back().first_sequence + log_->batches.back().command_count - 1;
    }
    if (log_->Has(Flaw::kReusesSequence) && end.last_sequence > 0) --end.last_sequence;
    end.next_epoch = log_->epoch + (log_->Has(Flaw::kKeepsEpoch) ? 0 : 1);
    return end;
  }

  absl::StatusOr<std::unique_ptr<LogAppender>> Begin() override {
    WARPBOOK_CHECK(holder_ > 0);
    if (!log_->Has(Flaw::kKeepsEpoch)) ++log_->epoch;
    return std::make_unique<ReferenceAppender>(log_, std::exchange(holder_, 0));
  }

 private:
  const std::shared_ptr<SharedLog> log_;
  uint64_t holder_ = 0;  // 0: not recovered
};

class ReferenceWorld final : public LogWorld {
 public:
  explicit ReferenceWorld(Flaw flaw) { log_->flaw = flaw; }

  std::unique_ptr<CommandLog> Connect() override { return std::make_unique<ReferenceLog>(log_); }

  absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(uint64_t from_sequence) override {
    size_t at = 0;
    uint64_t next_sequence = 1;
    while (at < log_->durable) {
      const StoredBatch& batch = log_->batches[at];
      next_sequence = batch.first_sequence + batch.command_count;
      if (from_sequence < next_sequence) break;
      ++at;
    }
    if (from_sequence > next_sequence) return absl::OutOfRangeError("the log ends before");
    if (log_->Has(Flaw::kReadersBeginAtBatchBehind) && from_sequence > 1) ++at;
    return std::make_unique<ReferenceReader>(log_, at);
  }

  void SetInFlightHook(std::function<absl::Status()> hook) override {
    log_->in_flight_hook = std::move(hook);
  }

  void Crash(const std::function<bool()>& keep) override {
    if (log_->Has(Flaw::kLosesLastBatchAtCrash) && log_->durable > 0) --log_->durable;
    if (log_->batches.size() > log_->durable && !keep()) {
      StoredBatch& in_flight = log_->batches[log_->durable];
      const bool torn = log_->Has(Flaw::kTearsBatchInFlight) && in_flight.command_count > 1;
      if (torn) in_flight.command_count /= 2;
      log_->batches.resize(log_->durable + (torn ? 1 : 0));
    }
    log_->durable = log_->batches.size();
  }

 private:
  const std::shared_ptr<SharedLog> log_ = std::make_shared<SharedLog>();
};

}  // namespace

std::unique_ptr<LogWorld> MakeReferenceWorld(Flaw flaw) {
  return std::make_unique<ReferenceWorld>(flaw);
}

}  // namespace warpbook::journal::test

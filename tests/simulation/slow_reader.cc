#include "tests/simulation/slow_reader.h"

#include "tests/simulation/violation.h"

namespace warpbook::simulation {

void SlowReader::Step() {
  if (reader_ == nullptr || machine_.random().OneIn(20)) {
    Open();
    return;
  }
  const absl::StatusOr<std::optional<journal::BatchView>> batch = reader_->Next();
  Require(batch.ok(), "a reader cannot read the journal: ", batch.status().ToString());
  if (!batch->has_value()) return;
  const uint64_t first = (*batch)->first_sequence;
  const uint64_t end = first + (*batch)->command_count;
  Require(next_sequence_ == 0 ? first <= from_sequence_ && from_sequence_ < end
                              : first == next_sequence_,
          "a reader from sequence ", from_sequence_, " on is given sequence ", first, ", expected ",
          next_sequence_);
  model_.CheckShown(first, (*batch)->command_count, (*batch)->records);
  next_sequence_ = end;
}

void SlowReader::Open() {
  from_sequence_ = 1 + machine_.random().Below(model_.durable_sequence() + 1);
  next_sequence_ = 0;
  absl::StatusOr<std::unique_ptr<journal::TailReader>> reader =
      journal::TailReader::Open(machine_.disk(), kJournalDirectory, from_sequence_);
  if (reader.ok()) {
    reader_ = *std::move(reader);
    return;
  }
  reader_.reset();
  // As for settlement: before the first recovery, or before the one after a loss of power.
  Require(absl::IsNotFound(reader.status()) || absl::IsOutOfRange(reader.status()),
          "a reader cannot open the journal: ", reader.status().ToString());
}

}  // namespace warpbook::simulation

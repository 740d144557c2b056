#include "schema/journal/chain.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "schema/wire/record.h"

namespace warpbook::journal {
namespace {

// What is wrong with the records: they are whole and known, commands are numbered as the header
// says, each event follows its command.
std::string RecordsFault(const StoredBatch& batch) {
  wire::RecordFault fault{};
  if (!wire::ValidateRecords(batch.body, &fault)) {
    return absl::StrCat(absl::string_view(fault.what.data(), fault.what.size()), " at byte ",
                        fault.offset, " of its records");
  }
  uint32_t commands = 0;
  uint32_t events = 0;
  for (const wire::RecordView record : wire::Records(batch.body)) {
    if (wire::IsCommand(record.type())) {
      if (record.command_index() != commands ||
          record.command_header().sequence() != batch.header.first_sequence + commands) {
        return "its commands are not in sequence";
      }
      ++commands;
    } else {
      if (commands == 0 || record.command_index() != commands - 1) {
        return "an event does not follow its command";
      }
      ++events;
    }
  }
  if (commands != batch.header.command_count || events != batch.header.event_count) {
    return "its header miscounts its records";
  }
  return "";
}

}  // namespace

std::string Chain::SegmentFault(const SegmentHeader& header, bool previous_is_whole) const {
  if (header.number != segment_ + 1) return "it is out of order";
  if (header.epoch < epoch_) {
    return absl::StrCat("it is out of order: its epoch ", header.epoch, " follows epoch ", epoch_);
  }
  if (header.first_sequence != next_sequence_) {
    return absl::StrCat("it begins at sequence ", header.first_sequence, ", not at ",
                        next_sequence_);
  }
  if (header.previous_batch_hash != batch_hash_) {
    return "its hash of the batch before it is another";
  }
  if (header.epoch == epoch_ && !previous_is_whole) {
    return "the segment before it was cut, yet its epoch is not higher";
  }
  return "";
}

std::string Chain::BatchFault(const StoredBatch& batch) const {
  const BatchHeader& header = batch.header;
  if (header.epoch != epoch_) {
    return absl::StrCat("its epoch is ", header.epoch, ", its segment's is ", epoch_);
  }
  if (header.first_sequence != next_sequence_) {
    return absl::StrCat("it begins at sequence ", header.first_sequence, ", not at ",
                        next_sequence_);
  }
  if (header.previous_batch_hash != batch_hash_) {
    return "its hash of the batch before it is another";
  }
  if (header.durable_sequence >= header.first_sequence) {
    return "it says that it was durable before it was written";
  }
  return RecordsFault(batch);
}

void Chain::Advance(const SegmentHeader& header) {
  segment_ = header.number;
  epoch_ = header.epoch;
}

void Chain::Advance(const StoredBatch& batch) {
  next_sequence_ += batch.header.command_count;
  batch_hash_ = batch.hash;
}

}  // namespace warpbook::journal

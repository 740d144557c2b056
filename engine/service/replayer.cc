#include "engine/service/replayer.h"

#include <cstdio>
#include <cstring>
#include <span>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engine/service/prefetch.h"
#include "schema/base/log.h"

namespace warpbook::engine {
namespace {

constexpr std::chrono::seconds kProgressInterval(5);

absl::string_view NameOf(wire::RecordView record) {
  const std::string_view name = wire::RecordName(record.type());
  return {name.data(), name.size()};
}

// By words of the machine: std::equal goes byte by byte.
bool Same(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// Where the journaled and the regenerated records part. One of them differs or is missing.
absl::Status Difference(std::span<const std::byte> journaled, std::span<const std::byte> given) {
  const wire::Records journaled_records(journaled);
  const wire::Records given_records(given);
  auto was = journaled_records.begin();
  auto is = given_records.begin();
  uint64_t sequence = 0;
  wire::RecordType command_type = wire::RecordType::kNone;
  while (was != journaled_records.end() && is != given_records.end() &&
         Same((*was).bytes(), (*is).bytes())) {
    if (wire::IsCommand((*was).type())) {
      sequence = (*was).command_header().sequence();
      command_type = (*was).type();
    }
    ++was;
    ++is;
  }
  // Either may be at its end or already at the next command.
  const auto describe = [](auto at, auto end) -> absl::string_view {
    return at == end || wire::IsCommand((*at).type()) ? "no further event" : NameOf(*at);
  };
  const std::string_view command_name = wire::RecordName(command_type);
  return absl::DataLossError(absl::StrCat(
      "the replay of sequence ", sequence, " (",
      absl::string_view(command_name.data(), command_name.size()),
      ") gives other events than were journaled: journaled ",
      describe(was, journaled_records.end()), ", given ", describe(is, given_records.end())));
}

}  // namespace

absl::Status Replayer::Replay(const journal::BatchView& batch) {
  writer_.Clear();
  commands_of_batch_.clear();
  for (const wire::RecordView record : wire::Records(batch.records)) {
    if (wire::IsCommand(record.type())) commands_of_batch_.push_back(record);
  }
  uint32_t index = 0;
  for (const wire::RecordView command : commands_of_batch_) {
    PrefetchAhead(engine_, index, commands_of_batch_.size(),
                  [this](size_t i) { return commands_of_batch_[i]; });
    const wire::CommandHeader& header = command.command_header();
    // The engine CHECKs both: they are the sequencer's duty, and here the journal's.
    if (header.sequence() != engine_.last_sequence().value() + 1 ||
        Timestamp(header.time_us()) < engine_.last_time()) {
      return absl::DataLossError(absl::StrCat("sequence ", header.sequence(), " at time ",
                                              header.time_us(), " does not follow sequence ",
                                              engine_.last_sequence().value(), " at time ",
                                              engine_.last_time().micros()));
    }
    writer_.Append(command, index);
    engine_.Apply(command, index, writer_);
    ++index;
  }
  if (!Same(batch.records, writer_.bytes())) return Difference(batch.records, writer_.bytes());
  commands_ += batch.command_count;
  events_ += batch.event_count;
  if (progress_ != Progress::kNone) TellProgress();
  return absl::OkStatus();
}

void Replayer::TellProgress() {
  const auto now = std::chrono::steady_clock::now();
  if (now - told_ < kProgressInterval) return;
  told_ = now;
  if (progress_ == Progress::kLog) {
    return Log(LogLevel::kInfo, "replaying",
               JsonObject().Integer("commands", static_cast<int64_t>(commands_)));
  }
  std::fprintf(stderr, "replaying the journal: %llu commands so far\n",
               static_cast<unsigned long long>(commands_));
}

}  // namespace warpbook::engine

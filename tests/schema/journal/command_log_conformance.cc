#include "tests/schema/journal/command_log_conformance.h"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/schema/journal/journal_fixture.h"

namespace warpbook::journal::test {
namespace {

const absl::Status kFault = absl::UnknownError("the disk is gone");

bool KeepNothing() { return false; }
bool KeepEverything() { return true; }

// A batch as it was written, or as a reader or Recover gave it.
struct KeptBatch {
  uint64_t epoch = 0;
  uint64_t first_sequence = 0;
  uint32_t command_count = 0;
  uint32_t event_count = 0;
  std::vector<std::byte> records;
  friend bool operator==(const KeptBatch&, const KeptBatch&) = default;
};
using KeptLog = std::vector<KeptBatch>;

KeptBatch Keep(const BatchView& batch) {
  return {batch.epoch, batch.first_sequence, batch.command_count, batch.event_count,
          std::vector<std::byte>(batch.records.begin(), batch.records.end())};
}

uint64_t LastSequence(const KeptLog& log) {
  return log.empty() ? 0 : log.back().first_sequence + log.back().command_count - 1;
}

std::string Describe(const KeptLog& log) {
  std::string text = "[";
  for (const KeptBatch& batch : log) {
    absl::StrAppend(&text, text.size() > 1 ? " " : "", batch.first_sequence, "+",
                    batch.command_count, "@", batch.epoch);
  }
  return text + "]";
}

class Expectations {
 public:
  explicit Expectations(Violations& violations) : violations_(violations) {}
  bool That(bool holds, absl::string_view otherwise) {
    if (!holds) violations_.emplace_back(otherwise);
    return holds;
  }
  bool Ok(const absl::Status& status, absl::string_view what) {
    return That(status.ok(), absl::StrCat(what, ": ", status.ToString()));
  }
  bool Same(const KeptLog& is, const KeptLog& expected, absl::string_view what) {
    return That(is == expected,
                absl::StrCat(what, " gives ", Describe(is), " and not ", Describe(expected)));
  }

 private:
  Violations& violations_;
};

absl::StatusOr<LogEnd> RecoverInto(CommandLog& log, KeptLog& kept) {
  return log.Recover(nullptr, [&](const BatchView& batch) {
    kept.push_back(Keep(batch));
    return absl::OkStatus();
  });
}

// One process's life with the log, from Recover on.
class Process {
 public:
  Process(LogWorld& world, Expectations& expect) : log_(world.Connect()) {
    const absl::StatusOr<LogEnd> end = RecoverInto(*log_, recovered_);
    if (!expect.Ok(end.status(), "Recover")) return;
    end_ = *end;
    expect.That(end_.last_sequence == LastSequence(recovered_),
                absl::StrCat("Recover says that the log ends at ", end_.last_sequence,
                             ", and gives ", Describe(recovered_)));
    absl::StatusOr<std::unique_ptr<LogAppender>> appender = log_->Begin();
    if (!expect.Ok(appender.status(), "Begin")) return;
    appender_ = *std::move(appender);
    next_sequence_ = end_.last_sequence + 1;
  }

  bool began() const { return appender_ != nullptr; }
  const KeptLog& recovered() const { return recovered_; }
  const LogEnd& end() const { return end_; }
  LogAppender& appender() { return *appender_; }

  KeptBatch Next(uint32_t command_count) const {
    MadeBatch made = MakeBatch(next_sequence_, command_count);
    return {end_.next_epoch, next_sequence_, made.command_count, made.event_count,
            std::move(made.records)};
  }
  // Appends the next batch; keeps it in `acknowledged` where it is.
  absl::Status Append(uint32_t command_count, KeptLog& acknowledged) {
    KeptBatch batch = Next(command_count);
    const absl::Status status =
        appender_->Append({batch.command_count, batch.event_count, batch.records});
    if (!status.ok()) return status;
    next_sequence_ += command_count;
    acknowledged.push_back(std::move(batch));
    return status;
  }

 private:
  const std::unique_ptr<CommandLog> log_;
  KeptLog recovered_;
  LogEnd end_;
  std::unique_ptr<LogAppender> appender_;
  uint64_t next_sequence_ = 1;
};

// What a later life finds.
KeptLog Recovered(LogWorld& world, Expectations& expect) {
  KeptLog kept;
  expect.Ok(RecoverInto(*world.Connect(), kept).status(), "Recover");
  return kept;
}

// What the reader has now.
KeptLog ReadAll(LogReader& reader, Expectations& expect) {
  KeptLog kept;
  while (true) {
    const absl::StatusOr<std::optional<BatchView>> batch = reader.Next();
    if (!expect.Ok(batch.status(), "Next") || !batch->has_value()) return kept;
    kept.push_back(Keep(**batch));
  }
}

KeptLog ReadFrom(LogWorld& world, uint64_t sequence, Expectations& expect) {
  const absl::StatusOr<std::unique_ptr<LogReader>> reader = world.OpenReader(sequence);
  if (!expect.Ok(reader.status(), "OpenReader")) return {};
  return ReadAll(**reader, expect);
}

// ---- The rules ----

void AcknowledgedSurvivesCrash(LogWorld& world, Violations& violations) {
  Expectations expect(violations);
  KeptLog acknowledged;
  for (const std::vector<uint32_t>& counts :
       {std::vector<uint32_t>{3}, {1, 40, 2}, {}, {7, 7}, {100}}) {
    {
      Process process(world, expect);
      if (!process.began()) return;
      for (const uint32_t count : counts) {
        expect.Ok(process.Append(count, acknowledged), "Append");
      }
    }
    world.Crash(KeepNothing);
    expect.Same(Recovered(world, expect), acknowledged, "Recover after a crash");
  }
}

void InFlightIsWholeOrNotThere(LogWorld& world, Violations& violations) {
  Expectations expect(violations);
  std::mt19937 random(5);
  KeptLog expected;
  for (int life = 0; life < world.lives(); ++life) {
    std::optional<KeptBatch> in_flight;
    {
      Process process(world, expect);
      if (!process.began()) return;
      expect.Ok(process.Append(2, expected), "Append");
      in_flight = process.Next(1 + static_cast<uint32_t>(random() % 60));
      world.SetInFlightHook([] { return kFault; });
      KeptLog none;
      expect.That(!process.Append(in_flight->command_count, none).ok(),
                  "a batch that could not be made durable is acknowledged");
      world.SetInFlightHook(nullptr);
    }
    const auto kept_of_8 = static_cast<unsigned>(life) % 9;
    if (life % 5 > 0) world.Crash([&] { return random() % 8 < kept_of_8; });
    const KeptLog found = Recovered(world, expect);
    if (found.size() > expected.size()) expected.push_back(*in_flight);
    if (!expect.Same(found, expected, "Recover after a batch in flight")) return;
  }
}

void RecoveredIsDurable(LogWorld& world, Violations& violations) {
  Expectations expect(violations);
  KeptLog acknowledged;
  {
    Process process(world, expect);
    if (!process.began()) return;
    expect.Ok(process.Append(5, acknowledged), "Append");
    world.SetInFlightHook([] { return kFault; });
    KeptLog none;
    expect.That(!process.Append(30, none).ok(), "a batch that failed is acknowledged");
    world.SetInFlightHook(nullptr);
  }
  KeptLog found;
  {
    Process process(world, expect);  // finds the batch in flight, perhaps
    if (!process.began()) return;
    found = process.recovered();
  }
  world.Crash(KeepNothing);
  expect.Same(Recovered(world, expect), found, "Recover after a crash of what Recover gave before");
}

void ReadersSeeWhatIsDurable(LogWorld& world, Violations& violations) {
  Expectations expect(violations);
  Process process(world, expect);
  if (!process.began()) return;
  const absl::StatusOr<std::unique_ptr<LogReader>> reader = world.OpenReader(1);
  if (!expect.Ok(reader.status(), "OpenReader")) return;
  KeptLog acknowledged;
  KeptLog seen;
  const auto read = [&] {
    for (KeptBatch& batch : ReadAll(**reader, expect)) seen.push_back(std::move(batch));
  };
  for (const uint32_t count : {1u, 25u, 3u, 60u, 1u}) {
    world.SetInFlightHook([&] {
      read();
      expect.Same(seen, acknowledged, "a reader while a batch is in flight");
      return absl::OkStatus();
    });
    expect.Ok(process.Append(count, acknowledged), "Append");
    world.SetInFlightHook(nullptr);
    read();
    expect.Same(seen, acknowledged, "a reader after the acknowledgement");
    if (seen != acknowledged) return;
  }
}

void ReadersNeverSeeWhatMayGo(LogWorld& world, Violations& violations) {
  Expectations expect(violations);
  KeptLog acknowledged;
  {
    Process process(world, expect);
    if (!process.began()) return;
    expect.Ok(process.Append(4, acknowledged), "Append");
    world.SetInFlightHook([] { return kFault; });
    KeptLog none;
    expect.That(!process.Append(9, none).ok(), "a batch that failed is acknowledged");
    world.SetInFlightHook(nullptr);
    expect.Same(ReadFrom(world, 1, expect), acknowledged, "a reader after a fault");
  }
  expect.Same(ReadFrom(world, 1, expect), acknowledged, "a reader after the process");
}

void ReadersOutliveProcesses(LogWorld& world, Violations& violations) {
  Expectations expect(violations);
  std::unique_ptr<LogReader> reader;
  KeptLog acknowledged;
  KeptLog seen;
  for (int life = 0; life < 3; ++life) {
    Process process(world, expect);
    if (!process.began()) return;
    if (reader == nullptr) {
      absl::StatusOr<std::unique_ptr<LogReader>> opened = world.OpenReader(1);
      if (!expect.Ok(opened.status(), "OpenReader")) return;
      reader = *std::move(opened);
    }
    expect.Ok(process.Append(30, acknowledged), "Append");
    for (KeptBatch& batch : ReadAll(*reader, expect)) seen.push_back(std::move(batch));
    expect.Ok(process.Append(1, acknowledged), "Append");
  }
  for (KeptBatch& batch : ReadAll(*reader, expect)) seen.push_back(std::move(batch));
  expect.Same(seen, acknowledged, "a reader over three lives of the appender");
}

void ReadersBeginWhereTheyAsk(LogWorld& world, Violations& violations) {
  Expectations expect(violations);
  Process process(world, expect);
  if (!process.began()) return;
  KeptLog log;
  for (const uint32_t count : {2u, 1u, 4u}) expect.Ok(process.Append(count, log), "Append");
  for (uint64_t from = 1; from <= LastSequence(log) + 1; ++from) {
    const auto first = std::ranges::find_if(log, [&](const KeptBatch& batch) {
      return batch.first_sequence + batch.command_count > from;
    });
    expect.Same(ReadFrom(world, from, expect), KeptLog(first, log.end()),
                absl::StrCat("a reader from ", from));
  }
  expect.That(absl::IsOutOfRange(world.OpenReader(LastSequence(log) + 2).status()),
              "a reader may begin beyond the next sequence");
}

void FaultIsFinal(LogWorld& world, Violations& violations) {
  Expectations expect(violations);
  KeptLog acknowledged;
  std::optional<KeptBatch> in_flight;
  {
    Process process(world, expect);
    if (!process.began()) return;
    expect.Ok(process.Append(4, acknowledged), "Append");
    world.SetInFlightHook([] { return kFault; });
    in_flight = process.Next(2);
    KeptLog none;
    expect.That(!process.Append(2, none).ok(), "a batch that failed is acknowledged");
    world.SetInFlightHook(nullptr);
    for (int i = 0; i < 3; ++i) {
      expect.That(!process.Append(2, none).ok(), "Append answers OK after a fault");
      expect.That(!process.appender().WriteIdleMarker().ok(),
                  "WriteIdleMarker answers OK after a fault");
    }
  }
  const KeptLog found = Recovered(world, expect);
  if (found.size() > acknowledged.size()) acknowledged.push_back(*in_flight);
  expect.Same(found, acknowledged, "Recover after a fault");
}

void SecondProcessIsRefusedOrFences(LogWorld& world, Violations& violations) {
  Expectations expect(violations);
  KeptLog acknowledged;
  {
    Process first(world, expect);
    if (!first.began()) return;
    expect.Ok(first.Append(3, acknowledged), "Append");
    const std::unique_ptr<CommandLog> second = world.Connect();
    KeptLog found;
    const absl::StatusOr<LogEnd> end = RecoverInto(*second, found);
    if (!end.ok()) {
      expect.That(absl::IsFailedPrecondition(end.status()),
                  "a second process is refused with " + end.status().ToString());
      expect.Ok(first.Append(3, acknowledged), "Append after a second process was refused");
    } else {
      expect.Same(found, acknowledged, "the Recover of a second process");
      KeptLog none;
      expect.That(!first.Append(2, none).ok(), "an appender that was taken over from gets OK");
      absl::StatusOr<std::unique_ptr<LogAppender>> appender = second->Begin();
      if (!expect.Ok(appender.status(), "Begin")) return;
      expect.That(!first.Append(2, none).ok(), "an appender of an earlier epoch gets OK");
      expect.That(!first.appender().WriteIdleMarker().ok(), "an earlier epoch's marker is written");
      const MadeBatch batch = MakeBatch(end->last_sequence + 1, 5);
      expect.Ok((*appender)->Append(batch.view()), "Append of the later epoch");
      acknowledged.push_back({end->next_epoch, end->last_sequence + 1, batch.command_count,
                              batch.event_count, batch.records});
    }
    expect.Same(ReadFrom(world, 1, expect), acknowledged, "a reader beside two processes");
  }
  world.Crash(KeepEverything);
  expect.Same(Recovered(world, expect), acknowledged, "Recover after two processes");
}

void EpochsRise(LogWorld& world, Violations& violations) {
  Expectations expect(violations);
  uint64_t epoch = 0;
  for (int life = 0; life < 4; ++life) {
    Process process(world, expect);
    if (!process.began()) return;
    expect.That(process.end().next_epoch > epoch,
                absl::StrCat("epoch ", process.end().next_epoch, " follows epoch ", epoch));
    epoch = process.end().next_epoch;
    KeptLog appended;
    // Also the epoch of a life that writes nothing is never used again.
    if (life % 2 == 0) expect.Ok(process.Append(1, appended), "Append");
  }
}

void MarkersAreShownToNobody(LogWorld& world, Violations& violations) {
  Expectations expect(violations);
  KeptLog acknowledged;
  {
    Process process(world, expect);
    if (!process.began()) return;
    for (const uint32_t count : {1u, 30u, 2u}) {
      for (int i = 0; i < 2; ++i) {
        expect.Ok(process.appender().WriteIdleMarker(), "WriteIdleMarker");
        expect.That(!process.appender().needs_idle_marker(), "a marker is needed after a marker");
      }
      expect.Same(ReadFrom(world, LastSequence(acknowledged) + 1, expect), {},
                  "a reader after a marker");
      expect.Ok(process.Append(count, acknowledged), "Append");
    }
    expect.Ok(process.appender().WriteIdleMarker(), "WriteIdleMarker");
    expect.Same(ReadFrom(world, 1, expect), acknowledged, "a reader over markers");
  }
  world.Crash(KeepNothing);
  expect.Same(Recovered(world, expect), acknowledged, "Recover over markers");
}

void RefusalChangesNothing(LogWorld& world, Violations& violations) {
  Expectations expect(violations);
  KeptLog acknowledged;
  {
    Process process(world, expect);
    if (!process.began()) return;
    for (const uint32_t count : {1u, 3u, 2u}) {
      expect.Ok(process.Append(count, acknowledged), "Append");
    }
  }
  const absl::Status refused =
      world.Connect()
          ->Recover(nullptr,
                    [&](const BatchView& batch) {
                      return batch.first_sequence == 1 ? absl::OkStatus()
                                                       : absl::AbortedError("refused by the test");
                    })
          .status();
  expect.That(absl::IsAborted(refused), "a refused batch is answered with " + refused.ToString());
  expect.Same(Recovered(world, expect), acknowledged, "Recover after a refusal");
}

void RecoverBeginsBehindStart(LogWorld& world, Violations& violations) {
  Expectations expect(violations);
  KeptLog acknowledged;
  for (int life = 0; life < 2; ++life) {
    Process process(world, expect);
    if (!process.began()) return;
    for (const uint32_t count : {2u, 3u, 1u}) {
      expect.Ok(process.Append(count, acknowledged), "Append");
    }
  }
  for (size_t known = 0; known <= acknowledged.size(); ++known) {
    const KeptLog behind(acknowledged.begin() + static_cast<ptrdiff_t>(known), acknowledged.end());
    const uint64_t start =
        behind.empty() ? LastSequence(acknowledged) : behind.front().first_sequence - 1;
    KeptLog given;
    const absl::StatusOr<LogEnd> end = world.Connect()->Recover([start] { return start; },
                                                                [&](const BatchView& batch) {
                                                                  given.push_back(Keep(batch));
                                                                  return absl::OkStatus();
                                                                });
    if (!expect.Ok(end.status(), absl::StrCat("Recover behind ", start))) continue;
    expect.Same(given, behind, absl::StrCat("Recover behind ", start));
    expect.That(
        end->last_sequence == LastSequence(acknowledged),
        absl::StrCat("Recover behind ", start, " says that the log ends at ", end->last_sequence));
  }
  const absl::Status refused =
      world.Connect()
          ->Recover([] { return absl::AbortedError("refused by the test"); },
                    [](const BatchView&) { return absl::OkStatus(); })
          .status();
  expect.That(absl::IsAborted(refused), "a refused start is answered with " + refused.ToString());
  expect.Same(Recovered(world, expect), acknowledged, "Recover after a refused start");
}

// One life of a process that does this and that; what was acknowledged, and what may appear.
void LiveAtRandom(LogWorld& world, std::mt19937& random, Expectations& expect, KeptLog& log,
                  std::optional<KeptBatch>& in_flight) {
  Process process(world, expect);
  if (!process.began()) return;
  const auto steps = random() % 12;
  for (unsigned step = 0; step < steps; ++step) {
    const auto count = static_cast<uint32_t>(1 + random() % 50);
    switch (random() % 8) {
      case 0:
        expect.Ok(process.appender().WriteIdleMarker(), "WriteIdleMarker");
        break;
      case 1:
        expect.Same(ReadFrom(world, 1, expect), log, "a reader");
        break;
      case 2: {
        if (random() % 3 > 0) break;
        in_flight = process.Next(count);
        world.SetInFlightHook([] { return kFault; });
        const bool acknowledged = process.Append(count, log).ok();
        world.SetInFlightHook(nullptr);
        expect.That(!acknowledged, "a batch that failed is acknowledged");
        return;
      }
      default:
        expect.Ok(process.Append(count, log), "Append");
    }
  }
}

void RandomLivesKeepToTheModel(LogWorld& world, Violations& violations) {
  Expectations expect(violations);
  std::mt19937 random(11);
  KeptLog log;
  for (int life = 0; life < world.lives() && violations.empty(); ++life) {
    std::optional<KeptBatch> in_flight;
    LiveAtRandom(world, random, expect, log, in_flight);
    const auto kept_of_8 = random() % 9;
    if (random() % 2 == 0) world.Crash([&] { return random() % 8 < kept_of_8; });
    const KeptLog found = Recovered(world, expect);
    if (in_flight && found.size() > log.size()) log.push_back(*in_flight);
    expect.Same(found, log, absl::StrCat("Recover after life ", life));
  }
}

}  // namespace

const std::vector<ConformanceRule>& ConformanceRules() {
  static const std::vector<ConformanceRule> rules = {
      {"An acknowledged batch survives a crash", AcknowledgedSurvivesCrash},
      {"A batch in flight is there whole or not at all", InFlightIsWholeOrNotThere},
      {"What Recover gave is durable from Begin on", RecoveredIsDurable},
      {"A reader sees each batch from its acknowledgement on, not before", ReadersSeeWhatIsDurable},
      {"A reader never sees a batch that a crash can take", ReadersNeverSeeWhatMayGo},
      {"A reader outlives the process that appends", ReadersOutliveProcesses},
      {"A reader begins where it asks to", ReadersBeginWhereTheyAsk},
      {"A fault is final", FaultIsFinal},
      {"A second process is refused, or fences the first", SecondProcessIsRefusedOrFences},
      {"Epochs rise", EpochsRise},
      {"Markers take no sequence and are shown to nobody", MarkersAreShownToNobody},
      {"A refusal at Recover changes nothing", RefusalChangesNothing},
      {"Recover begins behind the start that it is told", RecoverBeginsBehindStart},
      {"Random lives keep to the model", RandomLivesKeepToTheModel},
  };
  return rules;
}

Violations CheckConformance(const MakeLogWorld& make_world) {
  Violations all;
  for (const ConformanceRule& rule : ConformanceRules()) {
    Violations violations;
    rule.check(*make_world(), violations);
    for (const std::string& violation : violations) {
      all.push_back(
          absl::StrCat(absl::string_view(rule.name.data(), rule.name.size()), ": ", violation));
    }
  }
  return all;
}

}  // namespace warpbook::journal::test

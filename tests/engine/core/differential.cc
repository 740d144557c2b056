#include "tests/engine/core/differential.h"

#include <algorithm>

#include "engine/core/inspect.h"
#include "tests/engine/core/record_text.h"

namespace warpbook::engine {
namespace {

std::string Tell(std::string_view what, uint64_t id, int64_t engine, int64_t reference) {
  return std::string(what) + " of " + std::to_string(id) + ": engine " + std::to_string(engine) +
         ", reference " + std::to_string(reference);
}

std::optional<std::string> CompareAccount(const InspectedAccount& engine,
                                          const reference::ReferenceMarket& market,
                                          const reference::Account& account) {
  const uint64_t id = account.id;
  const auto check = [&](std::string_view what, int64_t a, int64_t b) -> std::string {
    return a == b ? "" : Tell(what, id, a, b) + "\n";
  };
  std::string differences;
  differences += check("free", engine.free.value(), market.Free(id));
  differences += check("locked", engine.locked.value(), market.Locked(id));
  differences += check("escrow", engine.escrow.value(), market.Escrow(id));
  differences += check("owed", engine.owed.value(), account.owed);
  differences +=
      check("exposure", engine.exposure.value(), static_cast<int64_t>(market.Exposure(id)));
  differences += check("bonded limit", engine.bonded_limit.value(), account.bonded_limit);
  differences +=
      check("client order ids", static_cast<int64_t>(engine.client_order_ids),
            std::ranges::count(market.remembered(), id, &reference::RememberedId::account));
  if (differences.empty()) return std::nullopt;
  return differences;
}

std::optional<std::string> CompareQueue(const Inspector& inspector,
                                        const reference::ReferenceMarket& market,
                                        uint32_t instrument, Side side) {
  const auto engine = inspector.Queue(InstrumentId(instrument), side);
  const auto expected = market.Queue(instrument, static_cast<int>(side));
  const bool same =
      std::ranges::equal(engine, expected, [](const InspectedOrder& a, const reference::Order& b) {
        return a.id.value() == b.id && a.account.value() == b.account &&
               a.price.value() == b.price && a.gpus.value() == b.total &&
               a.remaining.value() == b.left && a.lock_minutes.value() == b.minutes &&
               a.queue == b.queue;
      });
  if (same) return std::nullopt;
  return Tell("queue", instrument, static_cast<int64_t>(engine.size()),
              static_cast<int64_t>(expected.size()));
}

// The tag of an event that has one.
std::optional<uint64_t> TagOf(wire::RecordView event) {
  using wire::RecordType;
  switch (event.type()) {
    case RecordType::kCommandRejected:
      return event.as<wire::CommandRejected>().tag();
    case RecordType::kCommandAccepted:
      return event.as<wire::CommandAccepted>().tag();
    case RecordType::kRequestDecided:
      return event.as<wire::RequestDecided>().tag();
    case RecordType::kAccountOpened:
      return event.as<wire::AccountOpened>().tag();
    case RecordType::kKeyAdded:
      return event.as<wire::KeyAdded>().tag();
    case RecordType::kOrderAccepted:
      return event.as<wire::OrderAccepted>().tag();
    case RecordType::kOrderAmended:
      return event.as<wire::OrderAmended>().tag();
    case RecordType::kOrderCancelled:
      return event.as<wire::OrderCancelled>().tag();
    case RecordType::kNodeRegistered:
      return event.as<wire::NodeRegistered>().tag();
    case RecordType::kProbeBegun:
      return event.as<wire::ProbeBegun>().tag();
    case RecordType::kProbeDecided:
      return event.as<wire::ProbeDecided>().tag();
    default:
      return std::nullopt;
  }
}

// Each command has one reply, but a request, whose reply comes with the decision.
std::optional<std::string> CheckOneReply(const wire::CommandHeader& command,
                                         std::span<const std::byte> events,
                                         const reference::ReferenceMarket& market) {
  if (command.tag() == 0) return std::nullopt;
  for (const reference::Request& request : market.requests()) {
    if (request.tag == command.tag() && request.sequence != command.sequence()) {
      return std::nullopt;  // two submitters with the same mark
    }
  }
  int replies = 0;
  bool taken = false;
  for (const wire::RecordView event : wire::Records(events)) {
    if (TagOf(event) == command.tag()) ++replies;
    taken = taken || event.type() == wire::RecordType::kRequestTaken;
  }
  if (replies == (taken ? 0 : 1)) return std::nullopt;
  return std::to_string(replies) + " replies:\n" + FormatRecords(events);
}

}  // namespace

reference::Limits LimitsForReference(const EngineLimits& limits) {
  return {limits.accounts_max,
          limits.keys_per_account_max,
          limits.keys_ever_per_account_max,
          limits.nodes_per_account_max,
          limits.nodes_max,
          limits.orders_per_account_max,
          limits.orders_per_account_and_book_max,
          limits.resting_orders_max,
          limits.leases_max,
          limits.instruments_max,
          limits.client_order_ids_max,
          limits.pending_requests_max,
          limits.resales_per_lease_max,
          limits.pending_top_ups_per_account_max,
          limits.remembered_client_order_ids,
          limits.remembered_client_order_micros,
          limits.commands_per_checkpoint};
}

Differential::Differential(const EngineLimits& limits)
    : limits_(limits),
      engine_(std::make_unique<Engine>(limits)),
      reference_(LimitsForReference(limits)) {}

std::optional<std::string> Differential::Apply(wire::CommandRecord command) {
  command.mutable_header().mutate_sequence(engine_->last_sequence().value() + 1);
  engine_events_.Clear();
  reference_events_.Clear();
  engine_->Apply(command.view(), 0, engine_events_);
  reference_.Apply(command.view(), 0, reference_events_);
  if (std::ranges::equal(engine_events_.bytes(), reference_events_.bytes())) {
    return CheckOneReply(command.mutable_header(), engine_events_.bytes(), reference_);
  }
  return "engine:\n" + FormatRecords(engine_events_.bytes()) + "reference:\n" +
         FormatRecords(reference_events_.bytes());
}

std::optional<std::string> Differential::Compare() const {
  engine_->CheckInvariants();
  const Inspector inspector(*engine_);
  if (inspector.account_count() != reference_.accounts().size()) return "number of accounts";
  for (const reference::Account& account : reference_.accounts()) {
    const auto inspected = inspector.FindAccount(AccountId(account.id));
    if (auto difference = CompareAccount(*inspected, reference_, account)) return difference;
  }
  for (const reference::Instrument& instrument : reference_.instruments()) {
    if (inspector.FindInstrument(InstrumentId(instrument.id)) != instrument.state) {
      return "state of instrument " + std::to_string(instrument.id);
    }
    for (const Side side : {Side::kBuy, Side::kSell}) {
      if (auto difference = CompareQueue(inspector, reference_, instrument.id, side)) {
        return difference;
      }
    }
  }
  const bool same_leases = std::ranges::equal(
      inspector.Leases(), reference_.leases(),
      [](const InspectedLease& a, const reference::Lease& b) {
        return a.id.value() == b.id && a.buyer.value() == b.buyer &&
               a.provider.value() == b.provider && a.state == b.state && a.gpus.value() == b.gpus &&
               a.price.value() == b.price && a.legs == b.steps.size();
      });
  if (!same_leases) return "leases";
  if (inspector.pending_requests() != reference_.requests().size()) return "pending requests";
  return std::nullopt;
}

std::optional<std::string> Differential::Restore() {
  constexpr uint32_t kRules = 7;
  const std::vector<std::byte> snapshot = engine_->WriteSnapshot(kRules);
  auto restored = Engine::FromSnapshot(snapshot, limits_, kRules);
  if (!restored.ok()) return std::string(restored.status().message());
  if ((*restored)->StateHash() != engine_->StateHash()) return "the restored state's hash";
  if ((*restored)->event_hash() != engine_->event_hash()) return "the restored event hash";
  if ((*restored)->WriteSnapshot(kRules) != snapshot) return "the restored engine's snapshot";
  engine_ = *std::move(restored);
  return std::nullopt;
}

namespace {

// The position of the first command after which something differs.
std::optional<size_t> FirstDifference(const EngineLimits& limits,
                                      const std::vector<wire::CommandRecord>& commands,
                                      std::string* difference) {
  Differential differential(limits);
  for (size_t i = 0; i < commands.size(); ++i) {
    auto found = differential.Apply(commands[i]);
    if (!found && (i + 1 == commands.size() || i % 64 == 0)) found = differential.Compare();
    if (!found && (i + 1 == commands.size() || i % 64 == 0)) found = differential.Restore();
    if (found) {
      *difference = *found;
      return i;
    }
  }
  return std::nullopt;
}

bool IsPlainTick(const wire::CommandRecord& command) {
  return command.view().type() == wire::RecordType::kTick &&
         command.view().as<wire::Tick>().checkpoint() == 0;
}

// Whether that changed anything.
bool ReplaceByTicks(std::vector<wire::CommandRecord>& commands, size_t at, size_t count) {
  bool changed = false;
  for (size_t i = at; i < std::min(at + count, commands.size()); ++i) {
    if (IsPlainTick(commands[i])) continue;
    wire::Tick tick;
    tick.mutable_header() =
        wire::CommandHeader(0, commands[i].view().command_header().time_us(), 0, 0);
    commands[i] = wire::CommandRecord(tick);
    changed = true;
  }
  return changed;
}

}  // namespace

std::string ShortenedScenario(const EngineLimits& limits,
                              std::vector<wire::CommandRecord> commands) {
  std::string difference;
  const auto first = FirstDifference(limits, commands, &difference);
  if (!first) return "the commands do not differ when they are run again\n";
  commands.resize(*first + 1);
  // Ever smaller pieces are replaced by ticks, which keep the sequence numbers that others name,
  // for as long as something still differs.
  for (size_t piece = std::max<size_t>(1, commands.size() / 2); piece > 0; piece /= 2) {
    for (size_t at = 0; at < commands.size(); at += piece) {
      std::vector<wire::CommandRecord> fewer = commands;
      if (!ReplaceByTicks(fewer, at, piece)) continue;
      std::string fewer_difference;
      const auto still = FirstDifference(limits, fewer, &fewer_difference);
      if (!still) continue;
      fewer.resize(*still + 1);
      commands = std::move(fewer);
      difference = std::move(fewer_difference);
    }
  }
  std::string text;
  for (size_t i = 0; i < commands.size(); ++i) {
    if (IsPlainTick(commands[i])) continue;
    text += "#" + std::to_string(i + 1) + " " + FormatRecord(commands[i].view()) + "\n";
  }
  return text + difference;
}

}  // namespace warpbook::engine

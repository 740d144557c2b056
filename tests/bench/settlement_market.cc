#include "tests/bench/settlement_market.h"

#include <utility>

#include "engine/service/engine_service.h"
#include "schema/base/check.h"
#include "schema/base/file.h"
#include "schema/journal/file_command_log.h"
#include "settlement/service/decider.h"
#include "tests/settlement/support/memory_settlement.h"

namespace warpbook::bench {
namespace {

constexpr uint16_t kClasses = 3;
constexpr uint64_t kFillsPerNodeMax =
    25;  // of 4 GPUs at most: a node of 100 GPUs has room for them
constexpr Tokens kDeposit =
    Tokens(100'000'000'000);  // of each member; a quarter of genesis at most
constexpr Tokens kBurn = Tokens(50'000'000'000);
constexpr TokenPrice kPrice = TokenPrice(2'000'000);

std::unique_ptr<journal::LogAppender> BeginLog(const std::string& directory) {
  journal::FileCommandLog log(PosixFileSystem(), directory,
                              {.rules_version = engine::kRulesVersion});
  WARPBOOK_CHECK(
      log.Recover(nullptr, [](const journal::BatchView&) { return absl::OkStatus(); }).ok());
  auto appender = log.Begin();
  WARPBOOK_CHECK(appender.ok());
  return *std::move(appender);
}

uint32_t CountRecords(std::span<const std::byte> bytes) {
  uint32_t count = 0;
  for ([[maybe_unused]] const wire::RecordView record : wire::Records(bytes)) ++count;
  return count;
}

}  // namespace

SettlementMarket::SettlementMarket(const std::string& directory, const Size& size)
    : size_(size),
      appender_(BeginLog(directory)),
      books_(*settlement::Books::Restore(test::GenesisState())),
      start_(market_.now().PlusMinutes(60)) {
  WARPBOOK_CHECK(size.fills_per_window <= size.members * kFillsPerNodeMax);
  WARPBOOK_CHECK(size.members >= 2 && size.members <= 1'000);
  OpenMembers();
}

void SettlementMarket::OpenMembers() {
  market_.SetPrice(kPrice);
  for (uint64_t i = 0; i < size_.members; ++i) {
    const AccountId account = market_.OpenMember();
    members_.push_back(
        {account, market_.GiveNode(account, ClassId(static_cast<uint16_t>(1 + i % kClasses)))});
    market_.RequestDeposit(account, kDeposit);
  }
  Settle();
  for (const Member& member : members_) market_.RequestTopUp(member.account, kBurn);
  Settle();
}

void SettlementMarket::Run(uint64_t fills) {
  while (fills_ < fills) {
    OpenWindow();
    const uint64_t end = std::min(fills, fills_ + size_.fills_per_window);
    while (fills_ < end) TradeOnce();
    DeliverAndClose();
    Settle();
  }
  market_.Tick(1);  // with a checkpoint, which an audit compares
  Seal();
}

void SettlementMarket::OpenWindow() {
  windows_.clear();
  for (uint16_t i = 0; i < kClasses; ++i) {
    windows_.push_back(market_.OpenWindow(start_, ClassId(i + 1)));
  }
}

Sequence SettlementMarket::Trade() {
  TradeOnce();
  Seal();
  return last_sequence_;
}

void SettlementMarket::TradeOnce() {
  // Another one buys of each in turn, so that all balances change.
  const uint64_t seller = fills_ % members_.size();
  const uint64_t step = 1 + fills_ / members_.size() % (members_.size() - 1);
  const Member& provider = members_[seller];
  const Member& buyer = members_[(seller + step) % members_.size()];
  const LeaseId lease =
      market_.Trade(windows_[seller % kClasses], buyer.account, provider.account, provider.node,
                    Price(static_cast<int64_t>(150 + fills_ % 150) * 10'000),
                    Quantity(static_cast<int32_t>(1 + fills_ % 4)), static_cast<Tier>(fills_ % 3));
  open_.push_back({lease, provider.account});
  ++fills_;
  Count(2);
}

void SettlementMarket::DeliverAndClose() {
  market_.AdvanceTo(start_);
  for (const Fill& fill : open_) {
    wire::StartLease start;
    start.mutate_lease_id(fill.lease.value());
    WARPBOOK_CHECK(market_.Submit(start, fill.provider) == RejectReason::kNone);
    Count(1);
  }
  for (int i = 0; i < size_.heartbeats; ++i) {
    for (const Fill& fill : open_) {
      wire::HeartbeatLease heartbeat;
      heartbeat.mutate_lease_id(fill.lease.value());
      heartbeat.mutate_minute_us(market_.now().micros());
      WARPBOOK_CHECK(market_.Submit(heartbeat, fill.provider) == RejectReason::kNone);
      Count(1);
    }
    market_.Advance(60);
  }
  open_.clear();
  market_.AdvanceTo(start_.PlusMinutes(60));
  for (const InstrumentId window : windows_) market_.CloseWindow(window);
  market_.AdvanceTo(start_.PlusMinutes(60).PlusMicros(settlement::kDisputeMicros));
  market_.SetPrice(kPrice);
  start_ = market_.now().PlusMinutes(60);
}

void SettlementMarket::Settle() {
  while (true) {
    Seal();
    auto changes = books_.TakeChanges();
    WARPBOOK_CHECK(changes.ok());
    for (const auto& confirmed : changes->confirmed) outbox_.TakeBack(confirmed.decision);
    const auto decisions = settlement::Decide(books_, outbox_);
    if (decisions.empty()) return;
    for (const settlement::Decision& decision : decisions) {
      WARPBOOK_CHECK(market_.Submit(decision) == RejectReason::kNone);
      Count(1);
    }
  }
}

void SettlementMarket::Count(uint32_t commands) {
  batch_commands_ += commands;
  if (batch_commands_ >= size_.commands_per_batch) Seal();
}

void SettlementMarket::Seal() {
  batch_commands_ = 0;
  market_.Seal();
  for (const test::MemoryBatch& batch : market_.journal().Take()) {
    const uint32_t events = CountRecords(batch.records) - batch.command_count;
    WARPBOOK_CHECK(appender_->Append({batch.command_count, events, batch.records}).ok());
    WARPBOOK_CHECK(books_.Apply(test::ViewOf(batch)).ok());
    journal_bytes_ += batch.records.size();
    last_sequence_ = Sequence(batch.first_sequence + batch.command_count - 1);
  }
}

}  // namespace warpbook::bench

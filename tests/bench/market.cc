#include "tests/bench/market.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace warpbook::bench {
namespace {

constexpr uint64_t kOperatorAccount = 1;
constexpr uint64_t kSettlementAccount = 2;
constexpr uint32_t kNodesPerPairMin = 64;
// More than all orders together could lock.
constexpr int64_t kMoney = 4'000'000'000'000'000'000;

template <typename FlatArray>
void SetKey(FlatArray& key, uint64_t number) {
  std::memcpy(key.Data(), &number, sizeof number);
}

}  // namespace

uint32_t Scatter(uint32_t number, uint32_t count) {
  return static_cast<uint32_t>((uint64_t{number} * 0x9e3779b97f4a7c15 >> 32) % count);
}

Market::Market(const MarketSize& size)
    : size_(size),
      pairs_(std::min(size.instruments, kClasses * kRegions)),
      node_count_(std::max(size.providers, kNodesPerPairMin * pairs_)) {}

engine::EngineLimits Market::limits() const {
  engine::EngineLimits limits;
  if (size_.limited) return limits;
  limits.orders_per_account_max = 100'000'000;
  limits.orders_per_account_and_book_max = 100'000'000;
  limits.resting_orders_max = 100'000'000;
  limits.leases_max = 100'000'000;
  limits.nodes_per_account_max = node_count_;
  return limits;
}

uint64_t Market::BuyerAccount(uint32_t index) const { return kSettlementAccount + 1 + index; }
uint64_t Market::ProviderAccount(uint32_t index) const {
  return BuyerAccount(size_.buyers) + index;
}

std::vector<wire::CommandRecord> Market::SetUp() {
  AddSystemKey(kOperatorAccount, AccountKind::kOperator);
  AddSystemKey(kSettlementAccount, AccountKind::kSettlement);
  for (uint32_t i = 0; i < size_.buyers + size_.providers; ++i) {
    wire::OpenAccount open;
    SetKey(*open.mutable_public_key(), BuyerAccount(i));
    Add(open, 0);
  }
  for (uint32_t i = 0; i < size_.buyers; ++i) Fund(i);
  for (uint32_t i = 0; i < size_.providers; ++i) Bond(i);
  for (uint32_t i = 0; i < node_count_; ++i) AddNode(i);
  for (uint32_t i = 0; i < size_.instruments; ++i) {
    wire::OpenInstrument open = OpenCommand(i);
    Add(open, 0);
  }
  return std::exchange(commands_, {});
}

wire::OpenInstrument Market::OpenCommand(uint32_t instrument) const {
  wire::OpenInstrument open;
  open.mutate_window_start_us(size_.start_us + kWindowDelay + instrument / pairs_ * kWindowMicros);
  open.mutate_tick(kTick);
  open.mutate_band_low(kTick);
  open.mutate_band_high(size_.band_ticks * kTick);
  open.mutate_window_minutes(60);
  open.mutate_notice_seconds(120);
  open.mutate_gate_minutes(3);
  open.mutate_class_id(static_cast<uint16_t>(1 + instrument % pairs_ % kClasses));
  open.mutate_region_id(static_cast<uint16_t>(1 + instrument % pairs_ / kClasses));
  return open;
}

void Market::AddSystemKey(uint64_t account, AccountKind kind) {
  wire::RegisterSystemKey key;
  SetKey(*key.mutable_public_key(), account);
  key.mutate_kind(static_cast<uint8_t>(kind));
  Add(key, 0);
}

void Market::Fund(uint32_t buyer) {
  wire::RequestTopUp top_up;
  top_up.mutate_burn_utok(1);
  Add(top_up, BuyerAccount(buyer));
  wire::PostTopUp post;
  post.mutate_number(buyer + 1);
  post.mutate_request_sequence(commands_.size());
  post.mutate_credits(kMoney / size_.buyers);
  Add(post, kSettlementAccount);
}

void Market::Bond(uint32_t provider) {
  wire::SetBondedLimit limit;
  limit.mutate_target_account_id(ProviderAccount(provider));
  limit.mutate_limit(kMoney);
  Add(limit, kOperatorAccount);
}

// Node index + 1, of provider index % providers.
void Market::AddNode(uint32_t index) {
  wire::RegisterNode node;
  SetKey(*node.mutable_device_key(), index + 1);
  node.mutate_gpus(kMaxQuantity.value());
  node.mutate_class_id(static_cast<uint16_t>(1 + index % pairs_ % kClasses));
  node.mutate_region_id(static_cast<uint16_t>(1 + index % pairs_ / kClasses));
  Add(node, ProviderAccount(index % size_.providers));
  wire::SetCapacity capacity;
  capacity.mutate_node_id(index + 1);
  capacity.mutate_gpus(kMaxQuantity.value());
  capacity.mutate_assurance(size_.tiers ? static_cast<uint8_t>(index / pairs_ % 3) : 0);
  Add(capacity, kOperatorAccount);
}

template <typename Command>
void Market::Add(Command& command, uint64_t account) {
  command.mutable_header() = wire::CommandHeader(commands_.size() + 1, size_.start_us, account, 0);
  commands_.emplace_back(command);
}

wire::PlaceOrder Market::Bid(uint32_t order, uint32_t instrument, int64_t price,
                             int32_t gpus) const {
  wire::PlaceOrder place;
  place.mutable_header().mutate_account_id(BuyerAccount(Scatter(order, size_.buyers)));
  place.mutate_price(price);
  place.mutate_instrument_id(instrument);
  place.mutate_gpus(gpus);
  place.mutate_min_assurance(static_cast<uint8_t>(Assurance::kListed));
  if (size_.tiers) place.mutate_tier(static_cast<uint8_t>(Scatter(order, 3)));
  return place;
}

wire::PlaceOrder Market::Ask(uint32_t order, uint32_t instrument, int64_t price,
                             int32_t gpus) const {
  // One of the nodes of the instrument's class and region.
  const uint32_t pair = (instrument - 1) % pairs_;
  const uint32_t node = pair + pairs_ * Scatter(order, (node_count_ - pair + pairs_ - 1) / pairs_);
  wire::PlaceOrder place;
  place.mutable_header().mutate_account_id(ProviderAccount(node % size_.providers));
  place.mutate_price(price);
  place.mutate_instrument_id(instrument);
  place.mutate_gpus(gpus);
  place.mutate_min_assurance(static_cast<uint8_t>(Assurance::kListed));
  place.mutate_side(static_cast<uint8_t>(Side::kSell));
  place.mutate_node_id(node + 1);
  return place;
}

}  // namespace warpbook::bench

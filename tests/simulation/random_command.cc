#include "tests/simulation/random_command.h"

#include <cstdio>
#include <cstring>

#include "schema/types/timestamp.h"

namespace warpbook::simulation {
namespace {

using wire::CommandRecord;

constexpr int64_t kBondedLimit = 100'000'000'000'000;

wire::CommandHeader From(uint64_t account, uint64_t tag) {
  return wire::CommandHeader(0, 0, account, tag);
}

// A device's key is none of an account's.
PublicKey DeviceKey(uint64_t tag) {
  PublicKey key = {0xde};
  std::memcpy(key.data() + 8, &tag, sizeof tag);
  return key;
}

CommandRecord RegisterNode(uint64_t account, uint64_t tag, Random& random) {
  wire::RegisterNode command;
  command.mutable_header() = From(account, tag);
  PutKey(command.mutable_device_key(), DeviceKey(tag));
  command.mutate_gpus(static_cast<int32_t>(random.Between(4, 16)));
  command.mutate_class_id(1);
  command.mutate_region_id(static_cast<uint16_t>(random.Between(1, 2)));
  return CommandRecord(command);
}

CommandRecord RequestTopUp(uint64_t account, uint64_t tag, Random& random) {
  wire::RequestTopUp command;
  command.mutable_header() = From(account, tag);
  command.mutate_burn_utok(random.Between(1, 1'000'000));
  return CommandRecord(command);
}

// Comes and goes, a few keys for each account: one that was revoked does not come again.
CommandRecord AddOrRevokeKey(uint64_t account, uint64_t tag, Random& random) {
  PublicKey key = {0xac};
  std::memcpy(key.data() + 8, &account, sizeof account);
  key[1] = static_cast<uint8_t>(random.Below(20));
  if (random.OneIn(2)) {
    wire::RevokeKey command;
    command.mutable_header() = From(account, tag);
    PutKey(command.mutable_public_key(), key);
    return CommandRecord(command);
  }
  wire::AddKey command;
  command.mutable_header() = From(account, tag);
  PutKey(command.mutable_public_key(), key);
  command.mutate_scopes(static_cast<uint32_t>(random.Between(1, 7)));
  return CommandRecord(command);
}

CommandRecord RequestWithdrawal(uint64_t account, uint64_t member, uint64_t tag, Random& random) {
  wire::RequestWithdrawal command;
  command.mutable_header() = From(account, tag);
  command.mutate_target_account_id(member);
  command.mutate_amount_utok(random.Between(1, 1'000));
  command.mutable_reference()->Mutate(0, static_cast<uint8_t>('a' + random.Below(26)));
  return CommandRecord(command);
}

const MarketView::Window* PickWindow(const MarketView& market, uint16_t region, Random& random) {
  std::vector<MarketView::Window> fitting;
  for (const MarketView::Window& window : market.windows()) {
    if (window.open && (region == 0 || window.region == region)) fitting.push_back(window);
  }
  const MarketView::Window* picked = random.Pick(fitting);
  if (picked == nullptr) return nullptr;
  for (const MarketView::Window& window : market.windows()) {
    if (window.id == picked->id) return &window;
  }
  return nullptr;
}

CommandRecord PlaceOrder(const MarketView& market, uint64_t account, int64_t now_us, uint64_t tag,
                         Random& random) {
  wire::PlaceOrder command;
  command.mutable_header() = From(account, tag);
  std::vector<MarketView::Node> nodes;
  for (const MarketView::Node& node : market.nodes()) {
    if (node.account == account && node.approved) nodes.push_back(node);
  }
  const MarketView::Node* node = random.Pick(nodes);
  const bool ask = node != nullptr && (random.Percent(50) || !market.HasCredits(account));
  if (ask) command.mutate_node_id(node->id);
  const MarketView::Window* window = PickWindow(market, ask ? node->region : uint16_t{0}, random);
  if (window != nullptr) {
    command.mutate_instrument_id(window->id);
    command.mutate_price(window->tick * (100 + random.Between(0, 2)));
  }
  command.mutate_side(ask ? 1 : 0);
  command.mutate_gpus(static_cast<int32_t>(random.Between(1, 4)));
  command.mutate_tier(ask ? uint8_t{0} : static_cast<uint8_t>(random.Below(3)));
  command.mutate_min_assurance(2);
  command.mutate_self_trade_prevention(static_cast<uint8_t>(random.Below(4)));
  const uint64_t dice = random.Below(100);
  command.mutate_time_in_force(dice < 70 ? 0 : dice < 75 ? 1 : dice < 90 ? 2 : 3);
  if (command.time_in_force() == 1) {
    command.mutate_expires_us(now_us + random.Between(1, 120) * kMicrosPerSecond);
  }
  if (random.Percent(85)) PutKey(command.mutable_client_order_id(), ClientOrderId(tag));
  return CommandRecord(command);
}

CommandRecord CancelOrAmend(const MarketView& market, uint64_t account, uint64_t tag,
                            Random& random) {
  if (random.OneIn(8)) {
    wire::CancelAllOrders command;
    command.mutable_header() = From(account, tag);
    command.mutate_side(2);
    return CommandRecord(command);
  }
  std::vector<MarketView::Order> orders;
  for (const MarketView::Order& order : market.orders()) {
    if (order.account == account) orders.push_back(order);
  }
  const MarketView::Order* order = random.Pick(orders);
  if (order != nullptr && random.Percent(50)) {
    wire::AmendOrder command;
    command.mutable_header() = From(account, tag);
    command.mutate_order_id(order->id);
    command.mutate_gpus(static_cast<int32_t>(random.Between(1, 5)));
    return CommandRecord(command);
  }
  wire::CancelOrder command;
  command.mutable_header() = From(account, tag);
  command.mutate_order_id(order == nullptr ? 1 : order->id);
  return CommandRecord(command);
}

CommandRecord LeaseMessage(const MarketView& market, uint64_t account, int64_t now_us, uint64_t tag,
                           Random& random) {
  std::vector<MarketView::Lease> leases;
  for (const MarketView::Lease& lease : market.leases()) {
    if (lease.provider == account) leases.push_back(lease);
  }
  const MarketView::Lease* lease = random.Pick(leases);
  const uint64_t id = lease == nullptr ? 1 : lease->id;
  if (random.Percent(50)) {
    wire::StartLease command;
    command.mutable_header() = From(account, tag);
    command.mutate_lease_id(id);
    return CommandRecord(command);
  }
  wire::HeartbeatLease command;
  command.mutable_header() = From(account, tag);
  command.mutate_lease_id(id);
  command.mutate_minute_us((now_us / kMicrosPerMinute - 1) * kMicrosPerMinute);
  return CommandRecord(command);
}

}  // namespace

PublicKey ClientOrderId(uint64_t number) {
  PublicKey id = {};
  char text[24];
  const int length =
      std::snprintf(text, sizeof text, "order-%llu", static_cast<unsigned long long>(number));
  std::memcpy(id.data(), text, static_cast<size_t>(length));
  return id;
}

CommandRecord RandomMemberCommand(const MarketView& market, uint64_t account, int64_t now_us,
                                  uint64_t tag, Random& random) {
  if (!market.HasNode(account) && random.Percent(60)) return RegisterNode(account, tag, random);
  if (!market.HasCredits(account) && random.Percent(40)) return RequestTopUp(account, tag, random);
  const uint64_t dice = random.Below(100);
  if (dice < 6) return RequestTopUp(account, tag, random);
  if (dice < 74) return PlaceOrder(market, account, now_us, tag, random);
  if (dice < 86) return CancelOrAmend(market, account, tag, random);
  if (dice < 97) return LeaseMessage(market, account, now_us, tag, random);
  if (dice < 98) return AddOrRevokeKey(account, tag, random);
  return RegisterNode(account, tag, random);
}

CommandRecord RandomOperatorCommand(const MarketView& market, uint64_t account, uint64_t tag,
                                    Random& random) {
  const MarketView::Node* node = random.Pick(market.nodes());
  for (const MarketView::Node& other : market.nodes()) {
    if (!other.approved) node = &other;
  }
  if (node != nullptr && (!node->approved || random.Percent(20))) {
    wire::SetCapacity command;
    command.mutable_header() = From(account, tag);
    command.mutate_node_id(node->id);
    command.mutate_gpus(node->approved ? static_cast<int32_t>(random.Between(0, node->gpus))
                                       : node->gpus);
    command.mutate_assurance(2);
    return CommandRecord(command);
  }
  const uint64_t* member = random.Pick(market.members());
  for (const uint64_t& other : market.members()) {
    if (!market.HasBondedLimit(other)) member = &other;
  }
  if (member != nullptr && (!market.HasBondedLimit(*member) || random.Percent(60))) {
    wire::SetBondedLimit command;
    command.mutable_header() = From(account, tag);
    command.mutate_target_account_id(*member);
    command.mutate_limit(random.OneIn(12) ? 0 : kBondedLimit);
    return CommandRecord(command);
  }
  if (member != nullptr && random.Percent(30)) {
    return RequestWithdrawal(account, *member, tag, random);
  }
  if (random.Percent(20)) {
    wire::VerifyOwner command;
    command.mutable_header() = From(account, tag);
    command.mutate_owner_id(random.Below(market.members().size() + 2));
    command.mutate_verified(random.OneIn(3) ? 0 : 1);
    return CommandRecord(command);
  }
  wire::SetInstrumentHalt command;
  command.mutable_header() = From(account, tag);
  const MarketView::Window* window = random.Pick(market.windows());
  command.mutate_instrument_id(window == nullptr ? 1 : window->id);
  command.mutate_halted(window != nullptr && window->open && random.Percent(10) ? 1 : 0);
  return CommandRecord(command);
}

bool IsRepeatable(wire::RecordView command) {
  if (command.type() == wire::RecordType::kRequestTopUp ||
      command.type() == wire::RecordType::kRequestWithdrawal) {
    return false;
  }
  return command.type() != wire::RecordType::kPlaceOrder ||
         ToKey(command.as<wire::PlaceOrder>().client_order_id()) != PublicKey{};
}

}  // namespace warpbook::simulation

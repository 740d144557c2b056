#include "tests/simulation/market_view.h"

#include <algorithm>
#include <cstring>

namespace warpbook::simulation {

using wire::RecordType;

PublicKey ToKey(const flatbuffers::Array<uint8_t, 32>* bytes) {
  PublicKey key;
  std::memcpy(key.data(), bytes->Data(), key.size());
  return key;
}

void PutKey(flatbuffers::Array<uint8_t, 32>* bytes, const PublicKey& key) {
  std::memcpy(bytes->Data(), key.data(), key.size());
}

void MarketView::Observe(wire::RecordView event) {
  switch (event.type()) {
    case RecordType::kAccountOpened: {
      const auto& opened = event.as<wire::AccountOpened>();
      accounts_[ToKey(opened.public_key())] = opened.header().account_id();
      if (opened.owner_id() != 0) members_.push_back(opened.header().account_id());
      return;
    }
    case RecordType::kBondedLimitSet:
      bonded_.insert(event.event_header().account_id());
      return;
    case RecordType::kCreditsMoved:
      funded_.insert(event.event_header().account_id());
      return;
    case RecordType::kNodeRegistered: {
      const auto& node = event.as<wire::NodeRegistered>();
      nodes_.push_back(
          {node.node_id(), node.header().account_id(), node.gpus(), node.region_id(), false});
      return;
    }
    case RecordType::kCapacitySet:
      for (Node& node : nodes_) {
        if (node.id == event.as<wire::CapacitySet>().node_id()) node.approved = true;
      }
      return;
    case RecordType::kInstrumentOpened: {
      const auto& opened = event.as<wire::InstrumentOpened>();
      windows_.push_back({opened.instrument_id(), opened.region_id(), opened.tick(), true});
      return;
    }
    case RecordType::kInstrumentStateChanged: {
      const auto& changed = event.as<wire::InstrumentStateChanged>();
      const auto state = static_cast<InstrumentState>(changed.state());
      for (Window& window : windows_) {
        if (window.id == changed.instrument_id()) window.open = state == InstrumentState::kOpen;
      }
      if (state == InstrumentState::kClosed) {
        std::erase_if(windows_,
                      [&](const Window& window) { return window.id == changed.instrument_id(); });
      }
      return;
    }
    case RecordType::kOrderAccepted: {
      const auto& order = event.as<wire::OrderAccepted>();
      orders_.push_back({order.order_id(), order.header().account_id(), order.price()});
      return;
    }
    case RecordType::kTradeExecuted: {
      const auto& trade = event.as<wire::TradeExecuted>();
      leases_.push_back({trade.lease_id(), trade.buyer_account_id(), trade.provider_account_id()});
      return;
    }
    default:
      return;
  }
}

uint64_t MarketView::AccountOf(const PublicKey& key) const {
  const auto found = accounts_.find(key);
  return found == accounts_.end() ? 0 : found->second;
}

bool MarketView::HasNode(uint64_t account) const {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [&](const Node& node) { return node.account == account; });
}

}  // namespace warpbook::simulation

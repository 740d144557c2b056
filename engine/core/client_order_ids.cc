#include "engine/core/client_order_ids.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "engine/core/accounts.h"
#include "schema/base/check.h"

namespace warpbook::engine {

uint64_t Fingerprint(const OrderContent& content) {
  const std::array<uint64_t, 8> words = {
      static_cast<uint64_t>(content.price.value()),
      static_cast<uint64_t>(content.expires.micros()),
      content.node.value(),
      content.lease.value(),
      content.instrument.value(),
      static_cast<uint64_t>(content.gpus.value()),
      static_cast<uint64_t>(content.min_fill.value()),
      static_cast<uint64_t>(content.side) | static_cast<uint64_t>(content.type) << 8 |
          static_cast<uint64_t>(content.time_in_force) << 16 |
          static_cast<uint64_t>(content.tier) << 24 |
          static_cast<uint64_t>(content.min_assurance) << 32 |
          static_cast<uint64_t>(content.self_trade_prevention) << 40 |
          uint64_t{content.post_only} << 48};
  return XXH3_64bits(words.data(), sizeof words) >> (64 - kFingerprintBits);
}

std::optional<ClientOrderIds::Remembered> ClientOrderIds::Find(AccountId account,
                                                               const ClientOrderId& id) const {
  const PackedClientOrderId masked = Pack(account, id);
  const uint32_t entry = FindEntry(account, masked, Hash(masked));
  if (entry == 0) return std::nullopt;
  if (entry % 2 == 0)
    return Remembered{live_[entry / 2].order().id, live_[entry / 2].content(), true};
  const FinishedRecord& record = finished_[entry / 2];
  return Remembered{record.order, record.content, false};
}

void ClientOrderIds::Add(Order& order, const ClientOrderId& id, uint64_t content) {
  const uint32_t handle = live_.Acquire();
  order.client_order_handle = handle;
  LiveRecord& record = live_[handle];
  record.id = Pack(order.account->id, id);
  record.Set(order, content);
  index_.Insert(Hash(record.id), LiveEntry(handle),
                [this](uint32_t entry) { return HashOfEntry(entry); });
}

void ClientOrderIds::Finish(Order& order, Timestamp now) {
  const uint32_t live_handle = order.client_order_handle;
  const AccountId account = order.account->id;
  const uint32_t handle = finished_.Acquire();
  FinishedRecord& record = finished_[handle];
  record.id = live_[live_handle].id;
  record.account = static_cast<uint32_t>(account.value());
  record.order = order.id;
  record.content = live_[live_handle].content();
  record.finished = now;
  index_.Replace(Hash(record.id), LiveEntry(live_handle), FinishedEntry(handle));
  live_.Release(live_handle);
  order.client_order_handle = 0;
  Append(account, handle);
  if (young_.empty()) next_forgetting_ = now.micros() + young_micros_;
  young_.push_back(handle);
  Trim(record.account, now);
}

void ClientOrderIds::ForgetAged(Timestamp now) {
  while (!young_.empty()) {
    const FinishedRecord& record = finished_[young_.front()];
    next_forgetting_ = record.finished.micros() + young_micros_;
    if (now.micros() <= next_forgetting_) return;
    young_.pop_front();
    Trim(record.account, now);
  }
  next_forgetting_ = std::numeric_limits<int64_t>::max();
}

void ClientOrderIds::Trim(uint32_t account, Timestamp now) {
  Queue& queue = queues_[account - 1];
  while (queue.count > keep_) {
    const uint32_t handle = queue.first;
    const FinishedRecord& record = finished_[handle];
    if (now.micros() <= record.finished.micros() + young_micros_) return;
    queue.first = record.next;
    if (queue.first == 0) queue.last = 0;
    --queue.count;
    index_.Erase(Hash(record.id), FinishedEntry(handle));
    finished_.Release(handle);
  }
}

size_t ClientOrderIds::finished_count(AccountId account) const {
  return account.value() > queues_.size() ? 0 : queues_[account.value() - 1].count;
}

bool ClientOrderIds::AddFinished(AccountId account, const Finished& finished) {
  const PackedClientOrderId masked = Pack(account, finished.id);
  const uint64_t hash = Hash(masked);
  if (FindEntry(account, masked, hash) != 0) return false;
  const uint32_t handle = finished_.Acquire();
  finished_[handle] = {.id = masked,
                       .account = static_cast<uint32_t>(account.value()),
                       .order = finished.order,
                       .content = finished.content,
                       .finished = finished.finished};
  index_.Insert(hash, FinishedEntry(handle), [this](uint32_t entry) { return HashOfEntry(entry); });
  Append(account, handle);
  return true;
}

void ClientOrderIds::Restored(Timestamp now) {
  // As they finished: by time. Of those of the same time only an account's own order matters.
  std::vector<std::tuple<Timestamp, uint32_t, uint32_t>> young;  // finished, account, handle
  for (size_t i = 0; i < queues_.size(); ++i) {
    for (uint32_t at = queues_[i].first; at != 0; at = finished_[at].next) {
      const FinishedRecord& record = finished_[at];
      if (now.micros() > record.finished.micros() + young_micros_) continue;
      young.emplace_back(record.finished, record.account, at);
    }
  }
  std::ranges::stable_sort(young, {}, [](const auto& entry) { return std::get<0>(entry); });
  for (const auto& entry : young) young_.push_back(std::get<2>(entry));
  next_forgetting_ = std::numeric_limits<int64_t>::min();
  ForgetAged(now);
}

AccountId ClientOrderIds::AccountOf(const Order& order) { return order.account->id; }

ClientOrderId ClientOrderIds::Unpack(const PackedClientOrderId& masked, uint64_t mask) {
  std::array<uint8_t, ClientOrderId::kMaxLength> bytes;
  masked.Masked(mask).CopyTo(bytes.data());
  return ClientOrderId::FromKnownBytes(bytes.data());
}

void ClientOrderIds::LiveRecord::Set(const Order& order, uint64_t content) {
  const auto address = reinterpret_cast<uintptr_t>(&order);
  WARPBOOK_CHECK(address % 64 == 0 && address >> 47 == 0 && content >> kFingerprintBits == 0);
  content_low = static_cast<uint32_t>(content);
  order_and_content_high = uint64_t{address} << (kHighBits - 6) | content >> kLowBits;
}

uint64_t ClientOrderIds::Hash(const PackedClientOrderId& masked) const {
  return XXH3_64bits_withSeed(masked.bytes().data(), masked.bytes().size(), secret_);
}

uint64_t ClientOrderIds::HashOfEntry(uint32_t entry) const {
  return Hash(entry % 2 == 0 ? live_[entry / 2].id : finished_[entry / 2].id);
}

uint32_t ClientOrderIds::FindEntry(AccountId account, const PackedClientOrderId& masked,
                                   uint64_t hash) const {
  return index_.Find(hash, [&](uint32_t entry) {
    if (entry % 2 == 0) {
      return live_[entry / 2].id == masked && live_[entry / 2].order().account->id == account;
    }
    const FinishedRecord& record = finished_[entry / 2];
    return record.id == masked && record.account == account.value();
  });
}

void ClientOrderIds::Append(AccountId account, uint32_t finished_handle) {
  if (account.value() > queues_.size()) queues_.resize(account.value());
  Queue& queue = queues_[account.value() - 1];
  (queue.last == 0 ? queue.first : finished_[queue.last].next) = finished_handle;
  queue.last = finished_handle;
  ++queue.count;
}

}  // namespace warpbook::engine

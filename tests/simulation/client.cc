#include "tests/simulation/client.h"

#include <span>
#include <utility>

#include "tests/simulation/random_command.h"
#include "tests/simulation/violation.h"

namespace warpbook::simulation {
namespace {

constexpr size_t kUnansweredMax = 12;

}  // namespace

void Client::Connect(std::unique_ptr<engine::EnginePort> port) {
  port_ = std::move(port);
  next_sequence_ = 0;
}

void Client::Disconnect() {
  port_.reset();
  for (const auto& [tag, command] : unanswered_) {
    if (IsRepeatable(command.view())) to_repeat_.push_back(command);
  }
  unanswered_.clear();
}

void Client::Step() {
  if (machine_.random().Percent(50) && Submit()) return;
  if (port_->lost()) {  // it was too slow
    Disconnect();
    return;
  }
  const std::shared_ptr<const engine::DurableBatch> batch = port_->Poll();
  if (batch != nullptr) Take(*batch);
}

bool Client::Submit() {
  if (unanswered_.size() >= kUnansweredMax) return false;
  const bool repeats = !to_repeat_.empty();
  if (!repeats && budget_.commands_left == 0) return false;
  const uint64_t tag = ++budget_.last_tag;
  wire::CommandRecord command = repeats ? to_repeat_.front() : NextCommand(tag);
  command.mutable_header().mutate_tag(tag);
  if (port_->TrySubmit(std::span(&command, 1)) == 0) return false;
  if (repeats) {
    to_repeat_.pop_front();
  } else {
    --budget_.commands_left;
  }
  unanswered_[tag] = command;
  return true;
}

wire::CommandRecord Client::NextCommand(uint64_t tag) {
  const uint64_t account = model_.market().AccountOf(key_);
  if (kind_ == AccountKind::kOperator) {
    return RandomOperatorCommand(model_.market(), account, tag, machine_.random());
  }
  if (account != 0) {
    return RandomMemberCommand(model_.market(), account, machine_.clock().NowMicros(), tag,
                               machine_.random());
  }
  wire::OpenAccount command;
  PutKey(command.mutable_public_key(), key_);
  return wire::CommandRecord(command);
}

void Client::Take(const engine::DurableBatch& batch) {
  Require(next_sequence_ == 0 || batch.first_sequence == next_sequence_, "a port gives sequence ",
          batch.first_sequence, " after ", next_sequence_ - 1);
  next_sequence_ = batch.first_sequence + batch.command_count;
  model_.CheckShown(batch.first_sequence, batch.command_count, batch.records);
  uint64_t sequence = 0;
  for (const wire::RecordView record : wire::Records(batch.records)) {
    if (wire::IsCommand(record.type())) {
      sequence = record.command_header().sequence();
      continue;
    }
    const auto found = unanswered_.find(ReplyTag(record));
    if (found == unanswered_.end()) continue;
    if (found->second.view().type() == wire::RecordType::kPlaceOrder) {
      const auto& order = found->second.view().as<wire::PlaceOrder>();
      model_.CheckOrderReply(order.header().account_id(), ToKey(order.client_order_id()), sequence,
                             record);
    }
    unanswered_.erase(found);
  }
}

}  // namespace warpbook::simulation

// Causes: what some private events leave to another event of their command, without which they
// cannot be told. A fill's lease is described by its TradeExecuted, a provider's reward by its
// LeaseSettled. Who keeps or hands on private events keeps the cause with them, so that an account
// is told the same whenever it is told.
#pragma once

#include "schema/wire/record.h"

namespace warpbook::wire {

// Whether events of the type have a cause.
constexpr bool HasCause(RecordType type) {
  return type == RecordType::kOrderFilled || type == RecordType::kLeaseResold ||
         type == RecordType::kLeaseChanged;
}

// Follows the records of a journal, in order, and knows the cause of each event. It keeps views:
// to be asked while they are valid.
class CauseTracker {
 public:
  // The cause of the record, which comes next: the last TradeExecuted or LeaseSettled of its
  // command before it. Empty where there is none, or the type has none.
  RecordView Next(RecordView record) {
    const RecordType type = record.type();
    if (IsCommand(type)) {
      has_cause_ = false;
    } else if (type == RecordType::kTradeExecuted || type == RecordType::kLeaseSettled) {
      has_cause_ = true;
      cause_ = record;
    }
    return has_cause_ && HasCause(type) ? cause_ : RecordView();
  }

 private:
  bool has_cause_ = false;
  RecordView cause_;
};

}  // namespace warpbook::wire

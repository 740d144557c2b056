// OrderOutcome: what became of one command of place, amend or cancel that was not refused: the
// result of its reply, or of its item in the reply to a batch.
#pragma once

#include <cstdint>

#include "gateway/protocol/message_writer.h"
#include "gateway/protocol/methods.h"
#include "schema/types/amounts.h"
#include "schema/types/client_order_id.h"
#include "schema/types/ids.h"
#include "schema/wire/record.h"

namespace warpbook::gateway {

struct OrderOutcome {
  enum class Kind : uint8_t {
    kPlaced,
    kRepeated,   // placed before: the first answer again
    kValidated,  // it was only to be checked
    kAmended,
    kCancelled,
  };
  Kind kind = Kind::kPlaced;
  OrderId order = {};                  // 0: none was made
  ClientOrderId client_order_id = {};  // of one that is placed
  Price price = {};                    // of one that is amended, as are gpus and kept_priority
  Quantity gpus = {};
  Quantity remaining = {};  // amended: what is left; cancelled: what was
  bool kept_priority = false;
};

OrderOutcome OutcomeOf(const wire::OrderAccepted& event);
OrderOutcome OutcomeOf(const wire::OrderAmended& event);
OrderOutcome OutcomeOf(const wire::OrderCancelled& event);
// A repeat of an earlier order, or what was only to be checked.
OrderOutcome OutcomeOf(wire::RecordView command, const wire::CommandAccepted& event);

// The fields of the result of that method.
void WriteOrderOutcome(MessageWriter& out, Method method, const OrderOutcome& outcome);

}  // namespace warpbook::gateway

#include "gateway/net/request_handler.h"

namespace warpbook::gateway {

void RequestHandler::Handle(Call& call, const OrderPlaceRequest& request) {
  // A closed one too: a repeat of an order of its days gets the first answer, which only the engine
  // knows.
  const InstrumentRow* instrument = publisher_.state().FindInstrument(request.symbol);
  if (instrument == nullptr) return Refuse(call, RejectReason::kUnknownInstrument, "symbol");
  const InstrumentId id = instrument->terms->id;
  Submit(call, call.visitor.logged_on->account,
         [&](CommandOrigin origin) { return MakeCommand(request, origin, id); });
}

void RequestHandler::Handle(Call& call, const OrderCancelAllRequest& request) {
  const MarketState& state = publisher_.state();
  InstrumentId instrument_id;
  if (request.symbol) {
    // A closed one too: no order is left in it.
    const InstrumentRow* instrument = state.FindInstrument(*request.symbol);
    if (instrument == nullptr) return Refuse(call, RejectReason::kUnknownInstrument, "symbol");
    instrument_id = instrument->terms->id;
  }
  ClassId class_id;
  if (request.hardware_class) {
    const HardwareClass* hardware_class = state.catalogue().FindClass(*request.hardware_class);
    if (hardware_class == nullptr) {
      return Refuse(call, RejectReason::kUnknownValue, "hardware_class");
    }
    class_id = hardware_class->id;
  }
  Submit(call, call.visitor.logged_on->account, [&](CommandOrigin origin) {
    return MakeCommand(request, origin, instrument_id, class_id);
  });
}

void RequestHandler::Handle(Call& call, const OrderStatusRequest&) {
  Refuse(call, RejectReason::kUnknownMethod, "method");
}

void RequestHandler::Handle(Call& call, const CancelAfterRequest&) {
  Refuse(call, RejectReason::kUnknownMethod, "method");
}

void RequestHandler::Handle(Call& call, const CancelOnDisconnectRequest&) {
  Refuse(call, RejectReason::kUnknownMethod, "method");
}

}  // namespace warpbook::gateway

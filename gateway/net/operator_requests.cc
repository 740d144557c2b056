#include "gateway/net/request_handler.h"

namespace warpbook::gateway {

void RequestHandler::Handle(Call& call, const InstrumentHaltRequest& request) {
  const InstrumentRow* instrument = OpenInstrument(call, request.symbol);
  if (instrument == nullptr) return;
  const InstrumentId id = instrument->terms->id;
  Submit(call, call.visitor.logged_on->account,
         [&](CommandOrigin origin) { return MakeCommand(request, origin, id); });
}

void RequestHandler::Handle(Call& call, const DrainRequest&) {
  Refuse(call, RejectReason::kUnknownMethod, "method");
}

}  // namespace warpbook::gateway

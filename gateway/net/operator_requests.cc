#include "gateway/net/request_handler.h"
#include "schema/base/log.h"

namespace warpbook::gateway {

void RequestHandler::Handle(Call& call, const InstrumentHaltRequest& request) {
  const InstrumentRow* instrument = OpenInstrument(call, request.symbol);
  if (instrument == nullptr) return;
  if (!PassesChecks(call, request)) return;
  const InstrumentId id = instrument->terms->id;
  Submit(call, call.visitor.logged_on->account,
         [&](CommandOrigin origin) { return MakeCommand(request, origin, id); });
}

void RequestHandler::Handle(Call& call, const DrainRequest& request) {
  if (call.message.validate) return Validated(call);
  Log(LogLevel::kInfo, "drain_asked",
      JsonObject()
          .Integer("conn_id", static_cast<int64_t>(call.visitor.connection_id))
          .Id("account", call.visitor.logged_on->account.value()));
  // The reply first: with the drain every connection comes to its end.
  Succeed(call, [](MessageWriter&) {});
  if (role_.on_drain) role_.on_drain(request.timeout_ms * 1'000);
}

}  // namespace warpbook::gateway

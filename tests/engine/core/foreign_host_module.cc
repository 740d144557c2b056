#include "tests/engine/core/foreign_host_module.h"

#include <span>

#include "engine/core/engine.h"

struct ForeignEngine {
  warpbook::engine::Engine engine;
  warpbook::wire::RecordWriter events;
};

namespace {

namespace wire = warpbook::wire;

size_t Apply(ForeignEngine* self, const void* command, size_t size, const void** events) {
  const std::span bytes(static_cast<const std::byte*>(command), size);
  wire::RecordFault fault;
  if (size == 0 || !wire::ValidateRecords(bytes, &fault)) return 0;
  const wire::RecordView record(bytes.data());
  if (record.total_size() != size || !wire::IsCommand(record.type())) return 0;
  self->events.Clear();
  self->engine.Apply(record, 0, self->events);
  *events = self->events.bytes().data();
  return self->events.size();
}

constexpr ForeignEngineApi kApi = {
    .make = [] { return new ForeignEngine; },
    .destroy = [](ForeignEngine* engine) { delete engine; },
    .apply = Apply,
    .event_hash = [](const ForeignEngine* engine) { return engine->engine.event_hash(); },
    .state_hash = [](const ForeignEngine* engine) { return engine->engine.StateHash(); },
};

}  // namespace

extern "C" [[gnu::visibility("default")]] const ForeignEngineApi* WarpbookEngine() { return &kApi; }

// The engine as a plain C interface, as a program in another language or build would load it. One
// thread owns an engine. For foreign_host_test; the module is loaded, never linked.
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" {

struct ForeignEngine;  // opaque

// The module's functions by name.
struct ForeignEngineApi {
  ForeignEngine* (*make)();
  void (*destroy)(ForeignEngine* engine);
  // Applies one stamped command record. Its events are `*events`, valid until the next call;
  // returns their size, or 0 where the bytes are no whole command record.
  size_t (*apply)(ForeignEngine* engine, const void* command, size_t size, const void** events);
  uint64_t (*event_hash)(const ForeignEngine* engine);
  uint64_t (*state_hash)(const ForeignEngine* engine);
};

// What the module exports: `const ForeignEngineApi* WarpbookEngine(void)`.
using ForeignEngineEntry = const ForeignEngineApi*();
}

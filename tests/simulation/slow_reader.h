// SlowReader: somebody who tails the journal from anywhere in it, far behind, and now and then
// begins anew: what it is given is always a part of the journal without a gap.
#pragma once

#include <cstdint>
#include <memory>

#include "schema/journal/tail_reader.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/model.h"

namespace warpbook::simulation {

class SlowReader {
 public:
  SlowReader(Machine& machine, const Model& model) : machine_(machine), model_(model) {}

  // Reads a batch, or opens the journal.
  void Step();
  void Kill() { reader_.reset(); }

 private:
  void Open();

  Machine& machine_;
  const Model& model_;
  std::unique_ptr<journal::TailReader> reader_;
  uint64_t from_sequence_ = 0;  // until the first batch
  uint64_t next_sequence_ = 0;  // 0: before the first batch
};

}  // namespace warpbook::simulation

// Proofs at a class's speed, and the verdict on them by a table with that class and a slower one.
#pragma once

#include <string>

#include "gpu_probe/verifier/verdict.h"
#include "tests/gpu_probe/support/proving.h"

namespace warpbook::probe::test {

inline const std::string kClass = "H100-SXM";

// A slower class that a cheat falls back on, and the claimed one.
inline const ClassTable& Table() {
  static const ClassTable table = [] {
    ClassRow claimed = TestRow(kClass);
    ClassRow slower = claimed;
    slower.name = "RTX-4090";
    slower.int8_ops_per_s /= 4;
    slower.bytes_per_s /= 4;
    slower.memory_bytes /= 4;
    return ClassTable({slower, claimed});
  }();
  return table;
}

// A proof of sizes that bound what was skipped, at the class's own speed.
inline Proving AtClassSpeed(int32_t gpus = 1) {
  Proving proving;
  proving.challenge = SmallChallenge(1, gpus);
  proving.challenge.size = TestSize();
  proving.claims = Claims(gpus);
  proving.times.products_us = proving.times.gather_us = kClassUs;
  return proving;
}

inline Verdict Judge(const Proved& proved) {
  return Verify(proved.record, proved.transcript, Table(), SecretVectors());
}

// What a prover that tries it is refused for.
template <typename Cheat>
ProbeReason RefusalOf() {
  Proving proving = AtClassSpeed();
  proving.make = Make<Cheat>();
  return Judge(proving.Run()).refusal();
}

}  // namespace warpbook::probe::test

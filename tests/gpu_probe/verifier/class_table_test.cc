// The class table and the sizes that follow from it, by the catalogue that the exchange begins
// with.
#include "gpu_probe/verifier/class_table.h"

#include <doctest/doctest.h>

#include "gpu_probe/verifier/transcript.h"
#include "gpu_probe/verifier/verdict.h"
#include "tests/gpu_probe/support/proving.h"

namespace warpbook::probe {
namespace {

const Catalogue& DefaultCatalogue() {
  static const Catalogue catalogue = LoadCatalogue(WARPBOOK_CATALOGUE).value();
  return catalogue;
}

TEST_CASE("A row is what was measured, or a share of the vendor's figures") {
  const ClassTable table(DefaultCatalogue());
  const ClassRow& h100 = *table.Find("H100-SXM");
  CHECK(h100.int8_ops_per_s == 1'187'400'000'000'000);
  CHECK(h100.bytes_per_s == 2'512'500'000'000);
  CHECK(h100.memory_bytes == int64_t{80} << 30);
  CHECK(h100.has_probe);
  CHECK_FALSE(table.Find("MI300X")->has_probe);
  CHECK(table.Find("RTX-3090")->int8_ops_per_s == 170'000'000'000'000);
  CHECK(table.Find("no such class") == nullptr);

  Catalogue measured = DefaultCatalogue();
  measured.classes[8].probe_int8_tops = 1'400;
  measured.classes[8].probe_memory_gb_per_s = 2'900;
  const ClassTable with_measured(measured);
  const ClassRow& row = *with_measured.Find(measured.classes[8].name);
  CHECK(row.int8_ops_per_s == 1'400'000'000'000'000);
  CHECK(row.bytes_per_s == 2'900'000'000'000);
}

// What a transcript of these sizes has, by hand: its openings, and a generous allowance for what
// holds them together.
int64_t TranscriptBytes(const ProofSize& size, int64_t gpus) {
  const auto path = [](int64_t leaves) {
    int64_t length = 0;
    while ((int64_t{1} << length) < leaves) ++length;
    return 32 * length;
  };
  const int64_t tile = 4 * 4'096 + path(size.compute.tiles_per_round()) + 64;
  const int64_t leg = 2 * (8 * 64 + path(size.memory.leaves()) + 48) + 48;
  return gpus * (size.compute.opened * tile + size.memory.opened * leg + size.compute.rounds * 32) +
         4'096;
}

TEST_CASE("Every class has sizes that are proofs, take seconds at its rates and fit a transcript") {
  const ClassTable table(DefaultCatalogue());
  for (const ClassRow& row : table.rows()) {
    if (!row.has_probe) continue;
    for (const int32_t gpus : {1, 2, 4, 8, 16}) {
      CAPTURE(row.name);
      CAPTURE(gpus);
      const ProofSize size = SizesFor(row, gpus);
      CHECK(CheckSize(size.compute).ok());
      CHECK(CheckSize(size.memory).ok());
      CHECK(size.memory.arena_bytes() <= row.memory_bytes * 90 / 100);
      CHECK(size.memory.arena_bytes() > row.memory_bytes * 89 / 100);
      CHECK(TranscriptBytes(size, gpus) < static_cast<int64_t>(kTranscriptBytesMax));
      const double gather =
          static_cast<double>(size.memory.gathered_bytes()) / static_cast<double>(row.bytes_per_s);
      CHECK(gather > 0.4);
      CHECK(gather <= 0.5);
      {
        const double products = 2.0 * static_cast<double>(size.compute.m * size.compute.n) *
                                static_cast<double>(size.compute.k) * size.compute.rounds /
                                static_cast<double>(row.int8_ops_per_s);
        CHECK(products > 1.0);
        CHECK(products < 4.0);
      }
      // What may have been skipped leaves an honest card of the class above its least share.
      CHECK((1'000'000 - SkippedShareMax(size.compute.opened, kDoubtBits)) / 100 > kClassShareMin);
      CHECK((1'000'000 - SkippedShareMax(size.memory.opened, kDoubtBits)) / 100 > kClassShareMin);
    }
  }
}

TEST_CASE("A class whose int8 rate nobody knows has no probe: memory alone is no GPU") {
  Catalogue catalogue = DefaultCatalogue();
  catalogue.classes[8].int8_dense_tops = 0;
  CHECK_FALSE(ClassTable(catalogue).Find(catalogue.classes[8].name)->has_probe);
}

TEST_CASE("An arena that is not kept is dear, however slow the class's memory is") {
  const ClassTable table(DefaultCatalogue());
  for (const ClassRow& row : table.rows()) {
    if (!row.has_probe) continue;
    CAPTURE(row.name);
    const MemorySize memory = SizesFor(row, 1).memory;
    // The time in which the slowest card of the class reads a byte, in bytes made anew.
    const double budget = static_cast<double>(row.made_anew_bytes_per_s) /
                          static_cast<double>(row.bytes_per_s) * 10'000 / kClassShareMin;
    CHECK(memory.passes > 19 * budget);
    // Filling it takes half a minute at the most: a slow card makes a tenth of the fastest's.
    CHECK(static_cast<double>(memory.arena_bytes()) * memory.passes <
          30.0 * static_cast<double>(row.made_anew_bytes_per_s) / 10);
  }
}

TEST_CASE("The small profile is a proof, small for each of many GPUs") {
  const ProofSize size = SmallProfile();
  CHECK(CheckSize(size.compute).ok());
  CHECK(CheckSize(size.memory).ok());
  CHECK(TranscriptBytes(size, kGpusMax) < static_cast<int64_t>(kTranscriptBytesMax));
  CHECK(size.memory.arena_bytes() < 1 << 20);
}

TEST_CASE("A transcript is as long as it was reckoned, and says all of it") {
  test::Proving proving;
  proving.challenge = test::SmallChallenge(1, 4);
  proving.claims = test::Claims(4);
  const test::Proved proved = proving.Run();
  CHECK(static_cast<int64_t>(proved.transcript.size()) <=
        TranscriptBytes(proving.challenge.size, 4) + 4 * 128);
  const SignedTranscript document = DecodeSignedTranscript(proved.transcript).value();
  const Transcript transcript = DecodeTranscript(document.transcript).value();
  CHECK(EncodeTranscript(transcript) == document.transcript);
  CHECK(transcript.claims[3].uuid == "GPU-3");
  CHECK(transcript.prover == "test");
}

}  // namespace
}  // namespace warpbook::probe

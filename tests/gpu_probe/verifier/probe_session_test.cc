// The verifier's side of a challenge: what it awaits, what it asks, and how it keeps time.
#include "gpu_probe/verifier/probe_session.h"

#include <doctest/doctest.h>

#include "tests/gpu_probe/support/proving.h"

namespace warpbook::probe {
namespace {

constexpr int32_t kGpus = 3;

std::string Bytes(size_t size, char fill = 'r') { return std::string(size, fill); }

struct Bout {
  Challenge challenge = test::SmallChallenge(1, kGpus);
  ProbeSession session{challenge, test::kStartUs};
  size_t roots = kGpus * static_cast<size_t>(challenge.size.compute.rounds) * 32;

  absl::StatusOr<std::optional<Seed>> Answer(ProbeStage stage, const std::string& bytes,
                                             int64_t at_us, uint8_t fresh = 9) {
    return session.Answer(stage, bytes, at_us, Seed{fresh});
  }
};

TEST_CASE("Stages come in their order, each clock from the question to the whole answer") {
  Bout bout;
  CHECK(bout.session.awaited() == ProbeStage::kProducts);
  CHECK(bout.session.bytes_max() == bout.roots);
  CHECK_FALSE(bout.Answer(ProbeStage::kProducts, Bytes(bout.roots), 1'000).value().has_value());
  CHECK(bout.session.bytes_max() == 0);
  CHECK(bout.Answer(ProbeStage::kFilled, "", 3'000, 21).value() == Seed{21});
  CHECK(bout.session.bytes_max() == kGpus * 32);
  CHECK(bout.Answer(ProbeStage::kGathered, Bytes(kGpus * 32, 'g'), 7'000, 22).value() == Seed{22});
  CHECK(bout.session.bytes_max() == kTranscriptBytesMax);
  CHECK_FALSE(bout.Answer(ProbeStage::kOpenings, "transcript", 15'000).value().has_value());
  CHECK_FALSE(bout.session.awaited().has_value());
  CHECK(bout.session.TakeTranscript() == "transcript");
  const VerifierRecord& record = bout.session.record();
  CHECK(record.products_us == 1'000);
  CHECK(record.fill_us == 2'000);
  CHECK(record.gather_us == 4'000);
  CHECK(record.answered_us == test::kStartUs + 15'000);
  CHECK(record.gather_seed == Seed{21});
  CHECK(record.opening_seed == Seed{22});
  REQUIRE(record.product_roots.size() == kGpus);
  CHECK(record.product_roots[2].size() == 2);
  CHECK(record.product_roots[2][1][0] == 'r');
  CHECK(record.gather_roots[1][31] == 'g');
}

TEST_CASE("Another stage's answer, or one of a wrong length, changes nothing") {
  Bout bout;
  const auto is_refused = [&](ProbeStage stage, const std::string& bytes) {
    return absl::IsInvalidArgument(bout.Answer(stage, bytes, 500).status());
  };
  for (const ProbeStage stage :
       {ProbeStage::kFilled, ProbeStage::kGathered, ProbeStage::kOpenings}) {
    CHECK(is_refused(stage, ""));
  }
  CHECK(is_refused(ProbeStage::kProducts, Bytes(bout.roots - 1)));
  CHECK(is_refused(ProbeStage::kProducts, Bytes(bout.roots + 32)));
  CHECK(bout.Answer(ProbeStage::kProducts, Bytes(bout.roots), 1'000).ok());
  CHECK(bout.session.record().products_us == 1'000);
  CHECK(is_refused(ProbeStage::kProducts, Bytes(bout.roots)));
  CHECK(is_refused(ProbeStage::kFilled, "x"));
  CHECK(bout.Answer(ProbeStage::kFilled, "", 1'000).ok());
  CHECK(is_refused(ProbeStage::kGathered, Bytes(kGpus * 32 + 1)));
  CHECK(bout.Answer(ProbeStage::kGathered, Bytes(kGpus * 32), 1'000).ok());
  CHECK(is_refused(ProbeStage::kOpenings, Bytes(kTranscriptBytesMax + 1)));
}

TEST_CASE("What comes after the challenge has expired is not taken") {
  for (int late = 0; late < kStages; ++late) {
    Bout bout;
    for (int i = 0; i < kStages; ++i) {
      const auto stage = static_cast<ProbeStage>(i);
      const size_t size = stage == ProbeStage::kProducts   ? bout.roots
                          : stage == ProbeStage::kGathered ? kGpus * 32
                                                           : 0;
      const int64_t at = i < late ? i : test::kPatienceUs + (i == late ? 1 : 0);
      const auto answer = bout.Answer(stage, Bytes(size), at);
      CHECK(answer.ok() == (i < late));
      if (i == late) {
        CHECK(absl::IsDeadlineExceeded(answer.status()));
        CHECK(bout.session.HasExpired(at));
        CHECK_FALSE(bout.session.HasExpired(at - 1));
        break;
      }
    }
  }
}

TEST_CASE("Stages have names that are read back") {
  for (int i = 0; i < kStages; ++i) {
    CHECK(ParseStage(Name(static_cast<ProbeStage>(i))) == static_cast<ProbeStage>(i));
  }
  CHECK_FALSE(ParseStage("ready").has_value());
}

TEST_CASE("A challenge's document says all of it, and a stranger's bytes are no challenge") {
  const Challenge challenge = test::SmallChallenge(3, kGpus);
  const std::string document = EncodeChallenge(challenge);
  CHECK(DecodeChallenge(document).value() == challenge);
  for (size_t length = 0; length < document.size(); length += 7) {
    CHECK_FALSE(DecodeChallenge(document.substr(0, length)).ok());
  }
  const auto decodes = [&](auto change) {
    Challenge changed = challenge;
    change(changed);
    return DecodeChallenge(EncodeChallenge(changed)).ok();
  };
  CHECK(decodes([](Challenge&) {}));
  CHECK_FALSE(decodes([](Challenge& c) { c.gpus = 0; }));
  CHECK_FALSE(decodes([](Challenge& c) { c.gpus = kGpusMax + 1; }));
  CHECK_FALSE(decodes([](Challenge& c) { c.hardware_class = std::string(65, 'x'); }));
  CHECK_FALSE(decodes([](Challenge& c) { c.size.compute.k = 100; }));
  CHECK_FALSE(decodes([](Challenge& c) { c.size.memory.walks = 1; }));
}

}  // namespace
}  // namespace warpbook::probe

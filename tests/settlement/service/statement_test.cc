// How an account's transfers become the lines of its statement.
#include "settlement/service/statement.h"

#include <doctest/doctest.h>

#include "gateway/client/json_value.h"

namespace warpbook::settlement {
namespace {

constexpr AccountId kMe = AccountId(17);
constexpr AccountId kOther = AccountId(18);

LedgerAccount Mine(Holding holding) { return LedgerAccount(kMe, holding); }

// Transfers with rising events; the closing balances are what they make.
struct Story {
  StatementFigures figures;
  uint64_t event = 100;

  Story() {
    figures.opening[static_cast<size_t>(Holding::kTokens)] = 1'000;
    figures.opening[static_cast<size_t>(Holding::kFree)] = 5'000;
    figures.closing = figures.opening;
    figures.leases[LeaseId(5)] = {"H100-SXM.us-east.2026-12-01T14:00", kMe, kOther, 60};
    figures.leases[LeaseId(6)] = {"H100-SXM.us-east.2026-12-01T14:00", kOther, kMe, 60};
  }
  Story& Move(int64_t second, LedgerAccount debit, LedgerAccount credit, int64_t amount,
              uint64_t lease = 0, const std::string& reference = "") {
    figures.transfers.push_back(
        {{EventSequence(++event), 0, debit, credit, amount, LeaseId(lease)}, second, reference});
    if (debit.member() == kMe) figures.closing[static_cast<size_t>(debit.holding())] -= amount;
    if (credit.member() == kMe) figures.closing[static_cast<size_t>(credit.holding())] += amount;
    return *this;
  }
  std::vector<Movement> Lines() const {
    auto movements = MovementsOf(figures, kMe);
    REQUIRE(movements.ok());
    return *std::move(movements);
  }
  // "deposit orders trade"
  std::string Kinds() const {
    std::string kinds;
    for (const Movement& line : Lines()) {
      kinds += (kinds.empty() ? "" : " ") + std::string(Name(line.kind));
    }
    return kinds;
  }
};

const LedgerAccount kOutside(Holding::kOutside), kVault(Holding::kVault), kIssued(Holding::kIssued),
    kIssuance(Holding::kIssuance), kConsumed(Holding::kConsumed), kBurned(Holding::kBurned),
    kClearing(Holding::kClearing);

}  // namespace

TEST_CASE("Each thing that happens is a line") {
  Story story;
  story.Move(1, kOutside, Mine(Holding::kTokens), 100, 0, "ref-1");
  story.Move(1, kOutside, Mine(Holding::kTokens), 100, 0, "ref-2");
  story.Move(2, Mine(Holding::kTokens), kVault, 50);
  story.Move(2, kIssued, Mine(Holding::kFree), 300);
  story.Move(2, Mine(Holding::kTokens), kVault, 60);
  story.Move(2, kIssued, Mine(Holding::kFree), 360);
  story.Move(3, Mine(Holding::kFree), Mine(Holding::kLocked), 200);
  story.Move(4, Mine(Holding::kLocked), Mine(Holding::kFree), 50);
  story.Move(9, Mine(Holding::kFree), Mine(Holding::kLocked), 20);
  story.Move(10, Mine(Holding::kLocked), Mine(Holding::kEscrow), 110, 5);
  story.Move(10, Mine(Holding::kLocked), Mine(Holding::kFree), 7);
  story.Move(11, Mine(Holding::kLocked), Mine(Holding::kFree), 3);
  story.Move(60, Mine(Holding::kEscrow), kConsumed, 90, 5);
  story.Move(60, Mine(Holding::kEscrow), kBurned, 5, 5);
  story.Move(60, Mine(Holding::kEscrow), Mine(Holding::kFree), 15, 5);
  story.Move(60, kVault, Mine(Holding::kTokens), 8, 6);
  story.Move(60, kIssuance, Mine(Holding::kTokens), 2, 6);
  story.Move(61, kIssuance, Mine(Holding::kTokens), 4);
  story.Move(62, Mine(Holding::kTokens), kOutside, 9, 0, "out");
  CHECK(story.Kinds() ==
        "deposit deposit top_up top_up orders trade orders settlement payment bonus withdrawal");
  const std::vector<Movement> lines = story.Lines();
  CHECK(lines[0].reference == "ref-1");
  CHECK(lines[1].reference == "ref-2");
  CHECK(lines[2].parts == std::vector<MovementPart>{{Holding::kTokens, Holding::kVault, 50},
                                                    {Holding::kIssued, Holding::kFree, 300}});
  CHECK(lines[4].transfers == 3);
  CHECK(lines[4].second == 3);
  CHECK(lines[4].change[static_cast<size_t>(Holding::kLocked)] == 170);
  CHECK(lines[4].change[static_cast<size_t>(Holding::kFree)] == -170);
  CHECK(lines[5].lease == LeaseId(5));
  CHECK(lines[5].change[static_cast<size_t>(Holding::kFree)] == 7);
  CHECK(lines[7].parts.size() == 3);
  CHECK(lines[7].change[static_cast<size_t>(Holding::kEscrow)] == -110);
  CHECK(lines[7].change[static_cast<size_t>(Holding::kFree)] == 15);
  CHECK(lines[8].change[static_cast<size_t>(Holding::kTokens)] == 10);
  CHECK(lines[10].reference == "out");
}

TEST_CASE("What is taken out of a lease's escrow is a resale before its settlement") {
  Story story;
  story.figures.opening[static_cast<size_t>(Holding::kEscrow)] = 100;
  story.figures.closing = story.figures.opening;
  story.Move(59, Mine(Holding::kEscrow), Mine(Holding::kFree), 10, 5);
  story.Move(59, Mine(Holding::kEscrow), kBurned, 1, 5);
  story.Move(59, Mine(Holding::kEscrow), kClearing, 2, 5);
  story.Move(59, kClearing, Mine(Holding::kEscrow), 2, 6);
  story.Move(60, Mine(Holding::kEscrow), kClearing, 4, 5);
  story.Move(60, kClearing, Mine(Holding::kFree), 3, 6);
  story.Move(61, Mine(Holding::kEscrow), Mine(Holding::kOwed), 5, 7);
  story.Move(62, Mine(Holding::kOwed), kConsumed, 5, 7);
  CHECK(story.Kinds() == "resale resale settlement gain resale deferred");
}

TEST_CASE("What does not add up is no statement") {
  Story story;
  story.Move(1, kOutside, Mine(Holding::kTokens), 100);
  story.figures.closing[static_cast<size_t>(Holding::kTokens)] += 1;
  const auto movements = MovementsOf(story.figures, kMe);
  CHECK(absl::IsDataLoss(movements.status()));
  CHECK(movements.status().message() ==
        "the transfers of account 17 do not make its balance: run `warpbook-settlement audit`");
}

TEST_CASE("A statement has so many lines at most") {
  Story story;
  for (size_t i = 0; i < kStatementLinesMax; ++i) {
    story.Move(1, kOutside, Mine(Holding::kTokens), 1);
  }
  CHECK(story.Lines().size() == kStatementLinesMax);
  story.Move(1, kOutside, Mine(Holding::kTokens), 1);
  CHECK(absl::IsResourceExhausted(MovementsOf(story.figures, kMe).status()));
}

TEST_CASE("The statement's JSON carries balances and sums that follow from its lines") {
  Story story;
  story.figures.owner = OwnerId(3);
  story.figures.from_second = 0;
  story.figures.to_second = 86'400;
  story.Move(1, kOutside, Mine(Holding::kTokens), 1'500'000, 0, "a \"quoted\" one");
  story.Move(10, Mine(Holding::kFree), Mine(Holding::kLocked), 200);
  story.Move(11, Mine(Holding::kLocked), Mine(Holding::kEscrow), 120, 5);
  const auto json = gateway::JsonValue::Parse(StatementJson(story.figures, kMe, story.Lines()));
  REQUIRE(json.ok());
  CHECK((*json)["account"].text() == "17");
  CHECK((*json)["from"].text() == "1970-01-01T00:00:00Z");
  CHECK((*json)["to"].text() == "1970-01-02T00:00:00Z");
  CHECK((*json)["opening"]["tokens_utok"].text() == "1000");
  CHECK((*json)["closing"]["tokens"].text() == "1.501");
  CHECK((*json)["closing"]["free"].text() == "4800");
  CHECK((*json)["closing"]["free_usd"].text() == "0.00008");
  CHECK((*json)["in"]["locked"].text() == "200");
  CHECK((*json)["out"]["locked"].text() == "-120");
  const auto& movements = (*json)["movements"].items();
  REQUIRE(movements.size() == 3);
  CHECK(movements[0]["reference"].text() == "a \"quoted\" one");
  CHECK(movements[0]["parts"].items()[0]["amount"].text() == "1.5");
  CHECK(movements[1]["balances"]["locked"].text() == "200");
  CHECK(movements[2]["counterparty"].text() == "18");
  CHECK(movements[2]["symbol"].text() == "H100-SXM.us-east.2026-12-01T14:00");
  CHECK(movements[2]["balances"]["locked"].text() == "80");
}

}  // namespace warpbook::settlement

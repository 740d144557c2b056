// Any bytes in a command of the right size are answered, by one reply, and never by a CHECK.
#include <doctest/doctest.h>

#include <random>
#include <string>

#include "tests/engine/core/differential.h"
#include "tests/engine/core/random_market.h"
#include "tests/engine/core/record_text.h"

namespace warpbook::engine {
namespace {

constexpr wire::RecordType kCommandTypes[] = {
#define WARPBOOK_X(name, number) wire::RecordType::k##name,
    WARPBOOK_COMMANDS(WARPBOOK_X)
#undef WARPBOOK_X
};

wire::CommandRecord RandomBytes(wire::RecordType type, std::mt19937_64& random) {
  alignas(8) std::byte bytes[sizeof(wire::RecordHeader) + wire::kMaxCommandSize] = {};
  const wire::RecordHeader header{static_cast<uint16_t>(type),
                                  static_cast<uint16_t>(wire::RecordSize(type)), 0};
  std::memcpy(bytes, &header, sizeof header);
  const uint64_t shape = random() % 4;
  for (size_t i = 0; i < header.size; ++i) {
    const uint64_t dice = random();
    bytes[sizeof header + i] = static_cast<std::byte>(shape == 0   ? 0xff
                                                      : shape == 1 ? dice % 256
                                                      : shape == 2 ? dice % 8
                                                                   : (dice % 4) * 0x55);
  }
  return wire::CommandRecord(wire::RecordView(bytes));
}

TEST_CASE("Random bytes in every command are answered as the reference answers them") {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    std::mt19937_64 random(seed);
    RandomMarket market(seed);
    Differential differential(market.limits());
    for (int i = 0; i < 20'000; ++i) {
      wire::CommandRecord command = market.Next(differential.reference());
      if (i > 500 && i % 2 == 0) {
        const int64_t time = command.view().command_header().time_us();
        command = RandomBytes(kCommandTypes[random() % std::size(kCommandTypes)], random);
        wire::CommandHeader& header = command.mutable_header();
        // The reference cannot know the state's hash.
        if (MatchesLine(command.view(), "Tick checkpoint=2")) command = ParseCommand("Tick");
        header.mutate_time_us(time);
        if (random() % 8 != 0) {
          header.mutate_account_id(random() % (differential.reference().accounts().size() + 1));
        }
      }
      const auto difference = differential.Apply(command);
      REQUIRE_MESSAGE(!difference, FormatRecord(command.view()) << "\n" << *difference);
    }
    CHECK(!differential.Compare());
  }
}

TEST_CASE("An enum byte, a flag or a text outside its vocabulary makes the command malformed") {
  const char* const lines[] = {
      "PlaceOrder side=2",
      "PlaceOrder type=2",
      "PlaceOrder time_in_force=4",
      "PlaceOrder tier=3",
      "PlaceOrder min_assurance=3",
      "PlaceOrder self_trade_prevention=4",
      "PlaceOrder post_only=2",
      "PlaceOrder validate_only=2",
      "PlaceOrder "
      "client_order_id=x6100620000000000000000000000000000000000000000000000000000000000",
      "PlaceOrder "
      "client_order_id=x0061000000000000000000000000000000000000000000000000000000000000",
      "PlaceOrder "
      "client_order_id=x6120000000000000000000000000000000000000000000000000000000000000",
      "AmendOrder "
      "client_order_id=xff00000000000000000000000000000000000000000000000000000000000000",
      "CancelOrder "
      "client_order_id=x7f00000000000000000000000000000000000000000000000000000000000000",
      "CancelAllOrders side=3",
      "CancelAllOrders side=both reason=expired",
      "CancelAllOrders side=both reason=downgraded",
      "CancelAllOrders side=both reason=12",
      "AmendOrder validate_only=2",
      "WithdrawOrder reason=requested",
      "WithdrawOrder reason=downgraded",
      "WithdrawOrder reason=12",
      "SetOrderGuard mode=4",
      "SetOrderGuard mode=off deadline_us=-1",
      "SetOrderGuard mode=off session=1 deadline_us=1",
      "SetOrderGuard mode=session",
      "SetOrderGuard mode=session session=1 deadline_us=1",
      "SetOrderGuard mode=account",
      "SetOrderGuard mode=account session=1 deadline_us=1",
      "SetOrderGuard mode=timer",
      "SetOrderGuard mode=timer session=1 deadline_us=1",
      "SetOrderGuard mode=timer deadline_us=-1",
      "Tick checkpoint=3",
      "RefuseCommand command_type=60 reason=2001",
      "RefuseCommand command_type=59 reason=1208",
      "RefuseCommand command_type=1064 reason=1208",
      "RegisterSystemKey public_key=a kind=0",
      "RegisterSystemKey public_key=a kind=3",
      "SetInstrumentHalt halted=2",
      "SetCapacity assurance=3",
      "RegisterNode class_id=1",
      "RegisterNode region_id=1",
      "BeginProbe node_id=1 expires_us=T+1m",
      "DecideProbe reason=25",
      "DecideProbe reason=small_profile",
      "DecideProbe probe_id=1 gpus=1 valid_until_us=T+1m flags=16",
      "DecideProbe probe_id=1 gpus=1 valid_until_us=T+1m share=10001",
      "DecideProbe probe_id=1 gpus=1 valid_until_us=T+1m share=-1",
      "DecideProbe probe_id=1 gpus=0 valid_until_us=T+1m",
      "DecideProbe probe_id=1 gpus=1",
      "DecideProbe gpus=1 valid_until_us=T+1m",
      "DecideProbe probe_id=1 gpus=1 valid_until_us=T+1m memory_bytes=-1",
      "DecideProbe probe_id=1 gpus=1 reason=wrong_product",
      "DecideProbe probe_id=1 gpus=1 valid_until_us=T+1m answers_call=2",
      "DecideProbe probe_id=1 reason=wrong_product answers_call=1",
      "DecideProbe probe_id=1 share=1 reason=wrong_product",
      "DecideProbe probe_id=1 valid_until_us=T+1m reason=wrong_product",
      "RefuseRequest reason=0",
      "RefuseRequest reason=2999",
  };
  for (const char* line : lines) {
    CAPTURE(std::string(line));
    Differential differential{EngineLimits()};
    CHECK(!differential.Apply(ParseCommand(line)));
    const wire::RecordView reply = *wire::Records(differential.events()).begin();
    CHECK(MatchesLine(reply, "CommandRejected reason=malformed_command"));
  }
}

}  // namespace
}  // namespace warpbook::engine

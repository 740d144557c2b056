#include <doctest/doctest.h>

#include <string>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

TEST_CASE("An instrument opens with its gate before the window's end and closes after it") {
  RunScenario(R"(
setup
OpenInstrument window_start_us=T+120m window_minutes=60 notice_seconds=120 gate_minutes=3 tick=1000 band_low=1000 band_high=100000 class_id=1 region_id=1
  CommandAccepted result_id=2
  InstrumentOpened instrument_id=2 window_start_us=T+120m gate_us=T+177m window_minutes=60 notice_seconds=120 tick=1000 band_low=1000 band_high=100000 class_id=1 region_id=1
at T+7019s
CloseInstrument instrument_id=1
  ! invalid_instrument_state
at T+7020s
Tick
  InstrumentStateChanged instrument_id=1 state=gate_closed
  CommandAccepted
at T+7199s
CloseInstrument instrument_id=1
  ! invalid_instrument_state
at T+120m
CloseInstrument instrument_id=1
  CommandAccepted result_id=1
  InstrumentStateChanged instrument_id=1 state=closed
CloseInstrument instrument_id=1
  ! instrument_closed
CloseInstrument instrument_id=3
  ! unknown_instrument
buy b1 1@10
  ! instrument_closed
)");
}

TEST_CASE("Windows of one class and region never overlap") {
  constexpr std::string_view kRest =
      " notice_seconds=60 gate_minutes=3 tick=1000 band_low=1000 band_high=100000";
  const auto open = [&](std::string_view what) {
    return "OpenInstrument " + std::string(what) + std::string(kRest) + "\n";
  };
  RunScenario("setup\n" + open("window_start_us=T+60m window_minutes=60 class_id=1 region_id=1") +
              "  ! instrument_exists detail=1\n" +
              open("window_start_us=T+119m window_minutes=60 class_id=1 region_id=1") +
              "  ! instrument_exists detail=1\n" +
              open("window_start_us=T+31m window_minutes=30 class_id=1 region_id=1") +
              "  ! instrument_exists detail=1\n" +
              open("window_start_us=T+50m window_minutes=90 class_id=1 region_id=1") +
              "  ! instrument_exists detail=1\n" +
              open("window_start_us=T+30m window_minutes=30 class_id=1 region_id=1") +
              open("window_start_us=T+120m window_minutes=30 class_id=1 region_id=1") +
              open("window_start_us=T+60m window_minutes=60 class_id=2 region_id=1") +
              open("window_start_us=T+60m window_minutes=60 class_id=1 region_id=2"));
}

TEST_CASE("An instrument whose parameters are not consistent is refused") {
  struct Row {
    const char* field;
    const char* value;
  };
  // Each replaces one field of a good command.
  const Row rows[] = {{"class_id", "0"},
                      {"region_id", "0"},
                      {"tick", "0"},
                      {"tick", "-1000"},
                      {"tick", "1500"},
                      {"tick", "20000000000"},
                      {"band_low", "0"},
                      {"band_low", "1500"},
                      {"band_low", "101000"},
                      {"band_high", "100500"},
                      {"band_high", "10000001000"},
                      {"window_minutes", "0"},
                      {"window_minutes", "1441"},
                      {"window_minutes", "2"},
                      {"notice_seconds", "-1"},
                      {"notice_seconds", "121"},
                      {"notice_seconds", "90000"},
                      {"gate_minutes", "2"},
                      {"gate_minutes", "61"},
                      {"gate_minutes", "2147483647"},
                      {"window_start_us", "-60000000"},
                      {"window_start_us", "T-57m"},
                      {"window_start_us", "1796083200000001"},
                      {"window_start_us", "9223372036800000000"}};
  for (const Row& row : rows) {
    std::string line = "OpenInstrument";
    const Row good[] = {
        {"window_start_us", "T+0m"}, {"window_minutes", "60"}, {"notice_seconds", "120"},
        {"gate_minutes", "3"},       {"tick", "1000"},         {"band_low", "1000"},
        {"band_high", "100000"},     {"class_id", "1"},        {"region_id", "1"}};
    for (const Row& field : good) {
      const bool replaced = std::string_view(field.field) == row.field;
      line += std::string(" ") + field.field + "=" + (replaced ? row.value : field.value);
    }
    RunScenario("at T+0s\n" + line + "\n  ! invalid_instrument\n");
  }
}

TEST_CASE("A halted instrument takes cancels only, and opens again as it was") {
  RunScenario(R"(
setup
buy b1 4@10
buy b2 4@10
SetInstrumentHalt from=op instrument_id=1 halted=1
  CommandAccepted result_id=1
  InstrumentStateChanged instrument_id=1 state=halted
SetInstrumentHalt from=op instrument_id=1 halted=1
  ! invalid_instrument_state
sell p1 4@10
  ! instrument_halted
amend b1 #1 gpus=2
  ! instrument_halted
cancel b1 #1
  cancelled #1 reason=requested remaining=4
SetInstrumentHalt from=op instrument_id=1
  CommandAccepted result_id=1
  InstrumentStateChanged instrument_id=1 state=open
SetInstrumentHalt from=op instrument_id=1
  ! invalid_instrument_state
sell p1 4@10
  accepted #3
  filled #2 gpus=4
  filled #3 gpus=4
SetInstrumentHalt from=b1 instrument_id=1 halted=1
  ! not_permitted
SetInstrumentHalt from=op instrument_id=2 halted=1
  ! unknown_instrument
)");
}

TEST_CASE("The gate closes a halted instrument too, and nothing opens it again") {
  RunScenario(R"(
setup
buy b1 4@10
SetInstrumentHalt from=op instrument_id=1 halted=1
at T+117m
SetInstrumentHalt from=op instrument_id=1
  InstrumentStateChanged instrument_id=1 state=gate_closed
  cancelled #1 reason=gate_closed remaining=4
  CommandRejected reason=invalid_instrument_state
)");
}

TEST_CASE("A fill delivers from the first whole minute after the notice to the window's end") {
  RunScenario(R"(
setup
sell p1 16@10
at T+57m
buy b1 1@10
  accepted #2 lock_minutes=60
  filled #2 minutes=60 delivery_start_us=T+60m delivery_end_us=T+120m notional=600000 surcharge=600
  filled #1 minutes=60
at T+3481s
buy b1 1@10
  accepted #3 lock_minutes=59
  filled #3 minutes=59 delivery_start_us=T+61m delivery_end_us=T+120m notional=590000 surcharge=590
  filled #1 minutes=59
at T+3540s
buy b1 1@10
  accepted #4 lock_minutes=59
  filled #4 minutes=59
  filled #1 minutes=59
at T+7019s
buy b1 1@10
  accepted #5 lock_minutes=1 expires_us=T+117m
  filled #5 minutes=1 delivery_start_us=T+119m
  filled #1 minutes=1
at T+7020s
buy b1 1@10
  InstrumentStateChanged state=gate_closed
  cancelled #1 reason=gate_closed remaining=12 filled=4
  CommandRejected reason=instrument_gate_closed
)");
}

TEST_CASE("One event tells each level that changed, bids first, from the best price") {
  RunScenario(R"(
setup
show BookLevelChanged
buy b1 4@10
  accepted #1
  level side=buy price=10000 gpus=4 orders=1 top_of_book=1
buy b1 4@9
  accepted #2
  level side=buy price=9000 gpus=4 orders=1 top_of_book=0
buy b2 4@10
  accepted #3
  level side=buy price=10000 gpus=8 orders=2 top_of_book=1
sell p1 13@9
  accepted #4
  filled #1
  filled #4
  filled #3
  filled #4
  filled #2
  filled #4
  level side=buy price=10000 gpus=0 orders=0 top_of_book=1
  level side=buy price=9000 gpus=0 orders=0 top_of_book=0
  level side=sell price=9000 gpus=1 orders=1 top_of_book=1
amend p1 #4 price=11000
  amended #4
  level side=sell price=9000 gpus=0 orders=0 top_of_book=1
  level side=sell price=11000 gpus=1 orders=1 top_of_book=1
)");
}

TEST_CASE("The best level before and the best after both count as top of book") {
  RunScenario(R"(
setup
show BookLevelChanged
buy b1 1@12
buy b1 1@11
buy b1 1@10
buy b1 1@9
sell p1 2@11 time_in_force=ioc
  accepted #5
  filled #1
  filled #5
  filled #2
  filled #5
  level side=buy price=12000 gpus=0 top_of_book=1
  level side=buy price=11000 gpus=0 top_of_book=0
sell p1 1@20 time_in_force=ioc
  accepted #6
  cancelled #6 reason=ioc_remainder
)");
}

}  // namespace
}  // namespace warpbook::engine

#include "engine/service/window_scheduler.h"

#include <doctest/doctest.h>

#include "schema/types/enums.h"
#include "tests/engine/service/service_fixture.h"

namespace warpbook::engine::test {
namespace {

constexpr int64_t kMidnight = 1'800'000'000 / 86'400 * 86'400 * kMicrosPerSecond;
Timestamp At(int64_t hours, int64_t minutes, int64_t micros = 0) {
  return Timestamp(kMidnight + hours * kMicrosPerHour + minutes * kMicrosPerMinute + micros);
}

wire::InstrumentOpened Opened(uint32_t id, ClassId class_id, RegionId region_id, Timestamp start,
                              int32_t minutes) {
  wire::InstrumentOpened event;
  event.mutate_instrument_id(id);
  event.mutate_class_id(class_id.value());
  event.mutate_region_id(region_id.value());
  event.mutate_window_start_us(start.micros());
  event.mutate_window_minutes(minutes);
  return event;
}

template <typename Event>
void Observe(KnownWindows& known, const Event& event) {
  wire::RecordWriter writer;
  writer.Append(event, 0);
  known.Observe(*wire::Records(writer.bytes()).begin());
}

Catalogue OneMarket(int32_t window_minutes = 60) {
  Catalogue catalogue = TestCatalogue();
  catalogue.regions.pop_back();
  catalogue.classes[0].window_minutes = Minutes(window_minutes);
  return catalogue;
}

std::vector<Timestamp> Opens(const std::vector<wire::CommandRecord>& commands) {
  std::vector<Timestamp> starts;
  for (const wire::CommandRecord& command : commands) {
    if (command.view().type() == wire::RecordType::kOpenInstrument) {
      starts.push_back(Timestamp(command.view().as<wire::OpenInstrument>().window_start_us()));
    }
  }
  return starts;
}

std::vector<uint32_t> Closes(const std::vector<wire::CommandRecord>& commands) {
  std::vector<uint32_t> ids;
  for (const wire::CommandRecord& command : commands) {
    if (command.view().type() == wire::RecordType::kCloseInstrument) {
      ids.push_back(command.view().as<wire::CloseInstrument>().instrument_id());
    }
  }
  return ids;
}

TEST_CASE("The current window is opened with windows_ahead after it, in each market") {
  const auto commands = ScheduleWindows(TestCatalogue(), {}, At(14, 10));
  CHECK(Opens(commands) ==
        std::vector<Timestamp>{At(14, 0), At(15, 0), At(16, 0), At(14, 0), At(15, 0), At(16, 0)});
  const auto& first = commands[0].view().as<wire::OpenInstrument>();
  CHECK(first.class_id() == 1);
  CHECK(first.region_id() == 1);
  CHECK(first.tick() == 20'000);
  CHECK(first.band_low() == 500'000);
  CHECK(first.band_high() == 10'000'000);
  CHECK(first.window_minutes() == 60);
  CHECK(first.notice_seconds() == 120);
  CHECK(first.gate_minutes() == 3);
  CHECK(first.header().account_id() == 0);
  CHECK(commands[3].view().as<wire::OpenInstrument>().region_id() == 2);
}

TEST_CASE("The current window is left out from its gate on") {
  const Catalogue catalogue = OneMarket();
  CHECK(Opens(ScheduleWindows(catalogue, {}, At(14, 57, -1))).front() == At(14, 0));
  CHECK(Opens(ScheduleWindows(catalogue, {}, At(14, 57))).front() == At(15, 0));
  CHECK(Opens(ScheduleWindows(catalogue, {}, At(14, 57))).size() == 2);
  CHECK(Opens(ScheduleWindows(catalogue, {}, At(15, 0))).size() == 3);
}

TEST_CASE("What is there is not opened again, and is closed when it is over") {
  const Catalogue catalogue = OneMarket();
  KnownWindows known;
  for (uint32_t i = 0; i < 3; ++i) {
    Observe(known, Opened(7 + i, ClassId(1), RegionId(1), At(14 + i, 0), 60));
  }
  CHECK(ScheduleWindows(catalogue, known, At(14, 59)).empty());
  CHECK(ScheduleWindows(catalogue, known, At(15, 0, -1)).empty());
  const auto next = ScheduleWindows(catalogue, known, At(15, 0));
  CHECK(Closes(next) == std::vector<uint32_t>{7});
  CHECK(Opens(next) == std::vector<Timestamp>{At(17, 0)});
  CHECK(next[0].view().type() == wire::RecordType::kCloseInstrument);

  wire::InstrumentStateChanged changed;
  changed.mutate_instrument_id(7);
  changed.mutate_state(static_cast<uint8_t>(InstrumentState::kGateClosed));
  Observe(known, changed);
  CHECK(known.all().size() == 3);
  changed.mutate_state(static_cast<uint8_t>(InstrumentState::kClosed));
  Observe(known, changed);
  CHECK(known.all().size() == 2);
  CHECK(Closes(ScheduleWindows(catalogue, known, At(15, 0))).empty());
}

TEST_CASE("After a long stop all that is over is closed and the present opened") {
  KnownWindows known;
  Observe(known, Opened(1, ClassId(1), RegionId(1), At(1, 0), 60));
  Observe(known, Opened(2, ClassId(1), RegionId(1), At(2, 0), 60));
  const auto commands = ScheduleWindows(OneMarket(), known, At(20, 30));
  CHECK(Closes(commands) == std::vector<uint32_t>{1, 2});
  CHECK(Opens(commands) == std::vector<Timestamp>{At(20, 0), At(21, 0), At(22, 0)});
}

TEST_CASE("A new window length applies after the last window that is there") {
  KnownWindows known;
  Observe(known, Opened(1, ClassId(1), RegionId(1), At(14, 0), 60));
  Observe(known, Opened(2, ClassId(1), RegionId(1), At(15, 0), 60));
  CHECK(Opens(ScheduleWindows(OneMarket(30), known, At(14, 10))).empty());
  CHECK(Opens(ScheduleWindows(OneMarket(30), known, At(15, 10))) ==
        std::vector<Timestamp>{At(16, 0)});
  // Windows of 90 minutes are aligned to 90 minutes: from 16:30 on, not from 16:00.
  CHECK(Opens(ScheduleWindows(OneMarket(90), known, At(14, 10))) ==
        std::vector<Timestamp>{At(16, 30)});
}

TEST_CASE("A class that is no longer tradable gets no window, and keeps those it has") {
  Catalogue catalogue = OneMarket();
  catalogue.classes[0].tradable = false;
  KnownWindows known;
  Observe(known, Opened(1, ClassId(1), RegionId(1), At(14, 0), 60));
  CHECK(ScheduleWindows(catalogue, known, At(14, 30)).empty());
  CHECK(Closes(ScheduleWindows(catalogue, known, At(15, 0))) == std::vector<uint32_t>{1});
}

}  // namespace
}  // namespace warpbook::engine::test

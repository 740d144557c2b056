#include "engine/service/window_scheduler.h"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/core/inspect.h"
#include "schema/types/enums.h"

namespace warpbook::engine {
namespace {

using Market = std::pair<ClassId, RegionId>;

// The last multiple of `length` at or before the time. Both are positive.
Timestamp FloorTo(Timestamp time, int64_t length_micros) {
  return Timestamp(time.micros() - time.micros() % length_micros);
}

void ScheduleMarket(const Catalogue& catalogue, const HardwareClass& hardware_class,
                    const Region& region, Timestamp last_end, Timestamp now,
                    std::vector<wire::CommandRecord>& commands) {
  const int64_t length_micros = hardware_class.window_minutes.value() * kMicrosPerMinute;
  const Timestamp current = FloorTo(now, length_micros);
  const Timestamp last = current.PlusMicros(catalogue.windows_ahead * length_micros);
  // The first aligned start at or after the end of what is there (rounded up).
  const Timestamp after_known = FloorTo(last_end.PlusMicros(length_micros - 1), length_micros);
  for (Timestamp start = std::max(current, after_known); start <= last;
       start = start.PlusMicros(length_micros)) {
    const Timestamp gate =
        start.PlusMicros(length_micros - catalogue.gate_minutes * kMicrosPerMinute);
    if (now < gate) {
      commands.emplace_back(MakeOpenInstrument(catalogue, hardware_class, region, start));
    }
  }
}

}  // namespace

wire::OpenInstrument MakeOpenInstrument(const Catalogue& catalogue,
                                        const HardwareClass& hardware_class, const Region& region,
                                        Timestamp start) {
  wire::OpenInstrument command;
  command.mutate_window_start_us(start.micros());
  command.mutate_tick(hardware_class.tick.value());
  command.mutate_band_low(hardware_class.band_low.value());
  command.mutate_band_high(hardware_class.band_high.value());
  command.mutate_window_minutes(hardware_class.window_minutes.value());
  command.mutate_notice_seconds(catalogue.notice_seconds);
  command.mutate_gate_minutes(catalogue.gate_minutes);
  command.mutate_class_id(hardware_class.id.value());
  command.mutate_region_id(region.id.value());
  return command;
}

KnownWindows::KnownWindows(const Engine& engine) {
  for (const InspectedInstrument& instrument : Inspector(engine).Instruments()) {
    windows_.push_back({instrument.id, instrument.class_id, instrument.region_id,
                        instrument.window_start, instrument.window_end});
  }
}

void KnownWindows::Observe(wire::RecordView event) {
  if (event.type() == wire::RecordType::kInstrumentOpened) {
    const auto& opened = event.as<wire::InstrumentOpened>();
    const Timestamp start = Timestamp(opened.window_start_us());
    windows_.push_back({InstrumentId(opened.instrument_id()), ClassId(opened.class_id()),
                        RegionId(opened.region_id()), start,
                        start.PlusMinutes(opened.window_minutes())});
  } else if (event.type() == wire::RecordType::kInstrumentStateChanged) {
    const auto& changed = event.as<wire::InstrumentStateChanged>();
    if (changed.state() != static_cast<uint8_t>(InstrumentState::kClosed)) return;
    std::erase_if(windows_, [&](const KnownWindow& window) {
      return window.id == InstrumentId(changed.instrument_id());
    });
  }
}

std::vector<wire::CommandRecord> ScheduleWindows(const Catalogue& catalogue,
                                                 const KnownWindows& known, Timestamp now) {
  std::vector<wire::CommandRecord> commands;
  std::map<Market, Timestamp> last_ends;
  for (const KnownWindow& window : known.all()) {
    Timestamp& last_end = last_ends[{window.class_id, window.region_id}];
    last_end = std::max(last_end, window.end);
    if (now < window.end) continue;
    wire::CloseInstrument command;
    command.mutate_instrument_id(window.id.value());
    commands.emplace_back(command);
  }
  for (const HardwareClass& hardware_class : catalogue.classes) {
    if (!hardware_class.tradable) continue;
    for (const Region& region : catalogue.regions) {
      ScheduleMarket(catalogue, hardware_class, region, last_ends[{hardware_class.id, region.id}],
                     now, commands);
    }
  }
  return commands;
}

}  // namespace warpbook::engine

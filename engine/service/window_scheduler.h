// Which delivery windows must be opened and closed: a pure function of the catalogue, the windows
// that are there, and the time (1-market of the design, Instrument).
#pragma once

#include <vector>

#include "engine/core/engine.h"
#include "schema/catalogue/catalogue.h"
#include "schema/types/amounts.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"
#include "schema/wire/record.h"

namespace warpbook::engine {

// An instrument that was opened and not closed yet.
struct KnownWindow {
  InstrumentId id;
  ClassId class_id;
  RegionId region_id;
  Timestamp start;
  Timestamp end;
};

// The windows that are there, as the engine's events tell. One thread owns it.
class KnownWindows {
 public:
  KnownWindows() = default;
  // Those that an engine has.
  explicit KnownWindows(const Engine& engine);
  // Any event; those that open or close an instrument count.
  void Observe(wire::RecordView event);
  const std::vector<KnownWindow>& all() const { return windows_; }

 private:
  std::vector<KnownWindow> windows_;  // in the order of their opening
};

// The command that opens the window of a class in a region that begins then.
wire::OpenInstrument MakeOpenInstrument(const Catalogue& catalogue,
                                        const HardwareClass& hardware_class, const Region& region,
                                        Timestamp start);

// CloseInstrument for every window that is over, then OpenInstrument for every one that is missing:
// of each tradable class and region, aligned to the class's window length since 1970, the current
// window while its gate is open and `windows_ahead` after it. Windows of a new length begin after
// the last one that is there. Headers are empty but for the commands' being the exchange's own.
std::vector<wire::CommandRecord> ScheduleWindows(const Catalogue& catalogue,
                                                 const KnownWindows& known, Timestamp now);

}  // namespace warpbook::engine

// The answers of a journal that holds these batches to questions for history: as AccountReader
// gives them, with each command for a segment.
#pragma once

#include <memory>
#include <span>

#include "engine/service/engine_port.h"

namespace warpbook::gateway {

std::unique_ptr<engine::HistoryPage> PageOf(
    std::span<const std::shared_ptr<const engine::DurableBatch>> batches,
    const engine::HistoryRequest& request);

}  // namespace warpbook::gateway

#include "engine/core/book_changes.h"

#include <algorithm>
#include <tuple>

namespace warpbook::engine {

void BookChanges::Sort() {
  std::ranges::sort(touched_, {}, [](const Touched& touched) {
    return std::tuple(touched.instrument->id, touched.side, touched.level->rank());
  });
}

}  // namespace warpbook::engine

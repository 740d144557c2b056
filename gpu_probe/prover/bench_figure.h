// A figure of an unproven benchmark.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace warpbook::probe {

struct BenchFigure {
  std::string name;  // with the unit in it
  int64_t value = 0;
};

// Of what was measured in that unit, rounded: "int8, mma" in "TOPS" is "int8_mma_tops".
BenchFigure MakeFigure(std::string_view what, double value, std::string_view unit);

}  // namespace warpbook::probe

#include "gpu_probe/prover/bench_figure.h"

#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace warpbook::probe {

BenchFigure MakeFigure(std::string_view what, double value, std::string_view unit) {
  BenchFigure figure{.name = {}, .value = static_cast<int64_t>(std::llround(value))};
  std::string& name = figure.name;
  for (const char c :
       absl::AsciiStrToLower(absl::StrCat(std::string(what), " ", std::string(unit)))) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      name.push_back(c);
    } else if (c == '/') {
      name.append("_per_");
    } else if (c == '%') {
      name.append("percent");
    } else if (!name.empty() && name.back() != '_') {
      name.push_back('_');
    }
  }
  return figure;
}

}  // namespace warpbook::probe

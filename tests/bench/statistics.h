// What is reported of repeated measurements.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace warpbook::bench {

struct Spread {
  double median = 0, min = 0, max = 0;
};
// Of at least one value.
inline Spread SpreadOf(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}
// Of a[i] / b[i]: rounds that lie beside each other in time, so that what slows a machine for a
// while slows both.
inline Spread SpreadOfRatios(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  for (size_t i = 0; i < a.size(); ++i) ratios.push_back(a[i] / b[i]);
  return SpreadOf(std::move(ratios));
}

struct Percentiles {
  int64_t p50 = 0, p99 = 0, p999 = 0;
};
inline Percentiles PercentilesOf(std::vector<int64_t> values) {
  std::ranges::sort(values);
  const auto at = [&](double share) {
    return values[static_cast<size_t>(static_cast<double>(values.size() - 1) * share)];
  };
  return {at(0.5), at(0.99), at(0.999)};
}

}  // namespace warpbook::bench

#include "schema/metrics/metric_table.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace warpbook {
namespace {

bool IsOf(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

}  // namespace

TEST_CASE("Names are Prometheus's: lower case, one of each, counters alone end in _total") {
  std::set<std::string_view> names;
  for (const MetricInfo& info : AllMetrics()) {
    CAPTURE(info.name);
    CHECK(IsOf(info.name, "abcdefghijklmnopqrstuvwxyz_"));
    CHECK((info.name.starts_with("warpbook_") || info.name.starts_with("process_")));
    CHECK(info.name.ends_with("_total") == (info.type == MetricType::kCounter));
    CHECK(names.insert(info.name).second);
  }
}

TEST_CASE("Durations are in seconds, and buckets ascend") {
  for (const MetricInfo& info : AllMetrics()) {
    CAPTURE(info.name);
    for (const std::string_view unit : {"_milliseconds", "_ms", "_micros", "_minutes", "_hours"}) {
      CHECK_FALSE(info.name.ends_with(unit));
    }
    if (info.type != MetricType::kHistogram) continue;
    CHECK(info.name.ends_with("_seconds"));
    CHECK(info.recorded_per_unit == 1'000'000'000);
    for (size_t i = 1; i < info.bounds.size(); ++i) CHECK(info.bounds[i] > info.bounds[i - 1]);
  }
}

TEST_CASE("A help is a sentence, and a label is never an id") {
  const std::set<std::string_view> ids = {"account", "order", "connection", "id",     "lease",
                                          "node",    "owner", "instrument", "symbol", "peer"};
  for (const MetricInfo& info : AllMetrics()) {
    CAPTURE(info.name);
    CHECK(info.help.ends_with('.'));
    CHECK(info.recorded_per_unit > 0);
    std::string_view rest = info.labels;
    while (!rest.empty()) {
      const std::string_view label = rest.substr(0, rest.find(','));
      CHECK(IsOf(label, "abcdefghijklmnopqrstuvwxyz_"));
      CHECK_FALSE(ids.contains(label));
      // Prometheus's own.
      CHECK(label != "le");
      CHECK(label != "job");
      CHECK(label != "instance");
      rest.remove_prefix(std::min(rest.size(), label.size() + 1));
    }
  }
}

}  // namespace warpbook

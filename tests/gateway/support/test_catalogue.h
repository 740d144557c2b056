// The catalogue of the gateway's tests: two tradable classes and two regions.
#pragma once

namespace warpbook::gateway {

inline constexpr const char* kTestCatalogueText = R"(
[market]
windows_ahead = 2
notice_seconds = 120
gate_minutes = 3
[region us-east]
id = 1
[region eu-west]
id = 2
[class H100-SXM]
id = 1
int8_dense_tops = 1979
memory_gb = 80
memory_gb_per_s = 3350
tdp_watts = 700
window_minutes = 60
tradable = yes
tick = 0.02
band_low = 1.00
band_high = 8.00
reference_price = 2.50
[class A100-SXM]
id = 2
memory_gb = 80
memory_gb_per_s = 2039
tdp_watts = 400
window_minutes = 60
tradable = yes
tick = 0.01
band_low = 0.50
band_high = 4.00
reference_price = 1.20
)";

}  // namespace warpbook::gateway

#include "tests/bench/order_flow.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

namespace warpbook::bench {
namespace {

constexpr double kTick = 0.005;
constexpr double kFirstMid = 167.52;
constexpr int kLevels = 800;
constexpr double kPi = 3.14159265358979323846;

// The flow's own distributions over std::mt19937: the standard's differ between libraries.
class FlowRandom {
 public:
  explicit FlowRandom(uint32_t seed) : engine_(seed) {}

  double Uniform() {
    const uint64_t a = engine_() >> 5;
    const uint64_t b = engine_() >> 6;
    return (static_cast<double>(a) * 67108864.0 + static_cast<double>(b)) *
           (1.0 / 9007199254740992.0);
  }
  uint32_t Integer(uint32_t low, uint32_t high) {
    const double width = static_cast<double>(high) - static_cast<double>(low) + 1.0;
    return low + static_cast<uint32_t>(Uniform() * width);
  }
  double Normal() {
    const double u1 = std::max(Uniform(), 1e-300);
    const double u2 = Uniform();
    return std::sqrt(-2.0 * std::log(u1)) * std::cos(2.0 * kPi * u2);
  }
  double Exponential(double lambda) { return -std::log(std::max(Uniform(), 1e-300)) / lambda; }

 private:
  std::mt19937 engine_;
};

struct FlowOrder {
  int64_t price = 0;
  int32_t quantity = 0;
  int level = 0;
  bool is_sell = false;
};

// How far from the mid orders are placed, as cumulated weights of the levels.
std::vector<double> CumulatedDepth() {
  std::vector<double> cumulated;
  double total = 0;
  for (int k = 0; k < kLevels; ++k) {
    total += 1.0 / std::pow(k + 1, 2.23) + 5.0 * std::exp(-0.5 * (k - 8) * (k - 8));
    cumulated.push_back(total);
  }
  return cumulated;
}

std::vector<FlowOrder> MakeOrders(const OrderFlowScenario& scenario, uint32_t count,
                                  FlowRandom& random) {
  const std::vector<double> depth = CumulatedDepth();
  const double dt =
      scenario.volatility == 0 ? 0.0 : std::pow(scenario.swing / scenario.volatility, 2.0) / count;
  const double sigma = scenario.volatility * std::sqrt(dt);
  double mid = kFirstMid;
  std::vector<FlowOrder> orders;
  orders.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    const double z = random.Normal();
    const auto found =
        std::lower_bound(depth.begin(), depth.end(), random.Uniform() * depth.back());
    const int level = std::min(static_cast<int>(found - depth.begin()), kLevels - 1);
    const auto quantity = static_cast<int32_t>(random.Integer(1, 100));
    mid *= std::exp(-0.5 * sigma * sigma + sigma * z);
    const int64_t middle = std::llround((std::round(mid / kTick) * kTick) / kTick);
    const bool is_sell = i >= count / 2;
    const int64_t price = is_sell ? middle + (level + 1) : middle - (level + 1);
    orders.push_back({std::max<int64_t>(price, 1), quantity, level, is_sell});
  }
  return orders;
}

std::vector<uint32_t> Shuffle(uint32_t count, FlowRandom& random) {
  std::vector<uint32_t> arrival(count);
  for (uint32_t i = 0; i < count; ++i) arrival[i] = i;
  for (uint32_t i = count; i-- > 1;) std::swap(arrival[i], arrival[random.Integer(0, i)]);
  return arrival;
}

// The life of one order after its arrival: what follows its NEW.
class Arrivals {
 public:
  Arrivals(FlowRandom& random, size_t count) : random_(random) { messages_.reserve(count * 2); }

  void Add(const FlowOrder& order, uint32_t id) {
    FlowMessage message{now_, FlowAction::kNew, order.is_sell, random_.Uniform() < 0.15,
                        id,   order.price,      order.quantity};
    messages_.push_back(message);
    if (!message.immediate_or_cancel) Follow(order, message);
    now_ += 1;
  }
  // By time; messages of one time in the order of their making.
  std::vector<FlowMessage> Take() {
    std::ranges::stable_sort(messages_, {}, &FlowMessage::time_us);
    return std::move(messages_);
  }

 private:
  void Follow(const FlowOrder& order, const FlowMessage& placed) {
    FlowMessage modify = placed;
    const bool modified = random_.Uniform() < 0.20;
    if (modified) {
      modify.action = FlowAction::kModify;
      modify.time_us = now_ + 30 + static_cast<int64_t>(random_.Uniform() * 70);
      modify.quantity = order.quantity + 1;
      if (random_.Uniform() < 0.80) modify.price += order.is_sell ? -1 : 1;
      messages_.push_back(modify);
      now_ = modify.time_us;
    }
    const bool cancelled = random_.Uniform() < 0.95;
    if (cancelled) {
      const double lambda = (std::log(2.0) / (0.431 * 1000.0)) / std::sqrt(1.0 + order.level);
      FlowMessage cancel = placed;
      cancel.action = FlowAction::kCancel;
      now_ += static_cast<int64_t>(random_.Exponential(lambda));
      Push(cancel);
      PerhapsAgain(cancel);
    }
    if (modified && cancelled) PerhapsAgain(modify);
  }
  void PerhapsAgain(FlowMessage& message) {
    if (random_.Uniform() >= 0.02) return;
    now_ += 1 + static_cast<int64_t>(random_.Uniform() * 20);
    Push(message);
  }
  void Push(FlowMessage& message) {
    message.time_us = now_;
    messages_.push_back(message);
  }

  FlowRandom& random_;
  int64_t now_ = 0;
  std::vector<FlowMessage> messages_;
};

}  // namespace

const std::vector<OrderFlowScenario>& OrderFlowScenarios() {
  static const std::vector<OrderFlowScenario> scenarios = {
      {"static", 0, 0, "9803843ee404fc29c9a0aa5614f8f0d5a58b5c44fcac9ef89067886fcaaa30d1"},
      {"normal", 0.15, 0.02, "e9b2e3926854410b01a035aeb25dd05f1e597c233be8263de9eb49b6713d367e"},
      {"swing-25", 0.5, 0.25, "61a84be9469661bd039e00dbc9a7c011e70b6ace37aadfe60045ea083b05f4df"},
      {"swing-40", 0.5, 0.40, "3cb0175e7982ff09ea220d1feaee3844cf9116a5ce455757879dea1d880b9b9f"},
      {"flash-crash", 0.5, 0.60,
       "cff8d3f94b709fc64a8b2058a6ca4fb6920364904796e46906895e362d2bb16b"}};
  return scenarios;
}

const OrderFlowScenario* FindOrderFlowScenario(std::string_view name) {
  for (const OrderFlowScenario& scenario : OrderFlowScenarios()) {
    if (scenario.name == name) return &scenario;
  }
  return nullptr;
}

std::vector<FlowMessage> MakeOrderFlow(const OrderFlowScenario& scenario, uint32_t seed,
                                       uint32_t count) {
  FlowRandom random(seed);
  const std::vector<FlowOrder> orders = MakeOrders(scenario, count, random);
  const std::vector<uint32_t> arrival = Shuffle(count, random);
  Arrivals arrivals(random, count);
  for (const uint32_t index : arrival) arrivals.Add(orders[index], index + 1);
  return arrivals.Take();
}

}  // namespace warpbook::bench

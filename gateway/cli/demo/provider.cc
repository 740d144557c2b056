#include "gateway/cli/demo/provider.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/cli/demo/operator_desk.h"
#include "gateway/cli/key_files.h"
#include "gpu_probe/prover/cpu_prover.h"
#include "gpu_probe/prover/exchange_probe.h"
#include "schema/base/json_object.h"
#include "schema/types/decimal.h"
#include "schema/types/signed_messages.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr size_t kOpenOrdersMax = 60;
// Of all actions: how many take a bid, change an order, end one.
constexpr double kTakeShare = 0.07;
constexpr double kAmendShare = 0.15;
constexpr double kCancelShare = 0.10;
// How far asks rest above the fair price, and how far below it a provider sells.
constexpr double kRestNear = 0.004, kRestFar = 0.04;
constexpr double kTakeUnder = 0.03;

constexpr int64_t kTokens = 100;  // every member holds some
constexpr int64_t kLimitUsd = 1'000'000;
constexpr seconds kOperatorPatience{5};

// A heartbeat is sent this long after its minute's begin at the earliest, each lease at its own
// moment: before the minute is over, and not all at once.
constexpr int64_t kPhaseMin = 2 * kMicrosPerSecond;
constexpr int64_t kPhaseSpread = 45 * kMicrosPerSecond;
// A minute is given up when the exchange would no longer take its heartbeat: 5 minutes after its
// end (2-tokens of the design, Money flow).
constexpr int64_t kHeartbeatLateMax = 6 * kMicrosPerMinute;

// Of so many nodes one is attested.
constexpr int64_t kNodesPerAttested = 5;
// How often a provider looks whether its nodes have to prove themselves again, and how long before
// the end of a proof it does.
constexpr seconds kLookAtNodes{5};
constexpr int64_t kProveAhead = 10 * kMicrosPerMinute;
// A probe of which nothing is heard any more is begun anew.
constexpr seconds kProbePatience{240};

int64_t FloorToMinute(int64_t micros) { return micros - micros % kMicrosPerMinute; }

int64_t PhaseOf(uint64_t lease) {
  return kPhaseMin + static_cast<int64_t>(lease * 2'654'435'761u % kPhaseSpread);
}

}  // namespace

Provider::Provider(DemoContext& context, int64_t number, const std::string& name,
                   const std::string& key_file, milliseconds action_period)
    : Member(context, name, key_file, action_period), number_(number) {}

// ---- Nodes
// ---------------------------------------------------------------------------------------

// The markets are known now; the keys and ids are in files from earlier runs.
absl::Status Provider::MakeNodes() {
  for (int i = 0; i < kNodes; ++i) {
    Node node;
    node.key_file = absl::StrCat(key_file_, ".node-", i + 1);
    absl::StatusOr<Ed25519PrivateKey> key = LoadOrCreateKeyFile(node.key_file);
    if (!key.ok()) return key.status();
    node.key = std::make_shared<const Ed25519PrivateKey>(*std::move(key));
    // The first node of each is in the headline market, the others are spread over all.
    node.market = i == 0 ? context_.markets.headline()
                         : static_cast<size_t>(number_ * kNodes + i) % context_.markets.size();
    node.gpus = 8 * (1 + (number_ + i) % 4);
    node.is_attested = (number_ + i) % kNodesPerAttested == 2;
    node.id = LoadIdBeside(node.key_file, "node").value_or(0);
    nodes_.push_back(std::move(node));
  }
  return absl::OkStatus();
}

void Provider::OnNewAccount() {
  for (Node& node : nodes_) node.id = 0;
}

void Provider::OnReady() {
  if (nodes_.empty()) {
    const absl::Status made = MakeNodes();
    if (!made.ok()) return context_.Fail(made);
  }
  for (Node& node : nodes_) node.is_proving = false;  // its calls ended with the connection
  LookAtNodes();
  Call("account.balances", "{}", [this](const Reply& reply) {
    const auto limit = ParseUsd(reply.result["bonded_limit_usd"].text());
    limit_usd_ = limit ? limit->value() / kCreditsPerUsd : 0;
    needs_limit_ = limit_usd_ < kLimitUsd;
  });
}

void Provider::LookAtNodes() {
  next_look_ = steady_clock::now() + kLookAtNodes;
  Call("account.nodes", "{}", [this](const Reply& reply) {
    if (!reply.success) return;
    absl::flat_hash_map<uint64_t, const JsonValue*> known;
    for (const JsonValue& row : reply.result["nodes"].items()) known[row["node"].id()] = &row;
    for (Node& node : nodes_) {
      const auto row = known.find(node.id);
      if (row == known.end()) {
        node.id = 0;
      } else {
        OnNodeRow(node, *row->second);
      }
    }
  });
}

void Provider::OnNodeRow(Node& node, const JsonValue& row) {
  if (node.is_proving) return;  // what it says is overtaken by the verdict
  node.is_approved = row["approved"].flag() && row["approved_gpus"].integer() > 0;
  node.gpus = row["gpus"].integer();
  node.market = context_.markets.Find(row["hardware_class"].text(), row["region"].text());
  node.prove_by_us = row["proved_until"].integer() - kProveAhead;
  if (row.Has("probe_due")) node.prove_by_us = 0;
}

bool Provider::HasToProve(const Node& node) const {
  return !node.is_approved || node.prove_by_us <= context_.clock.Now();
}

Provider::Node* Provider::FindNode(uint64_t id) {
  const auto node = std::find_if(nodes_.begin(), nodes_.end(),
                                 [id](const Node& candidate) { return candidate.id == id; });
  return id == 0 || node == nodes_.end() ? nullptr : &*node;
}

void Provider::Maintain() {
  MaintainTokens(1, kTokens);
  const auto now = steady_clock::now();
  if (now >= next_look_) LookAtNodes();
  for (Node& node : nodes_) {
    if (now < node.not_before) continue;
    if (node.id == 0) {
      Register(node);
    } else if (HasToProve(node)) {
      Prove(node);
    }
  }
  if (needs_limit_ && now >= limit_due_ && context_.desk->is_open()) {
    limit_due_ = now + kOperatorPatience;
    const int64_t wanted = std::max(kLimitUsd, limit_usd_ * 2);
    context_.desk->SetLimit(account_, wanted, [this, wanted](const Reply& reply) {
      if (!reply.success) return;
      limit_usd_ = wanted;
      needs_limit_ = false;
    });
  }
}

void Provider::Register(Node& node) {
  node.not_before = steady_clock::now() + kOperatorPatience;
  if (node.market >= context_.markets.size()) return;
  const DemoMarket& market = context_.markets.market(node.market);
  const auto signature = node.key->Sign(NodeMessage(client_.server_name(), account_));
  Call("capacity.register",
       JsonObject()
           .Text("hardware_class", market.hardware_class)
           .Text("region", market.region)
           .Integer("gpus", node.gpus)
           .Text("device_key", PublicKeyHex(*node.key))
           .Text("signature", SignatureHex(signature))
           .Build(),
       [this, &node](const Reply& reply) { OnRegistered(node, reply); });
}

void Provider::OnRegistered(Node& node, const Reply& reply) {
  if (reply.success) {
    node.id = reply.result["node"].id();
    node.is_approved = false;
    const absl::Status saved = SaveIdBeside(node.key_file, "node", node.id);
    if (!saved.ok()) return context_.Fail(saved);
    return Prove(node);
  }
  // The answer that named the node was lost with its connection: its key is spent.
  if (reply.code != "key_in_use") return;
  const std::string spent = absl::StrCat(node.key_file, ".spent-", context_.run);
  absl::StatusOr<Ed25519PrivateKey> key =
      std::rename(node.key_file.c_str(), spent.c_str()) == 0
          ? CreateKeyFile(node.key_file)
          : absl::UnavailableError(absl::StrCat(node.key_file, ": cannot rename"));
  if (!key.ok()) return context_.Fail(key.status());
  node.key = std::make_shared<const Ed25519PrivateKey>(*std::move(key));
}

void Provider::Prove(Node& node) {
  node.not_before = steady_clock::now() + kProbePatience;
  node.is_proving = true;
  // What an earlier one still has to say, over a connection that was lost, is of no use.
  const auto is_latest = [this, &node, number = ++node.proof] { return node.proof == number; };
  std::vector<probe::GpuClaim> claims(static_cast<size_t>(node.gpus));
  for (probe::GpuClaim& claim : claims) claim.name = "CPU reference prover";
  probe::ProveToExchange(
      [this, is_latest](std::string_view method, const std::string& params,
                        const std::function<void(const Reply&)>& on_reply) {
        if (is_latest()) Call(method, params, on_reply);
      },
      [this](int64_t micros, std::function<void()> function) {
        context_.loop.PostAfter(std::chrono::ceil<milliseconds>(std::chrono::microseconds(micros)),
                                std::move(function));
      },
      {.id = node.id,
       .claims = std::move(claims),
       .check_size = probe::CheckForCpu,
       .make =
           [](const probe::GpuChallenge& challenge) {
             return std::make_unique<probe::CpuProver>(challenge);
           },
       .prover = "warpbook demo",
       .device_key = node.key},
      [](std::string_view, int64_t, int64_t) {},
      [this, &node, is_latest](const absl::StatusOr<JsonValue>& verdict) {
        if (is_latest()) OnVerdict(node, verdict);
      });
}

void Provider::OnVerdict(Node& node, const absl::StatusOr<JsonValue>& verdict) {
  node.is_proving = false;
  node.not_before = steady_clock::now() + kOperatorPatience;
  ++context_.stats.counts.probes;
  if (!verdict.ok() || !(*verdict)["passed"].flag()) return;
  ++context_.stats.counts.probes_passed;
  node.is_approved = true;
  node.prove_by_us = (*verdict)["proved_until"].integer() - kProveAhead;
  if (node.is_attested && context_.desk->is_open()) {
    context_.desk->SetCapacity(NodeId(node.id), node.gpus, "attested", [](const Reply&) {});
  }
}

// ---- Orders
// --------------------------------------------------------------------------------------

void Provider::Trade() {
  const double chance = context_.Chance();
  if (chance < kCancelShare && orders_.CancelRandom()) return;
  if (chance < kCancelShare + kAmendShare && orders_.AmendRandom()) return;
  if (nodes_.empty()) return;
  if (orders_.open() + orders_.pending() >= kOpenOrdersMax) {
    orders_.CancelRandom();
    return;
  }
  const Node& node = nodes_[static_cast<size_t>(context_.Number(0, kNodes - 1))];
  if (!node.is_approved || node.market >= context_.markets.size()) return;
  if (const DemoWindow* window = PickWindow(node.market)) Ask(node, *window);
}

void Provider::Ask(const Node& node, const DemoWindow& window) {
  const int64_t left = node.gpus - orders_.GpusAsked({.node = node.id}, window.symbol) -
                       leases_.GpusSold(node.id, window.symbol);
  if (left <= 0) return;
  const bool takes = context_.Chance() < kTakeShare / (1 - kAmendShare - kCancelShare);
  const double away = kRestNear + (kRestFar - kRestNear) * context_.Chance() * context_.Chance();
  const Price price =
      context_.markets.Quote(node.market, window, takes ? 1 - kTakeUnder : 1 + away);
  JsonObject params;
  params.Text("side", "sell").Text("order_type", "limit").Text("price", FormatPrice(price));
  if (takes) {
    params.Text("time_in_force", "ioc");
  } else if (context_.Chance() < 0.1) {
    params.Flag("post_only", true);
  }
  const int64_t gpus = std::min(left, context_.Number(1, takes ? 4 : 8));
  orders_.Place(std::move(params), window.symbol, gpus, {.node = node.id});
}

void Provider::OnOrderRefused(const std::string& code) {
  if (code == "bonded_limit_exceeded") needs_limit_ = true;
  if (code == "node_not_approved") next_look_ = {};
}

// ---- Delivery
// ------------------------------------------------------------------------------------

void Provider::Deliver() {
  const int64_t now_us = context_.clock.Now();
  const auto now = steady_clock::now();
  for (auto& [id, lease] : leases_.all()) {
    if (!lease.is_provider || lease.is_waiting || now < lease.not_before) continue;
    if (lease.state == LeaseState::kReserved) {
      if (now_us >= lease.delivery_start_us && now_us < lease.delivery_end_us) Start(lease);
      continue;
    }
    if (lease.state == LeaseState::kFailed) continue;
    const int64_t too_late = FloorToMinute(now_us) - kHeartbeatLateMax + kMicrosPerMinute;
    lease.next_minute_us = std::max(lease.next_minute_us, too_late);
    if (lease.next_minute_us < lease.delivery_end_us &&
        now_us >= lease.next_minute_us + PhaseOf(id)) {
      SendHeartbeat(lease);
    }
  }
}

void Provider::Start(OwnLease& lease) {
  lease.is_waiting = true;
  Call("lease.start", JsonObject().Id("lease", lease.id).Build(),
       [this, id = lease.id](const Reply& reply) {
         OwnLease* const answered = leases_.Find(id);
         if (answered == nullptr) return;
         answered->is_waiting = false;
         if (!reply.success) return WaitAfter(*answered, reply);
         ++context_.stats.counts.leases_started;
         if (answered->state == LeaseState::kReserved) answered->state = LeaseState::kActive;
         // Minutes before that of the start are not paid.
         answered->next_minute_us =
             std::max(answered->next_minute_us, FloorToMinute(context_.clock.Now()));
       });
}

void Provider::SendHeartbeat(OwnLease& lease) {
  const Node* const node = FindNode(lease.node);
  if (node == nullptr) {
    // Sold under a key that is not ours to sign with any more.
    lease.next_minute_us = lease.delivery_end_us;
    return;
  }
  const int64_t minute = lease.next_minute_us;
  const auto signature = node->key->Sign(
      HeartbeatMessage(client_.server_name(), LeaseId(lease.id), Timestamp(minute)));
  lease.is_waiting = true;
  Call("lease.heartbeat",
       JsonObject()
           .Id("lease", lease.id)
           .Integer("minute", minute)
           .Text("signature", SignatureHex(signature))
           .Build(),
       [this, id = lease.id, minute](const Reply& reply) {
         if (reply.success) ++context_.stats.counts.heartbeats;
         OwnLease* const answered = leases_.Find(id);
         if (answered == nullptr) return;
         answered->is_waiting = false;
         if (!reply.success) WaitAfter(*answered, reply);
         if (reply.success || reply.code == "heartbeat_too_late" ||
             reply.code == "minute_outside_lease") {
           answered->next_minute_us = minute + kMicrosPerMinute;
         }
       });
}

void Provider::WaitAfter(OwnLease& lease, const Reply& reply) {
  if (reply.code == "lease_start_too_late") {
    lease.not_before = steady_clock::time_point::max();
    return;
  }
  const bool soon = reply.code == "minute_in_future" || reply.code == "lease_not_startable" ||
                    reply.retry_after_us > 0;
  lease.not_before = steady_clock::now() + (soon ? milliseconds(50) : milliseconds(1'000));
}

}  // namespace warpbook::gateway

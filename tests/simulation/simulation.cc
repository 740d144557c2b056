#include "tests/simulation/simulation.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <memory>
#include <numeric>
#include <vector>

#include "engine/service/journal_verify.h"
#include "schema/journal/watermark.h"
#include "tests/simulation/client.h"
#include "tests/simulation/engine_process.h"
#include "tests/simulation/settlement.h"
#include "tests/simulation/slow_reader.h"
#include "tests/simulation/snapshot_maker.h"
#include "tests/simulation/sum_follower.h"
#include "tests/simulation/violation.h"

namespace warpbook::simulation {
namespace {

using engine::EngineService;

constexpr int kCommands = 120;  // of clients; with retries, settlement and ticks some 200
constexpr size_t kMembers = 3;
constexpr PublicKey kOperatorKey = {1};
constexpr PublicKey kSettlementKey = {2};
// How many times as likely a crash is while a batch is written and synced, where it may tear it.
constexpr uint64_t kCrashesInCommit = 12;
// And while a snapshot is made, which is seldom.
constexpr uint64_t kCrashesInSnapshot = 2;
// Steps after the last command within which everything must have come to rest.
constexpr uint64_t kStepsToRestMax = 100'000;

// What may happen next; each has a weight, 0 where it cannot.
enum Event : size_t {
  kClientStep,
  kSequencerTurn,
  kJournalStep,
  kSettlementStep,
  kSettlementSend,
  kReaderStep,
  kSnapshotStart,
  kSnapshotStep,
  kSnapshotRequestStop,
  kSnapshotKill,
  kSnapshotDamage,
  kEngineStart,
  kSettlementStart,
  kEngineStop,
  kEngineKill,
  kSettlementKill,
  kPowerLoss,
  kEventCount,
};

Catalogue SmallCatalogue() {
  HardwareClass hardware;
  hardware.id = ClassId(1);
  hardware.name = "H100-SXM";
  hardware.reference_price = Price(2'500'000);
  hardware.tick = Price(20'000);
  hardware.band_low = Price(500'000);
  hardware.band_high = Price(10'000'000);
  hardware.window_minutes = Minutes(60);
  hardware.tradable = true;
  Catalogue catalogue;
  catalogue.classes = {hardware};
  catalogue.regions = {{RegionId(1), "us-east"}, {RegionId(2), "eu-north"}};
  catalogue.windows_ahead = 1;
  return catalogue;
}

// Small, for they are made anew at each start; small batches and segments, for more of them.
EngineService::Options RandomOptions(Random& random) {
  EngineService::Options options;
  options.journal_directory = kJournalDirectory;
  options.catalogue = SmallCatalogue();
  options.operator_key = kOperatorKey;
  options.settlement_key = kSettlementKey;
  options.limits.accounts_max = 64;
  options.limits.nodes_max = 256;
  options.limits.resting_orders_max = 1'024;
  options.limits.leases_max = 1'024;
  options.limits.instruments_max = 64;
  options.limits.client_order_ids_max = 4'096;
  options.limits.commands_per_checkpoint = static_cast<uint64_t>(random.Between(20, 200));
  options.service_limits.port_commands_max = 16;
  options.service_limits.port_event_bytes_max = random.OneIn(4) ? 32'768 : 1 << 20;
  options.service_limits.batch_commands_max = static_cast<uint32_t>(random.Between(1, 24));
  options.service_limits.batch_bytes_max = static_cast<size_t>(random.Between(1, 16)) * 1'024;
  options.segment_size = static_cast<uint64_t>(random.Between(2, 16)) * 4'096;
  if (random.OneIn(4)) return options;
  options.snapshots.emplace();
  options.snapshots->bytes_between = static_cast<uint64_t>(random.Between(1, 40)) * 4'096;
  options.snapshots->kept = static_cast<uint32_t>(random.Between(2, 3));
  options.snapshots->resume_horizon_micros =
      random.OneIn(2) ? 0 : random.Between(1, 60) * kMicrosPerMinute;
  options.snapshots->make_follower = [] { return std::make_unique<SumFollower>(); };
  return options;
}

class Simulation {
 public:
  Simulation(uint64_t seed, RunCounts& counts);
  void Run();

 private:
  using Weights = std::array<uint64_t, kEventCount>;

  void Step();
  Weights EventWeights() const;
  Event Choose(const Weights& weights);
  void Happen(Event event);
  void StepClient();
  void StartEngine();
  void EngineHasEnded();
  void EngineIsGone();
  void KillEngine();
  void LosePower();
  void CrashSomehow();
  void CheckWatermark();
  void ConnectWhereServed();
  bool AnyPortIsLost() const;
  bool IsAtRest() const;
  void RunToRest();
  void CheckEnd();

  RunCounts& counts_;
  Random random_;
  Machine machine_;
  const EngineService::Options options_;
  Model model_;
  ClientBudget budget_;
  std::vector<Client> clients_;
  Settlement settlement_;
  SlowReader reader_;
  SnapshotMaker snapshots_;
  std::unique_ptr<EngineProcess> engine_;
  bool connected_ = false;  // clients and settlement, to the engine's process

  // The run's taste.
  Weights crash_weights_{};
  uint64_t crashes_in_recovery_;  // how many times as likely
  int crashes_ = 0;
  int last_crash_at_;  // one comes at the latest when that many commands are left
};

Simulation::Simulation(uint64_t seed, RunCounts& counts)
    : counts_(counts),
      random_(seed),
      machine_(random_),
      options_(RandomOptions(random_)),
      model_(machine_, options_.limits),
      budget_{kCommands, 0},
      settlement_(machine_, model_, kSettlementKey, budget_),
      reader_(machine_, model_),
      snapshots_(machine_, model_, options_) {
  clients_.emplace_back(machine_, model_, AccountKind::kOperator, kOperatorKey, budget_);
  for (size_t i = 0; i < kMembers; ++i) {
    const PublicKey key = {static_cast<uint8_t>(10 + i)};
    clients_.emplace_back(machine_, model_, AccountKind::kMember, key, budget_);
  }
  crash_weights_[kEngineStop] = random_.Below(6);
  crash_weights_[kEngineKill] = random_.Below(6);
  crash_weights_[kPowerLoss] = random_.Below(6);
  crash_weights_[kSettlementKill] = random_.Below(40);
  crash_weights_[kSnapshotKill] = random_.Below(40);
  crash_weights_[kSnapshotDamage] = random_.OneIn(2) ? random_.Below(200) : 0;
  crashes_in_recovery_ = random_.OneIn(4) ? 30 : random_.OneIn(2) ? 5 : 1;
  last_crash_at_ = static_cast<int>(random_.Below(kCommands));
}

void Simulation::Run() {
  while (budget_.commands_left > 0) {
    if (crashes_ == 0 && budget_.commands_left <= last_crash_at_) CrashSomehow();
    Step();
  }
  CrashSomehow();
  machine_.StopFaults();
  crash_weights_ = {};
  RunToRest();
  CheckEnd();
  counts_.commands += model_.durable_sequence();
  counts_.trades += model_.market().leases().size();
  counts_.settled_leases += model_.settled_leases();
  counts_.repeats += model_.repeats();
  counts_.faults += machine_.faults();
  counts_.snapshots += snapshots_.made();
  counts_.archived_segments += snapshots_.archived();
  counts_.last_state_hash = model_.engine().StateHash();
}

void Simulation::Step() {
  ++counts_.steps;
  machine_.PassTime();
  Happen(Choose(EventWeights()));
  if (engine_ != nullptr && engine_->ended()) EngineHasEnded();
  CheckWatermark();
  ConnectWhereServed();
}

Simulation::Weights Simulation::EventWeights() const {
  Weights weights = crash_weights_;
  const bool serves = engine_ != nullptr && engine_->serves();
  if (!serves) weights[kEngineStop] = 0;
  if (engine_ == nullptr) weights[kEngineKill] = 0;
  if (engine_ != nullptr) {
    const uint64_t times = engine_->commits() ? kCrashesInCommit
                           : serves           ? 1
                                              : crashes_in_recovery_;
    weights[kEngineKill] *= times;
    weights[kPowerLoss] *= times;
  }
  if (!settlement_.is_running()) weights[kSettlementKill] = 0;
  if (snapshots_.is_running()) {
    weights[kEngineKill] *= kCrashesInSnapshot;
    weights[kPowerLoss] *= kCrashesInSnapshot;
    weights[kSnapshotStep] = 1'000;
    weights[kSnapshotRequestStop] = 20;
  } else {
    weights[kSnapshotKill] = 0;
    weights[kSnapshotStart] = serves && options_.snapshots ? 200 : 0;
  }
  if (engine_ != nullptr || snapshots_.is_running()) weights[kSnapshotDamage] = 0;
  weights[kClientStep] = connected_ ? 4'000 : 0;
  weights[kSequencerTurn] = serves ? 1'500 : 0;
  weights[kJournalStep] = engine_ != nullptr && engine_->CanRun() ? 2'500 : 0;
  weights[kSettlementStep] = settlement_.is_running() ? 1'500 : 0;
  weights[kSettlementSend] = settlement_.is_running() && settlement_.is_connected() ? 400 : 0;
  weights[kReaderStep] = 400;
  weights[kEngineStart] = engine_ == nullptr && !snapshots_.is_running() ? 1'000 : 0;
  weights[kSettlementStart] = settlement_.is_running() ? 0 : 500;
  return weights;
}

Event Simulation::Choose(const Weights& weights) {
  uint64_t at = random_.Below(std::accumulate(weights.begin(), weights.end(), uint64_t{0}));
  size_t event = 0;
  while (at >= weights[event]) at -= weights[event++];
  return static_cast<Event>(event);
}

void Simulation::Happen(Event event) {
  switch (event) {
    case kClientStep:
      return StepClient();
    case kSequencerTurn:
      return engine_->TakeSequencerTurn();
    case kJournalStep:
      return engine_->Run();
    case kSettlementStep:
      return settlement_.Run();
    case kSettlementSend:
      return settlement_.Send();
    case kReaderStep:
      return reader_.Step();
    case kSnapshotStart:
      return snapshots_.Start();
    case kSnapshotStep:
      return snapshots_.Run();
    case kSnapshotRequestStop:
      return snapshots_.RequestStop();
    case kSnapshotKill:
      ++counts_.snapshot_kills;
      return snapshots_.Kill();
    case kSnapshotDamage:
      counts_.damaged_snapshots += snapshots_.DamageOne() ? 1 : 0;
      return;
    case kEngineStart:
      return StartEngine();
    case kSettlementStart:
      return settlement_.Start();
    case kEngineStop:
      ++counts_.stops;
      return engine_->RequestStop();
    case kEngineKill:
      return KillEngine();
    case kSettlementKill:
      ++counts_.settlement_kills;
      return settlement_.Kill();
    case kPowerLoss:
      return LosePower();
    case kEventCount:
      return;
  }
}

void Simulation::StepClient() {
  const size_t member = 1 + random_.Below(kMembers);
  Client& client = clients_[random_.OneIn(7) ? 0 : member];
  if (client.is_connected()) client.Step();
}

void Simulation::StartEngine() {
  if (random_.OneIn(3)) machine_.SetClockBack();
  engine_ = std::make_unique<EngineProcess>(machine_, model_, options_, clients_.size() + 1);
}

// By itself: as the service does it, the snapshot that is being made is given up, and the last one
// made where the end was orderly.
void Simulation::EngineHasEnded() {
  const bool stopped = engine_->stopped();
  EngineIsGone();
  if (stopped && options_.snapshots) snapshots_.StartLast();
}

void Simulation::EngineIsGone() {
  snapshots_.Kill();  // a thread of the same service
  for (Client& client : clients_) client.Disconnect();
  settlement_.Disconnect();
  connected_ = false;
  engine_.reset();
}

void Simulation::KillEngine() {
  ++counts_.kills;
  ++crashes_;
  EngineIsGone();
}

void Simulation::LosePower() {
  ++counts_.power_losses;
  ++crashes_;
  EngineIsGone();
  settlement_.Kill();
  reader_.Kill();
  machine_.LosePower();
  snapshots_.CheckAfterPowerLoss();
}

void Simulation::CrashSomehow() {
  if (random_.OneIn(2)) {
    LosePower();
  } else {
    KillEngine();
  }
}

void Simulation::ConnectWhereServed() {
  if (connected_ || engine_ == nullptr || !engine_->serves()) return;
  connected_ = true;
  ++counts_.recoveries;
  counts_.torn_writes += engine_->cut_torn_write() ? 1 : 0;
  counts_.snapshot_starts += engine_->snapshot_sequence() > 0 ? 1 : 0;
  snapshots_.CheckStart(engine_->snapshot_sequence());
  for (size_t i = 0; i < clients_.size(); ++i) clients_[i].Connect(engine_->TakePort(i));
  settlement_.Connect(engine_->TakePort(clients_.size()));
}

void Simulation::CheckWatermark() {
  const absl::StatusOr<std::unique_ptr<journal::Watermark>> watermark =
      journal::Watermark::Open(machine_.disk(), kJournalDirectory);
  if (absl::IsNotFound(watermark.status())) return;
  Require(watermark.ok(), watermark.status().ToString());
  const uint64_t sequence = (*watermark)->Load();
  model_.CheckDurable(sequence);
  Require(engine_ == nullptr || !engine_->serves() || sequence == model_.durable_sequence(),
          "the watermark is at sequence ", sequence, ", but ", model_.durable_sequence(),
          " was durable");
}

bool Simulation::AnyPortIsLost() const {
  return !settlement_.is_connected() ||
         std::any_of(clients_.begin(), clients_.end(),
                     [](const Client& client) { return !client.is_connected(); });
}

bool Simulation::IsAtRest() const {
  if (engine_ == nullptr || !engine_->serves()) return false;
  for (const Client& client : clients_) {
    if (!client.is_done()) return false;
  }
  return settlement_.database().outbox.empty();
}

void Simulation::RunToRest() {
  const uint64_t last_step = counts_.steps + kStepsToRestMax;
  while (!IsAtRest()) {
    Step();
    if (connected_ && AnyPortIsLost()) engine_->RequestStop();  // and is started again
    Require(counts_.steps < last_step, "does not come to rest; ",
            settlement_.database().outbox.size(), " decisions of settlement are not read back");
  }
  engine_->RequestStop();
  while (engine_ != nullptr || snapshots_.is_running() ||
         settlement_.database().sequence < model_.durable_sequence()) {
    ++counts_.steps;
    machine_.PassTime();
    if (engine_ != nullptr) {
      engine_->Run();
      if (engine_->ended()) EngineHasEnded();
      CheckWatermark();
    } else if (snapshots_.is_running()) {
      snapshots_.Run();
    } else if (settlement_.is_running()) {
      settlement_.Run();
    } else {
      settlement_.Start();
    }
  }
}

void Simulation::CheckEnd() {
  std::vector<uint64_t> snapshots = snapshots_.List();
  Require(
      !options_.snapshots || (!snapshots.empty() && snapshots.back() == model_.durable_sequence()),
      "an orderly stop has left no snapshot");
  snapshots_.RemoveDamaged();
  snapshots = snapshots_.List();
  const absl::StatusOr<engine::JournalProof> proof =
      engine::VerifyJournal(machine_.disk(), kJournalDirectory, options_.limits);
  Require(proof.ok(), proof.status().ToString());
  Require(proof->last_sequence.value() == model_.durable_sequence() &&
              proof->state_hash == model_.engine().StateHash() &&
              proof->event_hash == model_.engine().event_hash(),
          "the journal does not give the model's engine");
  Require(proof->snapshots == snapshots.size(), "of ", snapshots.size(), " snapshots ",
          proof->snapshots, " were compared");
}

char g_seed_text[64];
int g_seed_length = 0;

void NameSeed(int) {
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, g_seed_text, static_cast<size_t>(g_seed_length));
}

}  // namespace

std::string RunSeed(uint64_t seed, RunCounts& counts) {
  std::signal(SIGABRT, NameSeed);
  g_seed_length = std::snprintf(g_seed_text, sizeof g_seed_text, "in seed %llu of the simulation\n",
                                static_cast<unsigned long long>(seed));
  const uint64_t first_step = counts.steps;
  try {
    Simulation(seed, counts).Run();
  } catch (const Violation& violation) {
    return absl::StrCat("seed ", seed, ", step ", counts.steps - first_step, ": ",
                        violation.what());
  }
  return "";
}

}  // namespace warpbook::simulation

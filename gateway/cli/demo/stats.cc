#include "gateway/cli/demo/stats.h"

#include "absl/strings/str_cat.h"
#include "schema/base/json_object.h"

namespace warpbook::gateway {

absl::Status Stats::OpenAcknowledged(const std::string& path) {
  acknowledged_.open(path, std::ios::app);
  if (!acknowledged_) return absl::UnavailableError(absl::StrCat(path, ": cannot write"));
  return absl::OkStatus();
}

void Stats::OrderAcknowledged(uint64_t order_id, AccountId account,
                              std::string_view client_order_id) {
  ++counts.orders_acknowledged;
  if (!acknowledged_.is_open()) return;
  // Flushed at once: whoever checks must find it even if this process is killed.
  acknowledged_ << order_id << ' ' << account.value() << ' ' << client_order_id << std::endl;
}

void Stats::Reserved(uint64_t lease_id, int64_t gpus, int64_t minutes, bool is_new) {
  if (!leases_.emplace(lease_id, LeaseStage::kReserved).second || !is_new) return;
  ++counts.fills;
  counts.gpu_minutes += gpus * minutes;
}

void Stats::Delivered(uint64_t lease_id) {
  LeaseStage& stage = leases_[lease_id];
  if (stage != LeaseStage::kReserved) return;
  stage = LeaseStage::kEnded;
  ++counts.leases_delivered;
}

void Stats::Failed(uint64_t lease_id) {
  LeaseStage& stage = leases_[lease_id];
  if (stage != LeaseStage::kReserved) return;
  stage = LeaseStage::kEnded;
  ++counts.leases_failed;
}

void Stats::Settled(uint64_t lease_id) {
  LeaseStage& stage = leases_[lease_id];
  if (stage == LeaseStage::kSettled) return;
  stage = LeaseStage::kSettled;
  ++counts.leases_settled;
}

void Stats::Refused(std::string_view method, const std::string& code) {
  ++refusals_[absl::StrCat(std::string(method), " ", code)];
}

std::string Stats::Json(double seconds) const {
  JsonObject refusals;
  for (const auto& [name, count] : refusals_) refusals.Integer(name, count);
  return JsonObject()
      .Integer("milliseconds", static_cast<int64_t>(seconds * 1'000))
      .Integer("orders_sent", counts.orders_sent)
      .Integer("orders_acknowledged", counts.orders_acknowledged)
      .Integer("orders_asked_again", counts.orders_asked_again)
      .Integer("orders_found_duplicate", counts.orders_found_duplicate)
      .Integer("amends", counts.amends)
      .Integer("cancels", counts.cancels)
      .Integer("fills", counts.fills)
      .Integer("resales", counts.resales)
      .Integer("gpu_minutes", counts.gpu_minutes)
      .Integer("gpu_hours", counts.gpu_minutes / 60)
      .Integer("leases_started", counts.leases_started)
      .Integer("leases_delivered", counts.leases_delivered)
      .Integer("leases_failed", counts.leases_failed)
      .Integer("leases_settled", counts.leases_settled)
      .Integer("heartbeats", counts.heartbeats)
      .Integer("probes", counts.probes)
      .Integer("probes_passed", counts.probes_passed)
      .Integer("reconnects", counts.reconnects)
      .Raw("refusals", refusals.Build())
      .Build();
}

}  // namespace warpbook::gateway

#include "tests/gateway/cli/local_exchange.h"

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gateway/cli/key_files.h"
#include "schema/base/json_object.h"
#include "schema/journal/tail_reader.h"
#include "schema/types/enums.h"
#include "schema/wire/record.h"

#ifndef WARPBOOK_CATALOGUE
#error "WARPBOOK_CATALOGUE: the path of the default catalogue"
#endif

namespace warpbook::gateway {
namespace {

// The first account is the operator's, the second settlement's.
constexpr AccountId kSettlementAccount = AccountId(2);
constexpr int64_t kCreditsPerMicroTok = 100;

void MakeKey(const std::string& pem, const std::string& public_file) {
  const absl::StatusOr<Ed25519PrivateKey> key = LoadOrCreateKeyFile(pem);
  WARPBOOK_CHECK(key.ok());
  std::ofstream(public_file) << PublicKeyHex(*key) << "\n";
}

}  // namespace

class LocalExchange::Grantor {
 public:
  Grantor(const std::string& journal, const std::string& admin, const std::string& key_file)
      : thread_([this, journal, admin, key_file] { Run(journal, admin, key_file); }) {}
  ~Grantor() {
    is_running_ = false;
    thread_.join();
  }

 private:
  void Run(const std::string& journal, const std::string& admin, const std::string& key_file) {
    ConnectOptions options;
    options.address = admin;
    const auto client = Client::Connect(options);
    const auto key = Ed25519PrivateKey::LoadPem(key_file);
    WARPBOOK_CHECK(client.ok() && key.ok());
    const auto logon = (*client)->Logon(kSettlementAccount, *key);
    WARPBOOK_CHECK(logon.ok() && logon->success);
    const auto reader = journal::TailReader::Open(journal, 1);
    WARPBOOK_CHECK(reader.ok());
    while (is_running_) {
      const auto batch = (*reader)->Next();
      WARPBOOK_CHECK(batch.ok());
      if (!batch->has_value()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      for (const wire::RecordView record : wire::Records((*batch)->records)) {
        if (record.type() == wire::RecordType::kRequestTaken) {
          Grant(**client, record.as<wire::RequestTaken>());
        }
      }
    }
  }

  // What was decided before a restart is refused now as a repeat of its number, as it should be.
  void Grant(Client& client, const wire::RequestTaken& request) {
    const auto kind = static_cast<RequestKind>(request.kind());
    JsonObject params;
    params.Integer("number", static_cast<int64_t>(++number_))
        .Text("decision", absl::StrCat("post_", std::string(Name(kind))))
        .Id("request", request.request_sequence());
    if (kind == RequestKind::kTopUp) {
      params.Text("credits", absl::StrCat(request.amount_utok() * kCreditsPerMicroTok));
    }
    const auto reply = client.Call("settlement.submit", params.Build());
    WARPBOOK_CHECK(!reply.ok() || reply->success || reply->code == "number_repeated");
  }

  std::atomic<bool> is_running_ = true;
  uint64_t number_ = 0;
  std::thread thread_;
};

LocalExchange::LocalExchange(int64_t clock_factor) {
  MakeKey(operator_key_file(), File("operator.pub"));
  MakeKey(File("settlement.pem"), File("settlement.pub"));
  options_.journal = File("journal");
  options_.catalogue = WARPBOOK_CATALOGUE;
  options_.listen = "127.0.0.1:0";
  options_.probe_profile = "small";
  options_.admin_listen = "127.0.0.1:0";
  options_.server_name = "warpbook-test";
  options_.operator_key_file = File("operator.pub");
  options_.settlement_key_file = File("settlement.pub");
  options_.clock_factor = clock_factor;
  options_.drain_seconds = 2;
  Start();
}

LocalExchange::~LocalExchange() { grantor_.reset(); }

void LocalExchange::Start() {
  const absl::StatusOr<ServeConfiguration> configuration = LoadServeConfiguration(options_);
  WARPBOOK_CHECK(configuration.ok());
  absl::StatusOr<std::unique_ptr<Exchange>> exchange = Exchange::Start(*configuration);
  WARPBOOK_CHECK(exchange.ok());
  exchange_ = *std::move(exchange);
  options_.listen = address();
  options_.admin_listen = admin_address();
  grantor_ = std::make_unique<Grantor>(journal(), admin_address(), File("settlement.pem"));
}

void LocalExchange::Restart() {
  WARPBOOK_CHECK(Stop().ok());
  Start();
}

absl::Status LocalExchange::Stop() {
  grantor_.reset();
  const absl::Status status = exchange_->Stop();
  exchange_.reset();
  return status;
}

std::string LocalExchange::address() const {
  return absl::StrCat("127.0.0.1:", exchange_->server().port());
}

std::string LocalExchange::admin_address() const {
  return absl::StrCat("127.0.0.1:", exchange_->server().admin_port());
}

}  // namespace warpbook::gateway

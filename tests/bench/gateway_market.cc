#include "tests/bench/gateway_market.h"

#include <array>
#include <cstring>
#include <span>
#include <thread>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gateway/client/json_value.h"
#include "schema/base/check.h"
#include "schema/base/log.h"
#include "schema/types/decimal.h"
#include "schema/types/signed_messages.h"

namespace warpbook::bench {
namespace {

constexpr uint64_t kSettlementAccount = 2;  // the second that the service opens
constexpr int64_t kMoney = 1'000'000'000'000'000;
constexpr const char* kServerName = "warpbook-bench";

template <size_t kCount>
std::string Hex(const std::array<uint8_t, kCount>& bytes) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

void Submit(engine::EnginePort& port, const wire::CommandRecord& command) {
  while (port.TrySubmit(std::span(&command, 1)) == 0) std::this_thread::yield();
}

// Each event from now on, until `on_event(command, event)` has had enough.
template <typename OnEvent>
void AwaitEvents(engine::EnginePort& port, OnEvent&& on_event) {
  while (true) {
    const auto batch = port.Poll();
    if (batch == nullptr) {
      std::this_thread::yield();
      continue;
    }
    wire::RecordView command;
    bool done = false;
    for (const wire::RecordView record : wire::Records(batch->records)) {
      if (wire::IsCommand(record.type())) {
        command = record;
      } else {
        done |= on_event(command, record);
      }
    }
    if (done) return;
  }
}

}  // namespace

gateway::GatewayLimits AmpleLimits() {
  gateway::GatewayLimits limits;
  limits.client.requests_per_second = 100'000'000;
  limits.client.requests_burst = 100'000'000;
  limits.shared.account_orders_per_second = 100'000'000;
  limits.shared.account_orders_burst = 100'000'000;
  limits.shared.address_requests_per_second = 100'000'000;
  limits.shared.address_requests_burst = 100'000'000;
  limits.client.authentications_per_second = 100'000;
  limits.client.authentications_burst = 100'000;
  limits.client_connections.total_max = 20'000;
  limits.client_connections.per_address_max = 20'000;
  return limits;
}

GatewayMarket::GatewayMarket(const std::string& directory, const std::string& catalogue_file,
                             size_t members, const gateway::GatewayLimits& limits)
    : operator_key_(Ed25519PrivateKey::Generate()), settlement_key_(Ed25519PrivateKey::Generate()) {
  SetLogLevel(LogLevel::kError);
  absl::StatusOr<Catalogue> catalogue = LoadCatalogue(catalogue_file);
  WARPBOOK_CHECK(catalogue.ok());
  catalogue->windows_ahead = 2;
  gateway::GatewayServer::Options server_options;
  server_options.listen = "127.0.0.1:0";
  server_options.admin_listen = "127.0.0.1:0";
  server_options.server_name = kServerName;
  server_options.limits = limits;
  auto server = gateway::GatewayServer::Create(std::move(server_options), *catalogue);
  WARPBOOK_CHECK(server.ok());
  server_ = *std::move(server);

  engine::EngineService::Options options;
  options.journal_directory = directory;
  options.catalogue = *catalogue;
  options.operator_key = operator_key_.public_key();
  options.settlement_key = settlement_key_.public_key();
  auto service = engine::EngineService::Recover(
      std::move(options), [](const engine::DurableBatch&) { return absl::OkStatus(); });
  WARPBOOK_CHECK(service.ok());
  service_ = *std::move(service);
  std::vector<std::unique_ptr<engine::EnginePort>> gateway_ports;
  gateway_ports.push_back(service_->CreatePort());
  spare_port_ = service_->CreatePort();
  WARPBOOK_CHECK(service_->Start().ok());
  Fund(*spare_port_, *catalogue, members);
  WARPBOOK_CHECK(server_->Start(std::move(gateway_ports), service_->market_clock()).ok());
}

GatewayMarket::~GatewayMarket() {
  server_->Stop();
  WARPBOOK_CHECK(service_->Stop().ok());
}

std::string GatewayMarket::price_text(int ticks) const { return FormatPrice(Price(price(ticks))); }

void GatewayMarket::Fund(engine::EnginePort& port, const Catalogue& catalogue, size_t members) {
  for (size_t i = 0; i < members; ++i) {
    keys_.push_back(Ed25519PrivateKey::Generate());
    wire::OpenAccount open;
    const PublicKey key = keys_.back().public_key();
    std::memcpy(open.mutable_public_key()->Data(), key.data(), key.size());
    open.mutable_header().mutate_tag(i + 1);
    Submit(port, wire::CommandRecord(open));
  }
  AwaitEvents(port, [&](wire::RecordView, wire::RecordView event) {
    if (event.type() == wire::RecordType::kInstrumentOpened) {
      const auto& instrument = event.as<wire::InstrumentOpened>();
      instrument_ = instrument.instrument_id();
      symbol_ =
          FormatSymbol(catalogue, ClassId(instrument.class_id()), RegionId(instrument.region_id()),
                       Timestamp(instrument.window_start_us()));
      tick_ = instrument.tick();
      band_low_ = instrument.band_low();
    } else if (event.type() == wire::RecordType::kAccountOpened &&
               event.as<wire::AccountOpened>().tag() != 0) {
      accounts_.emplace_back(event.as<wire::AccountOpened>().header().account_id());
    }
    return accounts_.size() == members;
  });
  for (const AccountId account : accounts_) {
    wire::RequestTopUp top_up;
    top_up.mutable_header().mutate_account_id(account.value());
    top_up.mutate_burn_utok(1);
    Submit(port, wire::CommandRecord(top_up));
  }
  uint64_t number = 0, decided = 0;
  AwaitEvents(port, [&](wire::RecordView, wire::RecordView event) {
    if (event.type() == wire::RecordType::kRequestTaken) {
      wire::PostTopUp post;
      post.mutable_header().mutate_account_id(kSettlementAccount);
      post.mutate_number(++number);
      post.mutate_request_sequence(event.as<wire::RequestTaken>().request_sequence());
      post.mutate_credits(kMoney);
      Submit(port, wire::CommandRecord(post));
    }
    if (event.type() == wire::RecordType::kRequestDecided) ++decided;
    return decided == members;
  });
}

void GatewayMarket::Logon(LoadClient& client) const {
  for (size_t i = 0; i < client.size(); ++i) Logon(client, i, i);
}

void GatewayMarket::Logon(LoadClient& client, size_t connection, size_t member) const {
  const std::string challenge = client.Ask(connection, R"({"method":"session.challenge"})");
  const std::string answer = client.Ask(connection, LogonText(member, challenge));
  WARPBOOK_CHECK(answer.find(R"("success":true)") != std::string::npos);
}

std::string GatewayMarket::LogonText(size_t member, const std::string& challenge) const {
  const auto parsed = gateway::JsonValue::Parse(challenge);
  WARPBOOK_CHECK(parsed.ok());
  const auto& result = (*parsed)["result"];
  LogonNonce nonce{};
  const std::string bytes = absl::HexStringToBytes(result["nonce"].text());
  WARPBOOK_CHECK(bytes.size() == nonce.size());
  std::memcpy(nonce.data(), bytes.data(), nonce.size());
  const Timestamp time(result["time"].integer());
  const auto signature =
      keys_[member].Sign(LogonMessage(kServerName, nonce, accounts_[member], time));
  return absl::StrCat(R"({"method":"session.logon","params":{"account":")",
                      accounts_[member].value(), R"(","public_key":")",
                      Hex(keys_[member].public_key()), R"(","timestamp":)", time.micros(),
                      R"(,"signature":")", Hex(signature), R"("}})");
}

OrderMessages::OrderMessages(const GatewayMarket& market, size_t connections)
    : market_(market), sent_(connections) {
  for (int i = 0; i < kPrices; ++i) {
    heads_.push_back(absl::StrCat(R"(,"params":{"symbol":")", market_.symbol(),
                                  R"(","side":"buy","order_type":"limit","price":")",
                                  market_.price_text(i), R"(","gpus":1,"cl_ord_id":"c)"));
  }
}

std::string_view OrderMessages::Next(size_t connection) {
  const uint64_t number = sent_[connection]++;
  text_.clear();
  if (number % 2 == 0) {
    absl::StrAppend(&text_, R"({"method":"order.place","req_id":)", number,
                    heads_[(number / 2 + connection) % kPrices], number, R"("}})");
  } else {
    absl::StrAppend(&text_, R"({"method":"order.cancel","req_id":)", number,
                    R"(,"params":{"cl_ord_id":"c)", number - 1, R"("}})");
  }
  return text_;
}

void OrderMessages::OnAnswer(std::string_view text) {
  if (text.find(R"("success":true)") != std::string_view::npos) return;
  if (refused_++ == 0) a_refusal_ = text;
}

}  // namespace warpbook::bench

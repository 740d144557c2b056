#include "tests/engine/core/scenario.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "engine/core/inspect.h"
#include "tests/engine/core/differential.h"
#include "tests/engine/core/record_text.h"

namespace warpbook::engine {
namespace {

constexpr std::string_view kSetup = R"(
RegisterSystemKey public_key=op kind=operator
RegisterSystemKey public_key=st kind=settlement
OpenAccount public_key=b1
OpenAccount public_key=b2
OpenAccount public_key=b3
OpenAccount public_key=p1
OpenAccount public_key=p2
OpenAccount public_key=p3
RequestTopUp from=b1 burn_utok=1000
PostTopUp from=st number=1 request_sequence=9 credits=1000000000000
RequestTopUp from=b2 burn_utok=1000
PostTopUp from=st number=2 request_sequence=11 credits=1000000000000
RequestTopUp from=b3 burn_utok=1000
PostTopUp from=st number=3 request_sequence=13 credits=1000000000000
RequestTopUp from=p1 burn_utok=1000
PostTopUp from=st number=4 request_sequence=15 credits=1000000000000
RequestTopUp from=p2 burn_utok=1000
PostTopUp from=st number=5 request_sequence=17 credits=1000000000000
RequestTopUp from=p3 burn_utok=1000
PostTopUp from=st number=6 request_sequence=19 credits=1000000000000
RegisterNode from=p1 device_key=d1 gpus=16 class_id=1 region_id=1
RegisterNode from=p2 device_key=d2 gpus=16 class_id=1 region_id=1
RegisterNode from=p3 device_key=d3 gpus=16 class_id=1 region_id=1
SetCapacity from=op node_id=1 gpus=16 assurance=attested
SetCapacity from=op node_id=2 gpus=16 assurance=verified
SetCapacity from=op node_id=3 gpus=16 assurance=listed
SetBondedLimit from=op target_account_id=p1 limit=1000000000000
SetBondedLimit from=op target_account_id=p2 limit=1000000000000
SetBondedLimit from=op target_account_id=p3 limit=1000000000000
OpenInstrument window_start_us=T+60m window_minutes=60 notice_seconds=120 gate_minutes=3 tick=1000 band_low=1000 band_high=100000 class_id=1 region_id=1
)";

const std::map<std::string, std::string> kAccounts = {{"op", "1"}, {"st", "2"}, {"b1", "3"},
                                                      {"b2", "4"}, {"b3", "5"}, {"p1", "6"},
                                                      {"p2", "7"}, {"p3", "8"}};
const std::map<std::string, std::string> kEvents = {
    {"accepted", "OrderAccepted"}, {"filled", "OrderFilled"},       {"amended", "OrderAmended"},
    {"trade", "TradeExecuted"},    {"cancelled", "OrderCancelled"}, {"moved", "CreditsMoved"},
    {"lease", "LeaseChanged"},     {"level", "BookLevelChanged"}};

std::vector<std::string> Words(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::string AccountNumber(const std::string& name) {
  const auto it = kAccounts.find(name);
  return it == kAccounts.end() ? name : it->second;
}

// #3 -> order_id=3; from=b1 -> from=3.
std::string Canonical(const std::string& word) {
  if (word[0] == '#') return "order_id=" + word.substr(1);
  const size_t equals = word.find('=');
  if (equals == std::string::npos) return word;
  const std::string field = word.substr(0, equals);
  const bool names_account = field == "from" || field == "to" || field.ends_with("account_id");
  return names_account ? field + "=" + AccountNumber(word.substr(equals + 1)) : word;
}

// buy b1 8@10 rest... -> PlaceOrder from=3 ...
std::string ExpandPlace(const std::vector<std::string>& words) {
  const bool ask = words[0] == "sell";
  const size_t at = words[2].find('@');
  const std::string price = words[2].substr(at + 1);
  std::string line = "PlaceOrder from=" + AccountNumber(words[1]) +
                     " min_assurance=listed instrument_id=1 gpus=" + words[2].substr(0, at);
  line += price == "market" ? " type=market" : " price=" + price + "000";
  line += ask ? " side=sell" : " tier=standard";
  const bool names_backing = std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word.starts_with("node_id=") || word.starts_with("lease_id=");
  });
  if (ask && !names_backing && words[1][0] == 'p') line += " node_id=" + words[1].substr(1);
  for (size_t i = 3; i < words.size(); ++i) line += " " + Canonical(words[i]);
  return line;
}

class Runner {
 public:
  explicit Runner(const EngineLimits& limits)
      : differential_(std::make_unique<Differential>(limits)) {}

  void Run(std::string_view text) {
    std::istringstream stream{std::string(text)};
    for (std::string line; std::getline(stream, line);) {
      ++line_number_;
      const std::vector<std::string> words = Words(line);
      if (words.empty() || words[0][0] == '#') continue;
      if (line[0] == ' ') {
        expected_.push_back(line);
        continue;
      }
      Finish();
      Start(line, words);
    }
    Finish();
    const auto difference = differential_->Compare();
    CHECK_MESSAGE(!difference, "engine and reference hold different things: " << *difference);
  }

 private:
  void Start(const std::string& line, const std::vector<std::string>& words) {
    command_ = line;
    command_line_ = line_number_;
    if (words[0] == "setup") {
      std::istringstream setup{std::string(kSetup)};
      for (std::string each; std::getline(setup, each);) {
        if (!each.empty()) Start(each, Words(each));
        Finish();
      }
    } else if (words[0] == "at") {
      wire::CommandRecord clock = ParseCommand("Tick at=" + words[1]);
      now_ = clock.mutable_header().time_us();
    } else if (words[0] == "show") {
      for (size_t i = 1; i < words.size(); ++i) hidden_.erase(words[i]);
    } else if (words[0] == "queue") {
      CheckQueue(words);
    } else if (words[0] == "balance") {
      CheckBalance(words);
    } else {
      Apply(words);
    }
  }

  void Apply(const std::vector<std::string>& words) {
    std::string line;
    if (words[0] == "buy" || words[0] == "sell") {
      line = ExpandPlace(words);
    } else if (words[0] == "amend" || words[0] == "cancel") {
      line = (words[0] == "amend" ? "AmendOrder from=" : "CancelOrder from=") +
             AccountNumber(words[1]);
      for (size_t i = 2; i < words.size(); ++i) line += " " + Canonical(words[i]);
    } else {
      for (const std::string& word : words) line += Canonical(word) + " ";
    }
    wire::CommandRecord command = ParseCommand(line);
    command.mutable_header().mutate_time_us(now_);
    if (command.mutable_header().tag() == 0) command.mutable_header().mutate_tag(++tag_);
    const auto difference = differential_->Apply(command);
    applied_ = true;
    CHECK_MESSAGE(!difference, "line " << command_line_ << ": " << command_ << "\n" << *difference);
  }

  // Holds the last command's events against what was expected of it.
  void Finish() {
    if (!applied_) {
      CHECK_MESSAGE(expected_.empty(), "line " << line_number_ << ": events without a command");
      expected_.clear();
      return;
    }
    applied_ = false;
    std::vector<wire::RecordView> visible;
    bool refused = false;
    for (const wire::RecordView event : wire::Records(differential_->events())) {
      refused = refused || event.type() == wire::RecordType::kCommandRejected;
      if (!hidden_.contains(std::string(wire::RecordName(event.type())))) visible.push_back(event);
    }
    bool matches = expected_.empty() ? !refused : visible.size() == expected_.size();
    for (size_t i = 0; matches && i < expected_.size(); ++i) {
      matches = MatchesLine(visible[i], ExpandEvent(expected_[i]));
    }
    CHECK_MESSAGE(matches, "line " << command_line_ << ": " << command_ << "\n"
                                   << FormatRecords(differential_->events()));
    expected_.clear();
  }

  static std::string ExpandEvent(const std::string& line) {
    std::vector<std::string> words = Words(line);
    if (words[0] == "!")
      return "CommandRejected reason=" + words[1] + (words.size() > 2 ? " " + words[2] : "");
    const auto name = kEvents.find(words[0]);
    std::string expanded = name == kEvents.end() ? words[0] : name->second;
    for (size_t i = 1; i < words.size(); ++i) expanded += " " + Canonical(words[i]);
    return expanded;
  }

  void CheckQueue(const std::vector<std::string>& words) {
    const auto instrument = InstrumentId(static_cast<uint32_t>(std::stoul(words[1])));
    const Side side = words[2] == "bids" ? Side::kBuy : Side::kSell;
    std::vector<std::string> ids;
    for (const InspectedOrder& order : Inspector(differential_->engine()).Queue(instrument, side)) {
      ids.push_back(std::to_string(order.id.value()));
    }
    if (ids.empty()) ids.push_back("-");
    std::string text;
    for (const std::string& id : ids) text += " " + id;
    CHECK_MESSAGE(std::equal(ids.begin(), ids.end(), words.begin() + 3, words.end()),
                  "line " << command_line_ << ": " << command_ << ":" << text);
  }

  void CheckBalance(const std::vector<std::string>& words) {
    const auto account = Inspector(differential_->engine())
                             .FindAccount(AccountId(std::stoull(AccountNumber(words[1]))));
    REQUIRE(account.has_value());
    const std::map<std::string, Credits> values = {
        {"free", account->free}, {"locked", account->locked},      {"escrow", account->escrow},
        {"owed", account->owed}, {"limit", account->bonded_limit}, {"exposure", account->exposure}};
    for (size_t i = 2; i < words.size(); ++i) {
      const size_t equals = words[i].find('=');
      const auto value = values.find(words[i].substr(0, equals));
      REQUIRE_MESSAGE(value != values.end(), words[i]);
      CHECK_MESSAGE(value->second.value() == std::stoll(words[i].substr(equals + 1)),
                    "line " << command_line_ << ": " << command_ << ": " << value->first << " is "
                            << value->second.value());
    }
  }

  std::unique_ptr<Differential> differential_;
  std::set<std::string> hidden_ = {"BookLevelChanged", "CreditsMoved", "TradeExecuted",
                                   "Checkpoint"};
  int64_t now_ = kScenarioStart;
  uint64_t tag_ = 0;
  int line_number_ = 0, command_line_ = 0;
  std::string command_;
  std::vector<std::string> expected_;
  bool applied_ = false;
};

}  // namespace

void RunScenario(std::string_view text, const EngineLimits& limits) { Runner(limits).Run(text); }

}  // namespace warpbook::engine

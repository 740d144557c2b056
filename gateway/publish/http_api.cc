#include "gateway/publish/http_api.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/time/civil_time.h"
#include "gateway/client/request_target.h"
#include "gateway/protocol/book_checksum.h"
#include "gateway/protocol/field_reader.h"
#include "gateway/protocol/reply_writer.h"
#include "gateway/publish/public_messages.h"

namespace warpbook::gateway {
namespace {

// One request on its way to its answer.
struct Question {
  const Publisher& publisher;
  const RequestTarget& target;
  Refusal refusal = {};  // the first one

  const MarketState& state() const { return publisher.state(); }
  void Refuse(RejectReason reason, std::string_view param, std::string detail = "") {
    if (refusal.reason != RejectReason::kNone) return;
    refusal = {.reason = reason, .param = std::string(param), .detail = std::move(detail)};
  }
  const std::string* Find(std::string_view name) const { return target.Find(name); }
  // From 1 to `max`; `otherwise` where it is not there.
  int Integer(std::string_view name, int max, int otherwise);
  // The instrument of the parameter symbol; else it is refused.
  const InstrumentRow* OpenInstrument();
};

int Question::Integer(std::string_view name, int max, int otherwise) {
  const std::string* text = Find(name);
  if (text == nullptr) return otherwise;
  int value = 0;
  const bool is_number = std::ranges::all_of(*text, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number || !absl::SimpleAtoi(*text, &value) || value < 1 || value > max) {
    Refuse(RejectReason::kOutOfRange, name, "1 to " + std::to_string(max));
  }
  return value;
}

const InstrumentRow* Question::OpenInstrument() {
  const std::string* symbol = Find("symbol");
  if (symbol == nullptr) {
    Refuse(RejectReason::kMissingField, "symbol");
    return nullptr;
  }
  const InstrumentRow* instrument = state().FindInstrument(*symbol);
  if (instrument == nullptr) {
    Refuse(RejectReason::kUnknownInstrument, "symbol");
  } else if (instrument->state == InstrumentState::kClosed) {
    Refuse(RejectReason::kInstrumentClosed, "symbol");
    return nullptr;
  }
  return instrument;
}

// ---- Answers ----

unsigned StatusOf(RejectReason reason) {
  switch (reason) {
    case RejectReason::kUnknownMethod:
    case RejectReason::kUnknownInstrument:
      return 404;
    case RejectReason::kInstrumentClosed:
      return 410;
    case RejectReason::kSettlementUnavailable:
      return 503;
    default:
      return 400;
  }
}

ApiAnswer Refused(const Refusal& refusal) {
  return {.status = StatusOf(refusal.reason),
          .body = WriteMessage(Encoding::kJson, [&](MessageWriter& out) {
            out.Field("success", false);
            WriteErrorObject(out.Key("error"), refusal, RequestOutcome::kRejected);
          })};
}

// `write_fields(out)` writes the fields of the result, unless the question was refused.
template <typename WriteFields>
ApiAnswer Answer(const Question& question, WriteFields&& write_fields) {
  if (question.refusal.reason != RejectReason::kNone) return Refused(question.refusal);
  return {.body = WriteMessage(Encoding::kJson, [&](MessageWriter& out) {
            out.Field("success", true).Key("result").BeginObject();
            write_fields(out);
            out.EndObject().Field("seq", question.publisher.last_sequence());
            out.Field("ts", question.publisher.last_time_us());
          })};
}

ApiAnswer Instruments(Question& question) {
  const MarketState& state = question.state();
  const Catalogue& catalogue = state.catalogue();
  const HardwareClass* hardware_class = nullptr;
  const Region* region = nullptr;
  InstrumentId after;
  if (const std::string* name = question.Find("hardware_class")) {
    hardware_class = catalogue.FindClass(*name);
    if (hardware_class == nullptr) question.Refuse(RejectReason::kUnknownValue, "hardware_class");
  }
  if (const std::string* name = question.Find("region")) {
    region = catalogue.FindRegion(*name);
    if (region == nullptr) question.Refuse(RejectReason::kUnknownValue, "region");
  }
  if (const std::string* symbol = question.Find("after")) {
    const InstrumentRow* instrument = state.FindInstrument(*symbol);
    if (instrument == nullptr) {
      question.Refuse(RejectReason::kUnknownInstrument, "after");
    } else {
      after = instrument->terms->id;
    }
  }
  int left = question.Integer("limit", kInstrumentsPageMax, kInstrumentsPageDefault);
  return Answer(question, [&](MessageWriter& out) {
    const InstrumentRow* last = nullptr;
    bool has_more = false;
    out.Key("instruments").BeginArray();
    const auto& ids = state.open_instruments();
    for (auto id = ids.upper_bound(after); id != ids.end(); ++id) {
      const InstrumentRow& instrument = *state.FindInstrument(*id);
      if (hardware_class != nullptr && instrument.terms->class_id != hardware_class->id) continue;
      if (region != nullptr && instrument.terms->region_id != region->id) continue;
      has_more = left-- == 0;
      if (has_more) break;
      WriteInstrument(out, instrument, catalogue);
      last = &instrument;
    }
    out.EndArray();
    // What `after` is to be for the next ones.
    if (has_more) out.Field("next", last->terms->symbol);
  });
}

ApiAnswer Book(Question& question) {
  const InstrumentRow* instrument = question.OpenInstrument();
  const bool has_depth = question.Find("depth") != nullptr;
  const int depth = question.Integer("depth", kBookDepthMax, 0);
  return Answer(question, [&](MessageWriter& out) {
    const L2Book& book = instrument->book;
    out.Field("symbol", instrument->terms->symbol);
    out.Field("book_seq",
              question.publisher.public_feed().market().SequencesOf(instrument->terms->id).book);
    WriteBook(out, book, has_depth ? static_cast<size_t>(depth) : kWholeDepth);
    out.Field("checksum", BookChecksum(book.asks, book.bids, instrument->terms->tick));
  });
}

ApiAnswer Trades(Question& question) {
  const InstrumentRow* instrument = question.OpenInstrument();
  return Answer(question, [&](MessageWriter& out) {
    out.Field("symbol", instrument->terms->symbol).Key("trades").BeginArray();
    for (const TradeRow& trade : instrument->last_trades) WriteTrade(out, trade);
    out.EndArray();
  });
}

ApiAnswer CandlesOf(Question& question) {
  const InstrumentRow* instrument = question.OpenInstrument();
  const std::string* word = question.Find("interval");
  const auto interval = word == nullptr ? std::nullopt : ParseName<CandleInterval>(*word);
  if (word == nullptr) {
    question.Refuse(RejectReason::kMissingField, "interval");
  } else if (!interval) {
    question.Refuse(RejectReason::kUnknownValue, "interval", "one of 1m 5m 15m 1h");
  }
  return Answer(question, [&](MessageWriter& out) {
    out.Field("symbol", instrument->terms->symbol).Field("interval", Name(*interval));
    out.Key("candles").BeginArray();
    for (const Candle& candle : instrument->candles.Of(*interval)) {
      WriteCandle(out, candle, *interval, question.publisher.last_time_us());
    }
    out.EndArray();
  });
}

// What settlement is asked, instead of the gateway.
ApiAnswer OfSettlement(const Question& question, std::string target) {
  ApiAnswer answer = Refused(question.refusal.reason == RejectReason::kNone
                                 ? Refusal{.reason = RejectReason::kSettlementUnavailable}
                                 : question.refusal);
  if (question.refusal.reason == RejectReason::kNone) {
    answer.settlement_target = std::move(target);
  }
  return answer;
}

bool IsDay(const std::string& text) {
  absl::CivilDay day;
  constexpr std::string_view kForm = "0000-00-00";
  const auto has_form = [](char c, char form) {
    return form == '0' ? c >= '0' && c <= '9' : c == form;
  };
  return std::ranges::equal(text, kForm, has_form) && absl::ParseCivilTime(text, &day);
}

ApiAnswer Supply(Question& question) {
  const std::string* date = question.Find("date");
  if (date == nullptr) return OfSettlement(question, "/supply");
  if (!IsDay(*date)) {
    question.Refuse(RejectReason::kOutOfRange, "date", "a day, as 2027-01-01");
  }
  return OfSettlement(question, "/supply?date=" + *date);
}

ApiAnswer Disclosures(Question& question) { return OfSettlement(question, "/disclosures"); }

struct Resource {
  std::string_view path;
  std::array<std::string_view, 4> parameters;  // "": none
  ApiAnswer (*answer)(Question& question);
};
constexpr Resource kResources[] = {
    {"/api/v1/instruments", {"hardware_class", "region", "limit", "after"}, Instruments},
    {"/api/v1/book", {"symbol", "depth"}, Book},
    {"/api/v1/trades", {"symbol"}, Trades},
    {"/api/v1/candles", {"symbol", "interval"}, CandlesOf},
    {"/api/v1/supply", {"date"}, Supply},
    {"/api/v1/disclosures", {}, Disclosures},
};

// What somebody sent, as it may be said to them: decoded bytes can be anything.
std::string Echo(const std::string& name) {
  const bool is_plain = std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; });
  return is_plain ? name.substr(0, kEchoBytesMax) : "";
}

// Every parameter is one of the resource's, and is there once.
Refusal CheckParameters(const Resource& resource,
                        const std::vector<RequestTarget::Parameter>& parameters) {
  for (size_t i = 0; i < parameters.size(); ++i) {
    const std::string& name = parameters[i].first;
    if (name.empty() || std::ranges::find(resource.parameters, name) == resource.parameters.end()) {
      return {.reason = RejectReason::kUnknownField, .param = Echo(name)};
    }
    const auto earlier = std::span(parameters).first(i);
    if (std::ranges::find(earlier, name, &RequestTarget::Parameter::first) != earlier.end()) {
      return {.reason = RejectReason::kDuplicateKey, .param = name};
    }
  }
  return {};
}

}  // namespace

ApiAnswer RefuseSupplyDate() {
  return Refused({.reason = RejectReason::kOutOfRange,
                  .param = "date",
                  .detail = "from today of the market on, for a hundred years"});
}

ApiAnswer AnswerApi(std::string_view target, const Publisher& publisher) {
  const auto parsed = ParseRequestTarget(target);
  if (!parsed) return Refused({.reason = RejectReason::kMalformedText, .param = "target"});
  const auto* const resource =
      std::ranges::find(kResources, std::string_view(parsed->path), &Resource::path);
  if (resource == std::end(kResources)) return Refused({.reason = RejectReason::kUnknownMethod});
  const Refusal refusal = CheckParameters(*resource, parsed->parameters);
  if (refusal.reason != RejectReason::kNone) return Refused(refusal);
  Question question{.publisher = publisher, .target = *parsed};
  return resource->answer(question);
}

}  // namespace warpbook::gateway

#include "tests/gateway/support/random_request.h"

#include <algorithm>
#include <array>
#include <boost/pfr.hpp>
#include <concepts>
#include <limits>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "gateway/protocol/json_writer.h"
#include "gateway/protocol/methods.h"
#include "gateway/protocol/table_shape.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

using Type = FieldShape::Type;

// ---- Random requests ----

// How an integer is written in JSON.
enum class Form : uint8_t { kNumber, kIdentifier, kMicros, kDigits };

template <size_t kCount>
bool IsOneOf(std::string_view name, const std::string_view (&names)[kCount]) {
  return std::ranges::find(names, name) != std::end(names);
}

Form FormOf(const FieldShape& field) {
  constexpr std::string_view kMicros[] = {"price", "burn", "amount", "limit_usd"};
  constexpr std::string_view kDigits[] = {
      "credits",       "verified_weight", "consumed",    "burned",
      "owed",          "fee_utok",        "gross_utok",  "retire_utok",
      "provider_utok", "emitted_utok",    "budget_utok", "bonus_utok"};
  if (IsOneOf(field.name, kMicros)) return Form::kMicros;
  if (IsOneOf(field.name, kDigits)) return Form::kDigits;
  const bool is_sequence = field.name.ends_with("seq") || field.name == "number";
  const bool is_identifier = field.type == Type::kUnsignedLong && !is_sequence;
  return is_identifier ? Form::kIdentifier : Form::kNumber;
}

// Sets of fields that random ones seldom hit.
struct GoodFields {
  std::string_view method;
  std::vector<std::string_view> fields;
};
const std::vector<GoodFields>& KnownGood() {
  static const std::vector<GoodFields> kSets = {
      {"settlement.submit", {"number", "decision", "request"}},
      {"settlement.submit", {"number", "decision", "request", "credits"}},
      {"settlement.submit", {"number", "decision", "request", "reason"}},
      {"settlement.submit",
       {"number", "decision", "lease", "verified_weight", "consumed", "burned", "owed",
        "gross_utok", "provider_utok", "fee_utok", "retire_utok", "emitted_utok",
        "delivered_minutes"}},
      {"settlement.submit",
       {"number", "decision", "lease", "consumed", "gross_utok", "provider_utok", "fee_utok",
        "retire_utok", "emitted_utok"}},
      {"settlement.submit",
       {"number", "decision", "day", "budget_utok", "emitted_utok", "bonus_utok", "gross_utok",
        "retire_utok"}},
      {"settlement.submit", {"number", "decision", "day", "account", "gross_utok", "bonus_utok"}},
      {"settlement.submit", {"number", "decision", "owner", "large"}},
      {"lease.judge", {"lease", "verdict", "share_bps", "reason"}},
      {"probe.begin", {"node"}},
      {"probe.answer", {"node", "probe", "step", "part", "parts", "data"}},
      {"order.place", {"symbol", "side", "order_type", "price", "gpus", "cl_ord_id", "deadline"}},
      {"order.place", {"symbol", "side", "order_type", "price", "gpus", "tier", "min_assurance"}},
      {"order.place", {"symbol", "side", "order_type", "price", "gpus", "node"}},
      {"order.amend", {"order_id", "price", "gpus"}},
      {"order.amend", {"cl_ord_id", "price"}},
      {"order.cancel", {"order_id"}},
      {"order.cancel", {"cl_ord_id", "deadline"}},
      {"order.status", {"cl_ord_id"}},
      {"subscribe", {"channel"}},
      {"subscribe", {"channel", "symbol"}},
  };
  return kSets;
}

class Generator {
 public:
  explicit Generator(const Choose& below) : below_(below) {}

  std::string Make() {
    const FieldShape& params = *ClientRequestShape().Find("params");
    json_.BeginObject();
    if (!OneIn(8)) json_.Field("req_id", Signed(false));
    if (!OneIn(50)) Envelope(params);
    if (OneIn(100)) json_.Field("field 9", 1);
    json_.EndObject();
    return text_;
  }

 private:
  bool OneIn(uint64_t n) { return below_(n) == 0; }
  // Whether the value is to be one that is at fault.
  bool IsBad() { return OneIn(bad_one_in_); }

  void Envelope(const FieldShape& params) {
    if (OneIn(50)) {
      json_.Field("method", "");
      if (OneIn(2)) json_.Key("params").BeginObject().EndObject();
      return;
    }
    const auto& known_good = KnownGood();
    const bool is_known_good = OneIn(2);
    const GoodFields* good = is_known_good ? &known_good[below_(known_good.size())] : nullptr;
    const size_t index = good == nullptr ? below_(kMethods.size())
                                         : static_cast<size_t>(FindMethod(good->method)->method);
    json_.Field("method", kMethods[index].name);
    if (OneIn(20)) return;
    // A batch in a batch is refused as any other method in it.
    if (index == static_cast<size_t>(Method::kOrderBatch) && ++batches_ > 1) return;
    bad_one_in_ = OneIn(3) ? 1'000'000 : 10;
    presence_ = below_(5);
    json_.Key("params");
    Table(*params.shape->fields[index + 1].shape, good);
  }

  bool IsPresent(const FieldShape& field, const GoodFields* good) {
    if (good != nullptr && !IsBad()) return std::ranges::count(good->fields, field.name) != 0;
    return below_(4) < presence_;
  }

  void Table(const TableShape& shape, const GoodFields* good) {
    json_.BeginObject();
    for (const FieldShape& field : shape.fields) {
      if (field.type == Type::kUnionType || !IsPresent(field, good)) continue;
      if (field.type == Type::kUnion) {
        Envelope(field);
        continue;
      }
      json_.Key(field.name);
      field.is_vector ? Vector(field) : Value(field);
    }
    if (bad_one_in_ < 1'000 && OneIn(40)) json_.Field("field " + std::to_string(100), 1);
    json_.EndObject();
  }

  void Vector(const FieldShape& field) {
    if (field.type == Type::kByte) {
      constexpr size_t kSizes[] = {0, 1, 31, 33, 63, 65};
      const size_t good_size = field.name == "signature" ? 64 : 32;
      std::vector<uint8_t> bytes(IsBad() ? kSizes[below_(std::size(kSizes))] : good_size);
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(below_(256));
      if (field.name == "data") {
        json_.Base64Text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      } else {
        json_.HexText(bytes);
      }
      return;
    }
    json_.BeginArray();
    const uint64_t good_count = field.name == "feeds" ? 5 : 1 + below_(3);
    const uint64_t count = IsBad() ? below_(8) : good_count;
    for (uint64_t i = 0; i < count; ++i) Value(field);
    json_.EndArray();
  }

  void Value(const FieldShape& field) {
    switch (field.type) {
      case Type::kBool:
        json_.Bool(OneIn(2));
        return;
      case Type::kWord:
        json_.String(IsBad() ? "?" : field.shape->fields[below_(field.shape->fields.size())].name);
        return;
      case Type::kText:
        json_.String(Text());
        return;
      case Type::kTable:
        return Table(*field.shape, nullptr);
      default:
        return Integer(field);
    }
  }

  std::string Text() {
    if (!IsBad()) return "S" + std::to_string(below_(1'000));
    constexpr std::string_view kTexts[] = {"",   " ",    "a b",       "\u00fc", "\u20ac\U0001f600",
                                           "\t", "\x7f", "12345\n678"};
    const uint64_t choice = below_(std::size(kTexts) + 3);
    if (choice < std::size(kTexts)) return std::string(kTexts[choice]);
    constexpr size_t kSizes[] = {33, 65, 97};
    return std::string(kSizes[choice - std::size(kTexts)], 'x');
  }

  int64_t Signed(bool is_int) {
    if (!IsBad()) return static_cast<int64_t>(1 + below_(1'000'000));
    using Limits = std::numeric_limits<int64_t>;
    const int64_t kLongs[] = {0,
                              -1,
                              -5'000'000,
                              Limits::max(),
                              Limits::min() + 1,
                              9'007'199'254'740'991,
                              9'007'199'254'740'992,
                              253'402'300'799'999'999,
                              253'402'300'800'000'000};
    using IntLimits = std::numeric_limits<int32_t>;
    const int64_t kInts[] = {0, -1, IntLimits::max(), IntLimits::min(), 65'535, 65'536};
    return is_int ? kInts[below_(std::size(kInts))] : kLongs[below_(std::size(kLongs))];
  }

  uint64_t Unsigned() {
    constexpr uint64_t kValues[] = {0, 1, 9'007'199'254'740'991, 9'007'199'254'740'992,
                                    std::numeric_limits<uint64_t>::max()};
    return IsBad() ? kValues[below_(std::size(kValues))] : 1 + below_(1'000'000);
  }

  void Integer(const FieldShape& field) {
    const Form form = FormOf(field);
    if (form == Form::kIdentifier) {
      json_.NumberText(Unsigned());
    } else if (form == Form::kMicros) {
      json_.String(FormatDecimal(Signed(false), 6, static_cast<int>(below_(3))));
    } else if (form == Form::kDigits) {
      json_.NumberText(Signed(false));
    } else if (field.type == Type::kUnsignedLong) {
      json_.Number(Unsigned());
    } else {
      json_.Number(Signed(field.type == Type::kInt));
    }
  }

  const Choose& below_;
  uint64_t bad_one_in_ = 1'000'000;
  uint64_t presence_ = 4;  // quarters
  int batches_ = 0;
  std::string text_;
  JsonWriter json_{text_};
};

// ---- Whether two decoded messages are the same ----

template <typename T>
bool IsSame(const T& one, const T& other);

template <typename... Ts>
bool IsSameVariant(const std::variant<Ts...>& one, const std::variant<Ts...>& other) {
  if (one.index() != other.index()) return false;
  return std::visit(
      [&](const auto& value) {
        return IsSame(value, std::get<std::decay_t<decltype(value)>>(other));
      },
      one);
}

template <typename T>
struct IsVariant : std::false_type {};
template <typename... Ts>
struct IsVariant<std::variant<Ts...>> : std::true_type {};

template <typename T>
concept List = requires(const T& value) {
  value.begin();
  value.size();
};

template <typename T>
bool IsSame(const T& one, const T& other) {
  if constexpr (IsVariant<T>::value) {
    return IsSameVariant(one, other);
  } else if constexpr (List<T>) {
    // First, as an array seems comparable whatever its elements are.
    return std::ranges::equal(one, other,
                              [](const auto& a, const auto& b) { return IsSame(a, b); });
  } else if constexpr (std::equality_comparable<T>) {
    return one == other;
  } else {
    bool is_same = true;
    boost::pfr::for_each_field(one, [&](const auto& field, auto index) {
      is_same = is_same && IsSame(field, boost::pfr::get<index>(other));
    });
    return is_same;
  }
}

std::string Text(const Refusal& refusal) {
  return std::string(RejectReasonCode(refusal.reason)) + " " + refusal.param + " (" +
         refusal.detail + ")";
}

}  // namespace

std::string RandomRequest(const Choose& below) { return Generator(below).Make(); }

std::string DifferenceOf(const DecodedMessage& json, const DecodedMessage& binary) {
  if (json.method != binary.method || json.method_name != binary.method_name) return "the method";
  if (json.req_id != binary.req_id) return "the req_id";
  const auto* json_refusal = std::get_if<Refusal>(&json.request);
  const auto* binary_refusal = std::get_if<Refusal>(&binary.request);
  if (json_refusal == nullptr && binary_refusal == nullptr) {
    return IsSame(json.request, binary.request) ? "" : "the fields of the request";
  }
  const std::string one = json_refusal == nullptr ? "taken" : Text(*json_refusal);
  const std::string other = binary_refusal == nullptr ? "taken" : Text(*binary_refusal);
  const bool both_unknown = json_refusal != nullptr && binary_refusal != nullptr &&
                            json_refusal->reason == RejectReason::kUnknownField &&
                            binary_refusal->reason == RejectReason::kUnknownField;
  return one == other || both_unknown ? "" : one + " / " + other;
}

}  // namespace warpbook::gateway

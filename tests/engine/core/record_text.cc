#include "tests/engine/core/record_text.h"

#include <charconv>
#include <cstdlib>
#include <optional>
#include <vector>

#include "schema/types/client_order_id.h"
#include "schema/types/enums.h"
#include "schema/types/judgement_reason.h"
#include "schema/types/probe_reason.h"
#include "schema/types/reject_reason.h"

namespace warpbook::engine {
namespace {

using wire::RecordType;

struct Field {
  std::string name;
  size_t offset = 0;
  size_t size = 0;
  bool is_signed = false;
  bool is_bytes = false;
};

size_t ScalarSize(flatbuffers::ElementaryType type) {
  switch (type) {
    case flatbuffers::ET_UCHAR:
      return 1;
    case flatbuffers::ET_USHORT:
      return 2;
    case flatbuffers::ET_INT:
    case flatbuffers::ET_UINT:
      return 4;
    default:
      return 8;
  }
}

void AppendFields(const flatbuffers::TypeTable& table, const std::string& prefix, size_t base,
                  std::vector<Field>& fields) {
  for (size_t i = 0; i < table.num_elems; ++i) {
    const flatbuffers::TypeCode code = table.type_codes[i];
    const std::string name = prefix + table.names[i];
    const size_t offset = base + static_cast<size_t>(table.values[i]);
    const size_t size = static_cast<size_t>(table.values[i + 1] - table.values[i]);
    if (name == "padding") continue;
    if (code.base_type == flatbuffers::ET_SEQUENCE) {
      const flatbuffers::TypeTable& inner = *table.type_refs[code.sequence_ref]();
      const auto inner_size = static_cast<size_t>(inner.values[inner.num_elems]);
      for (size_t at = 0; at + inner_size <= size; at += inner_size) {
        const std::string of = code.is_repeating ? std::to_string(at / inner_size) : "";
        AppendFields(inner, name + of + ".", offset + at, fields);
      }
    } else if (code.is_repeating) {
      fields.push_back({name, offset, size, false, true});
    } else {
      const auto type = static_cast<flatbuffers::ElementaryType>(code.base_type);
      const bool is_signed = type == flatbuffers::ET_INT || type == flatbuffers::ET_LONG;
      fields.push_back({name, offset, ScalarSize(type), is_signed, false});
    }
  }
}

std::vector<Field> FieldsOf(RecordType type) {
  std::vector<Field> fields;
  switch (type) {
#define WARPBOOK_X(name, number)                           \
  case RecordType::k##name:                                \
    AppendFields(*wire::name##TypeTable(), "", 0, fields); \
    break;
    WARPBOOK_COMMANDS(WARPBOOK_X)
    WARPBOOK_EVENTS(WARPBOOK_X)
#undef WARPBOOK_X
    case RecordType::kNone:
      break;
  }
  for (Field& field : fields) {
    if (wire::IsCommand(type)) {
      if (field.name == "header.account_id") field.name = "from";
      if (field.name == "header.time_us") field.name = "at";
      if (field.name == "header.tag") field.name = "tag";
    } else if (field.name == "header.account_id") {
      field.name = "to";
    }
  }
  return fields;
}

RecordType TypeNamed(std::string_view word) {
#define WARPBOOK_X(name, number) \
  if (word == #name) return RecordType::k##name;
  WARPBOOK_COMMANDS(WARPBOOK_X)
  WARPBOOK_EVENTS(WARPBOOK_X)
#undef WARPBOOK_X
  return RecordType::kNone;
}

int64_t Load(const Field& field, const std::byte* body) {
  uint64_t value = 0;
  std::memcpy(&value, body + field.offset, field.size);
  if (field.is_signed && field.size == 4) return static_cast<int32_t>(value);
  return static_cast<int64_t>(value);
}

std::string LoadBytes(const Field& field, const std::byte* body) {
  const std::byte* bytes = body + field.offset;
  const std::string raw(reinterpret_cast<const char*>(bytes), field.size);
  if (raw == std::string(field.size, '\0')) return "";
  if (field.size == ClientOrderId::kMaxLength) {
    const auto text = ClientOrderId::FromBytes(reinterpret_cast<const uint8_t*>(raw.data()));
    if (text) return std::string(text->view());
  }
  if (field.size == kJudgementReasonLengthMax) {
    const auto text = JudgementReasonOf(reinterpret_cast<const uint8_t*>(raw.data()));
    if (text) return std::string(*text);
  }
  std::string hex = "x";
  for (const char c : raw) {
    constexpr char kDigits[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

template <typename E>
std::optional<int64_t> Word(std::string_view word) {
  const auto value = ParseName<E>(word);
  if (!value) return std::nullopt;
  return static_cast<int64_t>(*value);
}

std::optional<int64_t> ParseReason(std::string_view word) {
  for (const RejectReasonInfo& info : AllRejectReasons()) {
    if (info.code == word) return static_cast<int64_t>(info.reason);
  }
  return std::nullopt;
}

std::optional<int64_t> ParseWord(RecordType type, std::string_view field, std::string_view word) {
  if (field == "side" && word == "both") return 2;  // CancelAllOrders
  if (field == "side" || field == "taker_side") return Word<Side>(word);
  if (field == "type") return Word<OrderType>(word);
  if (field == "time_in_force") return Word<TimeInForce>(word);
  if (field == "tier") {  // of an accepted ask: its assurance
    const auto tier = Word<Tier>(word);
    return tier ? tier : Word<Assurance>(word);
  }
  if (field == "assurance" || field == "min_assurance") return Word<Assurance>(word);
  if (field == "self_trade_prevention") return Word<SelfTradePrevention>(word);
  if (field == "source" || field == "destination") return Word<CreditBucket>(word);
  if (field == "mode") return Word<OrderGuardMode>(word);
  if (field == "verdict") return Word<DisputeVerdict>(word);
  if (field == "state") {
    return type == RecordType::kLeaseChanged ? Word<LeaseState>(word) : Word<InstrumentState>(word);
  }
  if (field == "kind") {
    const bool of_account =
        type == RecordType::kRegisterSystemKey || type == RecordType::kAccountOpened;
    return of_account ? Word<AccountKind>(word) : Word<RequestKind>(word);
  }
  if (field == "reason" &&
      (type == RecordType::kDecideProbe || type == RecordType::kProbeDecided)) {
    return Word<ProbeReason>(word);
  }
  if (field == "reason") {
    const bool of_cancel = type == RecordType::kOrderCancelled ||
                           type == RecordType::kCancelAllOrders ||
                           type == RecordType::kWithdrawOrder;
    return of_cancel ? Word<CancelReason>(word) : ParseReason(word);
  }
  return std::nullopt;
}

std::optional<int64_t> ParseInteger(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  uint64_t large = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), large);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return static_cast<int64_t>(large);
}

std::optional<int64_t> ParseTime(std::string_view text) {
  if (!text.starts_with("T+") && !text.starts_with("T-")) return std::nullopt;
  const char unit = text.back();
  const auto count = ParseInteger(text.substr(2, text.size() - 3));
  if (!count || (unit != 's' && unit != 'm')) return std::nullopt;
  const int64_t span = *count * (unit == 's' ? 1'000'000 : 60'000'000);
  return text[1] == '+' ? kScenarioStart + span : kScenarioStart - span;
}

[[noreturn]] void BadLine(std::string_view line, std::string_view why) {
  std::fprintf(stderr, "bad line: %.*s: %.*s\n", static_cast<int>(why.size()), why.data(),
               static_cast<int>(line.size()), line.data());
  std::abort();
}

int64_t ParseScalar(RecordType type, const Field& field, std::string_view value,
                    std::string_view line) {
  if (const auto integer = ParseInteger(value)) return *integer;
  if (const auto time = ParseTime(value)) return *time;
  if (const auto word = ParseWord(type, field.name, value)) return *word;
  BadLine(line, "value of " + field.name);
}

std::vector<std::string_view> Split(std::string_view line) {
  std::vector<std::string_view> words;
  size_t at = 0;
  while (at < line.size()) {
    const size_t end = std::min(line.find(' ', at), line.size());
    if (end > at) words.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// Calls visit(field, value) for each field=value of the line.
template <typename Visit>
void ForEachValue(RecordType type, std::string_view line, Visit visit) {
  const std::vector<Field> fields = FieldsOf(type);
  const std::vector<std::string_view> words = Split(line);
  for (size_t i = 1; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (equals == std::string_view::npos) BadLine(line, "no field=value");
    const std::string_view name = words[i].substr(0, equals);
    const auto field =
        std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == name; });
    if (field == fields.end()) BadLine(line, name);
    visit(*field, words[i].substr(equals + 1));
  }
}

int HexValue(char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; }

void StoreBytes(const Field& field, std::string_view value, std::byte* body) {
  if (value.starts_with('x') && value.size() == 2 * field.size + 1) {
    for (size_t i = 0; i < field.size; ++i) {
      body[field.offset + i] =
          static_cast<std::byte>(HexValue(value[2 * i + 1]) * 16 + HexValue(value[2 * i + 2]));
    }
    return;
  }
  std::memcpy(body + field.offset, value.data(), std::min(value.size(), field.size));
}

}  // namespace

std::string FormatRecord(wire::RecordView record) {
  std::string line(wire::RecordName(record.type()));
  for (const Field& field : FieldsOf(record.type())) {
    if (field.name == "header.sequence" || field.name == "header.event_sequence") continue;
    const std::string value = field.is_bytes ? LoadBytes(field, record.body())
                                             : std::to_string(Load(field, record.body()));
    if (value.empty() || value == "0") continue;
    line += " " + field.name + "=" + value;
  }
  return line;
}

std::string FormatRecords(std::span<const std::byte> records) {
  std::string text;
  for (const wire::RecordView record : wire::Records(records)) {
    text += "  " + FormatRecord(record) + "\n";
  }
  return text;
}

wire::CommandRecord ParseCommand(std::string_view line) {
  const std::vector<std::string_view> words = Split(line);
  const RecordType type = TypeNamed(words.empty() ? "" : words[0]);
  if (!wire::IsCommand(type)) BadLine(line, "no such command");
  alignas(8) std::byte bytes[sizeof(wire::RecordHeader) + wire::kMaxCommandSize] = {};
  const wire::RecordHeader header{static_cast<uint16_t>(type),
                                  static_cast<uint16_t>(wire::RecordSize(type)), 0};
  std::memcpy(bytes, &header, sizeof header);
  std::byte* body = bytes + sizeof header;
  ForEachValue(type, line, [&](const Field& field, std::string_view value) {
    if (field.is_bytes) {
      StoreBytes(field, value, body);
    } else {
      const int64_t scalar = ParseScalar(type, field, value, line);
      std::memcpy(body + field.offset, &scalar, field.size);
    }
  });
  return wire::CommandRecord(wire::RecordView(bytes));
}

bool MatchesLine(wire::RecordView record, std::string_view line) {
  const std::vector<std::string_view> words = Split(line);
  const RecordType type = TypeNamed(words.empty() ? "" : words[0]);
  if (type == RecordType::kNone) BadLine(line, "no such record");
  if (record.type() != type) return false;
  bool matches = true;
  ForEachValue(type, line, [&](const Field& field, std::string_view value) {
    if (field.is_bytes) {
      matches = matches && LoadBytes(field, record.body()) == value;
    } else {
      matches = matches && Load(field, record.body()) == ParseScalar(type, field, value, line);
    }
  });
  return matches;
}

}  // namespace warpbook::engine

// FieldReader: takes the fields of one object by name and type. What an amount or an identifier is
// in JSON and in FlatBuffers is known here alone: the same values give the same answers and the
// same faults. It answers with a default
// where a field is at fault and keeps the fault, so that a method's decoder reads as a list of its
// fields. Of several faults the one whose reason has the lowest number is kept (the declared
// precedence, schema/types/reject_reason.h), of equal ones the first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/protocol/field_tree.h"
#include "gateway/protocol/request.h"
#include "schema/types/amounts.h"
#include "schema/types/client_order_id.h"
#include "schema/types/enums.h"
#include "schema/types/reject_reason.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {

// The fault that is kept.
class Fault {
 public:
  void Add(RejectReason reason, std::string param, std::string detail);
  bool found() const { return refusal_.reason != RejectReason::kNone; }
  const Refusal& refusal() const { return refusal_; }

 private:
  Refusal refusal_;
};

// A name of a field; text from clients is cut to this many bytes before it is repeated to them.
inline constexpr size_t kEchoBytesMax = 64;
std::string CutForEcho(std::string_view text);

enum class Need : bool { kOptional, kRequired };

class FieldReader {
 public:
  // Reads the fields of `object`, an object of the tree; 0xffffffff stands for an empty one.
  // `path` goes before the names of its fields in refusals ("feeds[0].").
  static constexpr uint32_t kEmptyObject = 0xffffffff;
  FieldReader(FieldTree& tree, uint32_t object, Fault& fault, std::string path = "")
      : tree_(tree), object_(object), fault_(fault), path_(std::move(path)) {}

  bool Has(std::string_view name) const;
  // The field's node where it is there and of that kind.
  std::optional<uint32_t> Node(std::string_view name, FieldNode::Kind kind, Need need);

  // The text of a node that Node() found.
  std::string_view TextOf(uint32_t index) const { return tree_.node(index).text; }

  std::optional<std::string_view> Text(std::string_view name, size_t bytes_max, Need need);
  std::optional<bool> Bool(std::string_view name, Need need);
  std::optional<int64_t> Integer(std::string_view name, int64_t min, int64_t max, Need need);
  std::optional<Timestamp> Time(std::string_view name, Need need);
  std::optional<ClientOrderId> OrderName(std::string_view name, Need need);
  // A decimal string of at most `decimals` digits behind the point, in FlatBuffers an integer of
  // units 10^-decimals; not negative.
  std::optional<int64_t> Decimal(std::string_view name, int decimals, Need need);
  // Like Decimal with micro-USD, positive: an offence is kPriceNotPositive.
  std::optional<Price> PositivePrice(std::string_view name, Need need);
  // Hex digits, in FlatBuffers bytes.
  template <size_t kBytes>
  std::array<uint8_t, kBytes> Hex(std::string_view name) {
    std::array<uint8_t, kBytes> bytes{};
    HexInto(name, bytes.data(), kBytes);
    return bytes;
  }
  // Base64, in FlatBuffers bytes; at most so many. Those of an empty text are none.
  std::string Blob(std::string_view name, size_t bytes_max, Need need);
  // An identifier, from 1: a decimal string, in FlatBuffers an unsigned integer.
  template <typename Id>
  std::optional<Id> Identifier(std::string_view name, Need need) {
    const auto value = Unsigned(name, need);
    return value ? std::optional<Id>(Id(static_cast<typename Id::rep>(*value))) : std::nullopt;
  }
  // One of an enum's words.
  template <typename E>
  std::optional<E> Word(std::string_view name, Need need) {
    const auto text = Text(name, kWordBytesMax, need);
    if (!text) return std::nullopt;
    const auto value = ParseName<E>(*text);
    if (!value) Refuse(RejectReason::kUnknownValue, name, Alternatives(EnumNames<E>::kNames));
    return value;
  }

  void Refuse(RejectReason reason, std::string_view name, std::string detail);
  // Every field that nobody asked for is kUnknownField. To be called last.
  void RefuseUnknownFields();

 private:
  // Words are compared, not kept: longer ones are simply none of ours.
  static constexpr size_t kWordBytesMax = 64 * 1024;
  // The field where it is there; a missing one that is required is a fault.
  FieldNode* Find(std::string_view name, Need need);
  void RefuseKind(std::string_view name, FieldNode::Kind kind);
  std::optional<int64_t> NotNegative(std::string_view name, const FieldNode& node);
  std::optional<uint64_t> Unsigned(std::string_view name, Need need);
  void HexInto(std::string_view name, uint8_t* bytes, size_t count);
  template <size_t kCount>
  static std::string Alternatives(const std::array<std::string_view, kCount>& words) {
    std::string text = "one of";
    for (const std::string_view word : words) (text += ' ') += word;
    return text;
  }

  FieldTree& tree_;
  const uint32_t object_;
  uint32_t hint_ = 0;  // the field behind the one found last
  Fault& fault_;
  const std::string path_;
};

}  // namespace warpbook::gateway

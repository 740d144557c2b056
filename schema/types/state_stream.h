// The bytes of a state (the engine's, a gateway's), field by field: little-endian, each integer in
// its own width, a flag in one byte, arrays as they are, nothing between. StateWriter makes them
// and their hash (XXH3-64) at once; StateReader takes them apart and refuses what no state could
// hold.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/functional/function_ref.h"
#include "schema/types/client_order_id.h"
#include "schema/types/enums.h"
#include "schema/types/strong_int.h"
#include "schema/types/timestamp.h"

namespace warpbook {

static_assert(std::endian::native == std::endian::little);

// Takes the bytes in order, in pieces.
using StateSink = absl::FunctionRef<void(std::span<const std::byte>)>;

class StateWriter {
 public:
  explicit StateWriter(StateSink sink);
  ~StateWriter();
  StateWriter(const StateWriter&) = delete;
  StateWriter& operator=(const StateWriter&) = delete;

  template <typename... Fields>
  void operator()(const Fields&... fields) {
    (Put(fields), ...);
  }
  // Hands the rest to the sink. Then:
  void Finish();
  uint64_t length() const { return length_; }
  uint64_t hash() const;

 private:
  static constexpr size_t kPieceSize = 65'536;
  struct Hash;

  template <std::integral Int>
  void Put(Int value) {
    PutBytes(&value, sizeof value);
  }
  void Put(bool value) { Put(static_cast<uint8_t>(value ? 1 : 0)); }
  template <typename E>
  requires std::is_enum_v<E>
  void Put(E value) { Put(static_cast<std::underlying_type_t<E>>(value)); }
  template <typename Tag, typename Rep>
  void Put(StrongId<Tag, Rep> id) {
    Put(id.value());
  }
  template <typename Tag, typename Rep>
  void Put(StrongInt<Tag, Rep> amount) {
    Put(amount.value());
  }
  void Put(Timestamp time) { Put(time.micros()); }
  template <size_t size>
  void Put(const std::array<uint8_t, size>& bytes) {
    PutBytes(bytes.data(), size);
  }
  void Put(const ClientOrderId& id) { PutBytes(id.bytes(), ClientOrderId::kMaxLength); }
  void PutBytes(const void* bytes, size_t size) {
    if (used_ + size > kPieceSize) [[unlikely]]
      HandOver();
    std::memcpy(piece_.get() + used_, bytes, size);
    used_ += size;
  }
  void HandOver();

  StateSink sink_;
  std::unique_ptr<std::byte[]> piece_;
  size_t used_ = 0;
  uint64_t length_ = 0;
  std::unique_ptr<Hash> hash_;
};

// Reads until something is at fault; from then on every field is left as it was.
class StateReader {
 public:
  explicit StateReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  // Reads the fields in turn. Whether there is no fault.
  template <typename... Fields>
  bool operator()(Fields&... fields) {
    (Get(fields), ...);
    return ok();
  }
  bool ok() const { return fault_.empty(); }
  size_t left() const { return bytes_.size() - at_; }
  // Names what is being read, for the sentence of a fault: "account", 3.
  void Enter(std::string_view what, uint64_t number = 0) {
    what_ = what;
    number_ = number;
  }
  // Notes a fault, where there is none yet. Returns false.
  bool Fail(std::string_view fault);
  // Notes `fault` unless the condition holds. Whether it holds and there is no fault.
  bool Require(bool condition, std::string_view fault) {
    if (!condition) [[unlikely]]
      return Fail(fault);
    return ok();
  }
  // A sentence; empty: none.
  const std::string& fault() const { return fault_; }

 private:
  template <std::integral Int>
  void Get(Int& value) {
    GetBytes(&value, sizeof value);
  }
  void Get(bool& value) {
    uint8_t byte = 0;
    Get(byte);
    if (Require(byte <= 1, "a flag is neither 0 nor 1")) value = byte == 1;
  }
  template <typename E>
  requires std::is_enum_v<E>
  void Get(E& value) {
    std::underlying_type_t<E> number = 0;
    Get(number);
    if (Require(IsValid(static_cast<E>(number)), "a value is outside its vocabulary")) {
      value = static_cast<E>(number);
    }
  }
  template <typename Tag, typename Rep>
  void Get(StrongId<Tag, Rep>& id) {
    Rep value = id.value();
    Get(value);
    id = StrongId<Tag, Rep>(value);
  }
  template <typename Tag, typename Rep>
  void Get(StrongInt<Tag, Rep>& amount) {
    Rep value = amount.value();
    Get(value);
    amount = StrongInt<Tag, Rep>(value);
  }
  void Get(Timestamp& time) {
    int64_t micros = time.micros();
    Get(micros);
    time = Timestamp(micros);
  }
  template <size_t size>
  void Get(std::array<uint8_t, size>& bytes) {
    GetBytes(bytes.data(), size);
  }
  void Get(ClientOrderId& id) {
    std::array<uint8_t, ClientOrderId::kMaxLength> bytes = {};
    Get(bytes);
    const auto parsed = ClientOrderId::FromBytes(bytes.data());
    if (Require(parsed.has_value(), "a client order id is none")) id = *parsed;
  }
  void GetBytes(void* bytes, size_t size) {
    if (!Require(size <= left(), "the state ends here, and should not")) return;
    std::memcpy(bytes, bytes_.data() + at_, size);
    at_ += size;
  }

  std::span<const std::byte> bytes_;
  size_t at_ = 0;
  std::string_view what_ = "state";
  uint64_t number_ = 0;
  std::string fault_;
};

}  // namespace warpbook

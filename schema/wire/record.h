// Records: how commands and events travel through rings and rest in the journal.
//
//   RecordHeader {u16 type, u16 size, u32 command_index} | struct of that type, `size` bytes
//
// `size` counts the struct alone; every struct is a multiple of 8 bytes, so records stay aligned
// to 8. `command_index` is the command's position in its batch; an event carries that of its
// command and follows it. Type numbers are stored: never renumbered, never used again; a changed
// struct is a new one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "schema/base/check.h"
#include "schema/wire/commands_generated.h"
#include "schema/wire/events_generated.h"

namespace warpbook::wire {

// X(struct, type number). Retired numbers, of structs as they were before leases could be resold:
// SettleLease 103, TradeExecuted 1043, OrderAccepted 1060, LeaseSettled 1084; and before emission
// paid for work: SettleLease 104, LeaseSettled 1085.
// clang-format off
#define WARPBOOK_COMMANDS(X)                                                         \
  X(Tick, 1) X(RegisterSystemKey, 2) X(OpenInstrument, 3) X(CloseInstrument, 4)      \
  X(RefuseCommand, 5) X(CallProbe, 6) X(DecideProbe, 7)                              \
  X(SetInstrumentHalt, 20) X(SetPrices, 21) X(SetBondedLimit, 22) X(SetCapacity, 23) \
  X(RequestDeposit, 24) X(RequestWithdrawal, 32) X(VerifyOwner, 33) X(JudgeLease, 34) \
  X(OpenAccount, 40) X(AddKey, 41) X(RequestTopUp, 42) X(RevokeKey, 50)              \
  X(PlaceOrder, 60) X(AmendOrder, 61) X(CancelOrder, 62) X(CancelAllOrders, 63)      \
  X(SetOrderGuard, 64) X(WithdrawOrder, 65)                                          \
  X(RegisterNode, 80) X(StartLease, 81) X(HeartbeatLease, 82) X(CompleteLease, 83)   \
  X(DisputeLease, 84) X(BeginProbe, 85)                                              \
  X(PostDeposit, 100) X(PostTopUp, 101) X(RefuseRequest, 102) X(SettleLease, 105)    \
  X(PayDeferred, 106) X(CloseEpoch, 107) X(PayBonus, 108) X(MarkOwner, 109)          \
  X(PostWithdrawal, 112)

#define WARPBOOK_EVENTS(X)                                                                   \
  X(CommandRejected, 1001) X(CommandAccepted, 1002) X(RequestTaken, 1003)                    \
  X(RequestDecided, 1004)                                                                    \
  X(AccountOpened, 1020) X(KeyAdded, 1021) X(CreditsMoved, 1022) X(BondedLimitSet, 1023)     \
  X(KeyRevoked, 1031) X(OwnerVerified, 1032) X(OwnerMarked, 1033)                                              \
  X(InstrumentOpened, 1040) X(InstrumentStateChanged, 1041) X(BookLevelChanged, 1042)        \
  X(TradeExecuted, 1044)                                                                     \
  X(OrderAccepted, 1064) X(OrderFilled, 1061) X(OrderAmended, 1062) X(OrderCancelled, 1063)  \
  X(NodeRegistered, 1080) X(CapacitySet, 1081) X(LeaseChanged, 1082) X(LeaseHeartbeat, 1083) \
  X(LeaseSettled, 1087) X(LeaseResold, 1086) X(LeaseDisputed, 1088) X(LeaseJudged, 1089)     \
  X(DeferredPaid, 1090) X(EpochClosed, 1091) X(BonusPaid, 1092)                              \
  X(ProbeBegun, 1093) X(ProbeCalled, 1094) X(ProbeDecided, 1095)                             \
  X(PricesSet, 1100) X(Checkpoint, 1101)
// clang-format on

enum class RecordType : uint16_t {
  kNone = 0,
#define WARPBOOK_X(name, number) k##name = (number),
  WARPBOOK_COMMANDS(WARPBOOK_X) WARPBOOK_EVENTS(WARPBOOK_X)
#undef WARPBOOK_X
};

inline constexpr uint16_t kFirstEventType = 1000;
constexpr bool IsCommand(RecordType type) {
  return type != RecordType::kNone && static_cast<uint16_t>(type) < kFirstEventType;
}

struct RecordHeader {
  uint16_t type = 0;  // RecordType
  uint16_t size = 0;  // of the struct that follows
  uint32_t command_index = 0;
};
static_assert(sizeof(RecordHeader) == 8);

// The largest struct of a command and of an event; rings size their slots by it.
inline constexpr size_t kMaxCommandSize = 128;
inline constexpr size_t kMaxEventSize = 176;

// RecordTypeOf<T>: the type number of a struct.
template <typename T>
inline constexpr RecordType kRecordTypeOf = RecordType::kNone;
#define WARPBOOK_X(name, number)                                         \
  template <>                                                            \
  inline constexpr RecordType kRecordTypeOf<name> = RecordType::k##name; \
  static_assert(sizeof(name) % 8 == 0 && alignof(name) <= 8);
WARPBOOK_COMMANDS(WARPBOOK_X)
WARPBOOK_EVENTS(WARPBOOK_X)
#undef WARPBOOK_X
#define WARPBOOK_X(name, number) static_assert(sizeof(name) <= kMaxCommandSize);
WARPBOOK_COMMANDS(WARPBOOK_X)
#undef WARPBOOK_X
#define WARPBOOK_X(name, number) static_assert(sizeof(name) <= kMaxEventSize);
WARPBOOK_EVENTS(WARPBOOK_X)
#undef WARPBOOK_X

// The size of a type's struct; 0 for a number that is none of ours.
size_t RecordSize(RecordType type);
// The struct's name ("PlaceOrder"); "unknown" for a number that is none of ours.
std::string_view RecordName(RecordType type);

// One record, borrowed. The bytes must be aligned to 8.
class RecordView {
 public:
  RecordView() = default;
  explicit RecordView(const std::byte* record) : record_(record) {}
  bool empty() const { return record_ == nullptr; }  // a view of nothing

  RecordType type() const { return static_cast<RecordType>(header().type); }
  uint32_t command_index() const { return header().command_index; }
  const std::byte* body() const { return record_ + sizeof(RecordHeader); }
  size_t total_size() const { return sizeof(RecordHeader) + header().size; }
  std::span<const std::byte> bytes() const { return {record_, total_size()}; }
  // The struct; CHECKs that the record is of its type.
  template <typename T>
  const T& as() const {
    WARPBOOK_CHECK(type() == kRecordTypeOf<T>);
    return *reinterpret_cast<const T*>(body());
  }
  // The header that every command (event) begins with. CHECKs that it is one.
  const CommandHeader& command_header() const {
    WARPBOOK_CHECK(IsCommand(type()));
    return *reinterpret_cast<const CommandHeader*>(body());
  }
  const EventHeader& event_header() const {
    WARPBOOK_CHECK(!IsCommand(type()));
    return *reinterpret_cast<const EventHeader*>(body());
  }
  const RecordHeader& header() const { return *reinterpret_cast<const RecordHeader*>(record_); }

 private:
  const std::byte* record_ = nullptr;
};

// One command with its record header: what a gateway submits. Fixed size, copied by value.
class CommandRecord {
 public:
  CommandRecord() = default;
  template <typename T>
  explicit CommandRecord(const T& command) {
    static_assert(sizeof(T) <= kMaxCommandSize && IsCommand(kRecordTypeOf<T>));
    const RecordHeader header{static_cast<uint16_t>(kRecordTypeOf<T>), sizeof(T), 0};
    std::memcpy(bytes_, &header, sizeof header);
    std::memcpy(bytes_ + sizeof header, &command, sizeof(T));
  }
  // A copy of a command's record. CHECKs that it is a command.
  explicit CommandRecord(RecordView view) {
    WARPBOOK_CHECK(IsCommand(view.type()) && view.header().size <= kMaxCommandSize);
    std::memcpy(bytes_, view.body() - sizeof(RecordHeader), view.total_size());
  }
  RecordView view() const { return RecordView(bytes_); }
  CommandHeader& mutable_header() {
    return *reinterpret_cast<CommandHeader*>(bytes_ + sizeof(RecordHeader));
  }

 private:
  alignas(8) std::byte bytes_[sizeof(RecordHeader) + kMaxCommandSize] = {};
};

// Appends records to a growing buffer. The buffer keeps its memory across Clear().
class RecordWriter {
 public:
  RecordWriter() = default;
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;

  // Appends an empty struct with its header, to be filled in place: valid until the next record.
  template <typename T>
  T& Add(uint32_t command_index) {
    const RecordHeader header{static_cast<uint16_t>(kRecordTypeOf<T>), sizeof(T), command_index};
    std::byte* place = Grow(sizeof header + sizeof(T));
    std::memcpy(place, &header, sizeof header);
    return *new (place + sizeof header) T();
  }
  template <typename T>
  void Append(const T& record, uint32_t command_index) {
    Add<T>(command_index) = record;
  }
  void Append(RecordView record, uint32_t command_index) {
    std::byte* place = Grow(record.total_size());
    RecordHeader header = record.header();
    header.command_index = command_index;
    std::memcpy(place, &header, sizeof header);
    std::memcpy(place + sizeof header, record.body(), header.size);
  }
  // Whole records.
  void AppendBytes(std::span<const std::byte> records) {
    std::memcpy(Grow(records.size()), records.data(), records.size());
  }
  // Gives all records from an offset on another command index.
  void SetCommandIndex(size_t offset, uint32_t command_index) {
    for (std::byte* at = bytes_.data() + offset; at < end_;) {
      auto* header = reinterpret_cast<RecordHeader*>(at);
      header->command_index = command_index;
      at += sizeof *header + header->size;
    }
  }
  std::span<const std::byte> bytes() const { return {bytes_.data(), size()}; }
  size_t size() const { return static_cast<size_t>(end_ - bytes_.data()); }
  void Clear() { end_ = bytes_.data(); }
  // Hands the buffer over and starts a new one.
  std::vector<std::byte> Take() {
    bytes_.resize(size());
    end_ = limit_ = nullptr;
    return std::exchange(bytes_, {});
  }

 private:
  std::byte* Grow(size_t size) {
    if (size > static_cast<size_t>(limit_ - end_)) [[unlikely]]
      MakeRoom(size);
    return std::exchange(end_, end_ + size);
  }
  void MakeRoom(size_t size);

  std::vector<std::byte> bytes_;  // records up to end_, room up to limit_
  std::byte* end_ = nullptr;
  std::byte* limit_ = nullptr;
};

// Walks a buffer of records that has been validated (ValidateRecords):
//   for (RecordView record : Records(bytes)) ...
class Records {
 public:
  explicit Records(std::span<const std::byte> bytes) : bytes_(bytes) {}
  class Iterator {
   public:
    explicit Iterator(const std::byte* at) : at_(at) {}
    RecordView operator*() const { return RecordView(at_); }
    Iterator& operator++() {
      at_ += RecordView(at_).total_size();
      return *this;
    }
    friend bool operator==(Iterator, Iterator) = default;

   private:
    const std::byte* at_;
  };
  Iterator begin() const { return Iterator(bytes_.data()); }
  Iterator end() const { return Iterator(bytes_.data() + bytes_.size()); }

 private:
  std::span<const std::byte> bytes_;
};

// Whether the bytes are whole records of known types and right sizes. Says what is wrong and where.
struct RecordFault {
  size_t offset;
  std::string_view what;
};
// Returns true, or false with *fault set.
bool ValidateRecords(std::span<const std::byte> bytes, RecordFault* fault);

}  // namespace warpbook::wire

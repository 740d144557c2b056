// Helpers of the service's tests: a service over a journal, and a gateway's side of a port.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/service/engine_service.h"
#include "schema/base/file.h"

namespace warpbook::engine::test {

// One tradable class with 60-minute windows and one that is not, two regions, two windows ahead.
Catalogue TestCatalogue();

EngineService::Options TestOptions(const std::string& journal_directory,
                                   FileSystem* files = nullptr);

// OpenAccount with a key that follows from the tag.
wire::CommandRecord OpenAccountCommand(uint64_t tag);

// Submits, polls and keeps what came out.
class PortUser {
 public:
  explicit PortUser(std::unique_ptr<EnginePort> port) : port_(std::move(port)) {}

  EnginePort& port() { return *port_; }
  // Submits all, waiting where the ring is full.
  void Submit(const std::vector<wire::CommandRecord>& commands);
  // Takes what is there; says whether there was anything.
  bool Poll();
  // Polls until the condition holds; false where it does not within 10 s.
  bool PollUntil(const std::function<bool()>& condition);

  const std::vector<std::byte>& records() const { return records_; }
  uint64_t next_sequence() const { return next_sequence_; }
  // The sequence of the command whose reply carries the tag; 0: none yet.
  uint64_t SequenceOf(uint64_t tag) const;
  size_t reply_count() const { return sequences_.size(); }
  bool gapless() const { return gapless_; }

 private:
  std::unique_ptr<EnginePort> port_;
  std::vector<std::byte> records_;
  std::map<uint64_t, uint64_t> sequences_;
  uint64_t next_sequence_ = 0;  // 0: before the first batch
  bool gapless_ = true;
};

// All records of a type.
template <typename T>
std::vector<T> RecordsOf(std::span<const std::byte> bytes) {
  std::vector<T> found;
  for (const wire::RecordView record : wire::Records(bytes)) {
    if (record.type() == wire::kRecordTypeOf<T>) found.push_back(record.as<T>());
  }
  return found;
}

}  // namespace warpbook::engine::test

#include "tests/engine/service/service_fixture.h"

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <span>
#include <thread>
#include <utility>

#include "schema/base/check.h"

namespace warpbook::engine::test {

Catalogue TestCatalogue() {
  HardwareClass tradable;
  tradable.id = ClassId(1);
  tradable.name = "H100-SXM";
  tradable.reference_price = Price(2'500'000);
  tradable.tick = Price(20'000);
  tradable.band_low = Price(500'000);
  tradable.band_high = Price(10'000'000);
  tradable.window_minutes = Minutes(60);
  tradable.tradable = true;
  HardwareClass listed = tradable;
  listed.id = ClassId(2);
  listed.name = "B200";
  listed.tradable = false;
  Catalogue catalogue;
  catalogue.classes = {tradable, listed};
  catalogue.regions = {{RegionId(1), "us-east"}, {RegionId(2), "eu-north"}};
  catalogue.windows_ahead = 2;
  return catalogue;
}

EngineService::Options TestOptions(const std::string& journal_directory, FileSystem* files) {
  EngineService::Options options;
  options.journal_directory = journal_directory;
  options.catalogue = TestCatalogue();
  options.segment_size = uint64_t{1} << 20;
  options.file_system = files;
  return options;
}

wire::CommandRecord OpenAccountCommand(uint64_t tag) {
  wire::OpenAccount command;
  command.mutable_header().mutate_tag(tag);
  std::memcpy(command.mutable_public_key()->Data(), &tag, sizeof tag);
  return wire::CommandRecord(command);
}

void PortUser::Submit(const std::vector<wire::CommandRecord>& commands) {
  std::span<const wire::CommandRecord> rest = commands;
  while (!rest.empty()) {
    rest = rest.subspan(port_->TrySubmit(rest));
    if (!rest.empty() && !Poll()) std::this_thread::yield();
  }
}

bool PortUser::Poll() {
  bool any = false;
  while (const std::shared_ptr<const DurableBatch> batch = port_->Poll()) {
    any = true;
    if (next_sequence_ != 0 && batch->first_sequence != next_sequence_) gapless_ = false;
    next_sequence_ = batch->first_sequence + batch->command_count;
    uint64_t sequence = 0;
    for (const wire::RecordView record : wire::Records(batch->records)) {
      if (wire::IsCommand(record.type())) sequence = record.command_header().sequence();
      uint64_t tag = 0;
      if (record.type() == wire::RecordType::kAccountOpened) {
        tag = record.as<wire::AccountOpened>().tag();
      } else if (record.type() == wire::RecordType::kCommandAccepted) {
        tag = record.as<wire::CommandAccepted>().tag();
      }
      if (tag != 0) sequences_[tag] = sequence;
    }
    records_.insert(records_.end(), batch->records.begin(), batch->records.end());
  }
  return any;
}

bool PortUser::PollUntil(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    pollfd ready{port_->ReadyFd(), POLLIN, 0};
    poll(&ready, 1, 100);
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(port_->ReadyFd(), &count, sizeof count);
    Poll();
  }
  return true;
}

uint64_t PortUser::SequenceOf(uint64_t tag) const {
  const auto found = sequences_.find(tag);
  return found == sequences_.end() ? 0 : found->second;
}

}  // namespace warpbook::engine::test

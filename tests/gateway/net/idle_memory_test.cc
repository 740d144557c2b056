// What a connection costs that says nothing: ten thousand of them are to fit into 300 MiB.
#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "gateway/net/descriptors.h"
#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_server.h"

namespace warpbook::gateway {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsMeasurable = false;  // sanitizers keep memory of their own
#else
constexpr bool kIsMeasurable = true;
#endif

size_t ResidentBytes() {
  size_t pages = 0, resident_pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident_pages;
  return resident_pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

TEST_CASE("An idle connection, also one that has said much before, keeps little memory") {
  constexpr size_t kConnections = 1'000;
  constexpr size_t kBytesEachMax = 8 * 1024;
  const auto descriptors = RaiseDescriptorLimit();
  REQUIRE(descriptors.ok());
  REQUIRE(*descriptors >= 2 * kConnections + kReservedDescriptors);  // both ends are here
  TestServer server;
  std::vector<TestSocket> sockets;
  sockets.reserve(kConnections);
  const auto open = [&](size_t count) {
    for (size_t i = 0; i < count; ++i) {
      sockets.push_back(TestSocket::Open(server.port()));
      // A long message in two pieces, so that it does not lie whole in what is read.
      const std::string frame = TestSocket::FrameText(
          1, R"({"method":"instruments","req_id":1})" + std::string(20'000, ' '));
      sockets.back().SendRaw(frame.substr(0, 10'000));
      sockets.back().SendRaw(frame.substr(10'000));
      CHECK(At(sockets.back().ReadReply(), "/success") == "true");
    }
  };
  open(kConnections / 10);  // what is there once, whatever their number
  const size_t before = ResidentBytes();
  open(kConnections - kConnections / 10);
  const size_t each = (ResidentBytes() - before) / (kConnections - kConnections / 10);
  MESSAGE("bytes of an idle connection: ", each);
  if (kIsMeasurable) CHECK(each < kBytesEachMax);
}

}  // namespace warpbook::gateway

// A client's side of WebSockets on plain sockets, as little of it as the benchmarks need.
// Everything CHECKs that it works.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace warpbook::bench {

// A socket that is connected to a port of 127.0.0.1, from an address of loopback.
int ConnectLoopback(uint16_t port, const char* from = "127.0.0.1");
// Sends all of it, and waits where the socket takes no more.
void SendAll(int fd, std::string_view bytes);

// The request that opens a WebSocket, with so many lines more ("Origin: x\r\n").
std::string UpgradeRequest(std::string_view more = "");
// What came up to the end of an HTTP header.
std::string ReadHttpHeader(int fd);
// Connected, and its WebSocket open.
int OpenWebSocket(uint16_t port, const char* from = "127.0.0.1", std::string_view more = "");

// The first byte of a frame.
inline constexpr uint8_t kFinal = 0x80, kCompressed = 0x40;
inline constexpr uint8_t kContinuation = 0, kText = 1, kPing = 9;
// Appends a masked frame.
void AppendFrame(std::string& out, uint8_t first_byte, std::string_view payload);

}  // namespace warpbook::bench

// Every limit of the gateway, by name. What happens beyond one stands beside it; none of them ever
// cuts a line without saying why first, unless the other side has said or reads nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "schema/types/timestamp.h"

namespace warpbook::gateway {

inline constexpr size_t kIoThreadsMax = 64;

// What one connection may ask for. A token bucket each: `burst` at once, `per_second` refilled.
struct RateLimits {
  int64_t requests_per_second = 1'000;  // kRateLimited, with retry_after_us; lists count for 10
  int64_t requests_burst = 2'000;
  int64_t authentications_per_second = 5;  // logon and account.open, which verify signatures
  int64_t authentications_burst = 20;
  size_t in_flight_max = 1'024;    // commands without an answer: kTooManyInFlight
  size_t subscriptions_max = 512;  // kTooManySubscriptions
};

// What all connections of one account, and of one address, may ask for together; on top of what
// each connection may. A token bucket each: kRateLimited, with retry_after_us.
struct SharedRateLimits {
  int64_t account_orders_per_second = 2'000;  // order.*, each item of a batch
  int64_t account_orders_burst = 4'000;
  size_t accounts_remembered_max = 65'536;       // beyond: one that nobody uses is forgotten
  int64_t address_requests_per_second = 20'000;  // of clients; counted as a connection's are
  int64_t address_requests_burst = 40'000;
  size_t addresses_remembered_max = 16'384;  // beyond: one that nobody uses is forgotten
};

// account.open, which anybody may ask for. A token bucket for each address and one for all:
// kRateLimited, with retry_after_us.
struct AccountOpenLimits {
  int64_t per_address_per_minute = 10;
  int64_t per_address_burst = 256;
  int64_t per_minute = 60;
  int64_t burst = 2'048;
  size_t addresses_max = 16'384;  // remembered; beyond: one is forgotten, the limit of all holds
};

// Plain HTTP for clients, which needs no logon: a token bucket for each address. 429, Retry-After.
struct HttpLimits {
  int64_t requests_per_second = 20;
  int64_t requests_burst = 100;
  size_t addresses_max = 16'384;             // remembered; beyond: one is forgotten
  size_t requests_per_connection_max = 500;  // the last one's answer says so and closes
};

// The connections of one listener.
struct ConnectionLimits {
  size_t total_max = 16'384;       // 503
  size_t per_address_max = 1'024;  // 503
  size_t refused_max = 64;         // being answered with 503 at once; beyond: closed unanswered
};

// The last private events of each account, for session.resume and account.statement: what is not
// here any more comes from the journal.
struct RecentEventsLimits {
  size_t events_per_account = 4'096;  // a power of two; beyond it the account's oldest is dropped
  size_t bytes = size_t{128} << 20;   // of all accounts: the oldest are dropped; 0: none is kept
};

// What has been, from the journal.
struct HistoryLimits {
  int64_t horizon_micros = 24 * 60 * kMicrosPerMinute;  // older is not told (the market's time)
  // Connections that resume from the journal at once, and those whose statement comes from it: each
  // holds a page. Beyond it: kHistoryBusy, with retry_after_us.
  size_t readers_max = 256;
  int64_t retry_micros = kMicrosPerSecond;
  uint32_t page_events = 1'000;
  // A statement is at most so many pages' work; what it has by then is its answer.
  int statement_pages_max = 16;
};

struct GatewayLimits {
  RateLimits client;
  // Operators and settlement, on the admin listener.
  RateLimits admin = {.requests_per_second = 20'000,
                      .requests_burst = 40'000,
                      .authentications_per_second = 20,
                      .authentications_burst = 100,
                      .in_flight_max = 8'192,
                      .subscriptions_max = 4'096};

  size_t message_bytes_max = 64 * 1024;  // before and after inflation: kFrameTooLarge, close 1009
  // What costs us and carries nothing: kRateLimited, close 1008.
  size_t message_frames_max = 2'048;  // of one message, empty ones too
  int64_t control_frames_per_second = 100;
  int64_t control_frames_burst = 1'000;

  size_t http_header_bytes_max = 8 * 1024;  // 431
  HttpLimits http;
  SharedRateLimits shared;
  AccountOpenLimits account_opens;
  // Each listener counts its own, so that clients take no room from operators and settlement.
  ConnectionLimits client_connections;
  ConnectionLimits admin_connections = {
      .total_max = 128, .per_address_max = 128, .refused_max = 64};

  // A connection's output queue. Beyond `send_queue_public_bytes` book and trades subscriptions
  // skip updates and get a fresh snapshot once the queue is at most half as long; beyond the
  // others, or where something has waited longer than `send_queue_age_max_micros`, the connection
  // is closed with kSlowConsumer and 1008.
  size_t send_queue_public_bytes = 512 * 1024;
  // While more than this waits the connection is not read from: who does not take the answers can
  // ask for no more of them.
  size_t send_queue_pause_bytes = 256 * 1024;
  size_t send_queue_bytes_max = 16 * 1024 * 1024;
  size_t send_queue_messages_max = 65'536;
  // Open orders, or leases, that a subscription begins with: more would not fit into the queue.
  // kSnapshotTooLarge: they are there by pages, and session.resume goes on from there.
  size_t private_snapshot_rows_max = 20'000;
  int64_t send_queue_age_max_micros = 15 * kMicrosPerSecond;
  int socket_send_buffer_bytes = 0;  // SO_SNDBUF; 0: the system's own

  RecentEventsLimits recent_events;  // for each I/O thread
  HistoryLimits history;             // likewise

  // From accept to open, and between HTTP requests: 408 where one has begun, else cut.
  int64_t handshake_timeout_micros = 10 * kMicrosPerSecond;
  // A ping at half of it: kIdleConnection, close 1008.
  int64_t idle_timeout_micros = 60 * kMicrosPerSecond;
  int64_t write_stall_micros = 20 * kMicrosPerSecond;       // a write without progress: cut
  int64_t close_timeout_micros = 5 * kMicrosPerSecond;      // the closing handshake: cut
  int64_t settlement_reply_micros = 10 * kMicrosPerSecond;  // kSettlementDelayed
  int64_t engine_busy_retry_micros = 1'000;                 // retry_after_us of kEngineBusy

  // Probes under way, for each I/O thread; each holds an answer of up to 16 MiB: kRateLimited, with
  // retry_after_us. A challenge has so long to be answered.
  size_t probes_max = 64;
  size_t probes_per_account_max = 32;
  // Of these, for nodes that have proved nothing yet: whoever has a node could fill all of them.
  size_t first_probes_max = 32;
  size_t first_probes_per_account_max = 8;
  // Nodes that an owner has proved, which prove themselves together: kTooManyNodes.
  size_t proved_nodes_max = 32;
  int64_t probes_retry_micros = kMicrosPerSecond;
  int64_t probe_patience_micros = 120 * kMicrosPerSecond;
  // It can be put off for so long: a little more than a called node's others have.
  int64_t probe_wait_micros = 6 * kMicrosPerMinute;
  // The exchange has this, from the begin on and beside the patience, to decide it; the node begins
  // no other one before: no verdict is escaped by a newer probe unless verifying waits for minutes.
  int64_t probe_verdict_micros = 10 * kMicrosPerMinute;

  // Sessions whose orders are cancelled when they end, over all of the gateway: kEngineBusy.
  size_t session_guards_max = 65'536;
};

}  // namespace warpbook::gateway

// What `warpbook demo` is asked for.
#pragma once

#include <cstdint>
#include <string>

namespace warpbook::gateway {

struct DemoOptions {
  std::string connect = "127.0.0.1:7400";
  std::string admin = "127.0.0.1:7401";
  std::string operator_key;      // path of the operator's key
  std::string operator_account;  // an id; empty: beside the key, or the exchange's first account
  std::string keys_directory;    // the members' keys and account ids, kept from run to run
  int64_t seconds = 0;           // 0: until SIGINT or SIGTERM
  int64_t linger_seconds = 0;    // goes on delivering for so long after the last order
  int64_t providers = 16;
  int64_t buyers = 20;
  int64_t actions_per_second = 100;  // of all members together: orders, amends and cancels
  int64_t seed = 1;
  std::string summary_file;       // counts as JSON, written at the end
  std::string acknowledged_file;  // every order acknowledged, as it happens (stats.h)
};

}  // namespace warpbook::gateway

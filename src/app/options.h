// What `pileus serve` can be told, and the defaults. Plain data.
#pragma once

#include <string>
#include <vector>

namespace pileus::app {

inline constexpr const char* kVersion = "0.1.0";
inline constexpr const char* kDefaultListen = "127.0.0.1:4566";

struct ServeOptions {
  std::vector<std::string> listen = {kDefaultListen};  // HOST:PORT, or unix:/path
  std::string data;                                    // directory; "" → default_data_dir()
  std::string account = "000000000000";
  std::string region = "us-east-1";
  bool manual_clock = false;            // --clock manual
  bool aws_quotas = false;              // --quotas aws
  bool power_safe = true;               // --durability power|process
  std::size_t threads = 0;              // event loops; 0: one per core
  std::string runtimes;                 // directory of Lambda runtimes; "" → beside the program
  bool nearest_runtime = false;         // --nearest-runtime
  std::size_t prewarm = 2;              // prepared environments kept per runtime in use; 0: none
  std::size_t max_environments = 1000;  // of functions, on this machine
  std::string prices;                   // a price list (JSON) instead of AWS's
  std::vector<std::string> allowed_hosts;
  std::vector<std::string> allowed_origins;
  std::string log_level = "info";
};

std::string default_data_dir();
// Runs the server until SIGINT or SIGTERM; the exit status.
int serve(const ServeOptions& options);

}  // namespace pileus::app

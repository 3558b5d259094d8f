// The commands of the `pileus` program that talk to a running server. Each prints for people and
// gives the exit status. They use the same public doors as anyone: /_pileus/… and the AWS APIs.
#pragma once

#include <cstdint>
#include <string>

namespace pileus::app {

struct Target {
  std::string listen;  // HOST:PORT of the server
  std::string account = "000000000000";
  std::string region = "us-east-1";
};

int print_env(const Target& target);
int print_status(const Target& target);
int print_bill(const Target& target);
int reset_cloud(const Target& target);
int advance_clock(const Target& target, const std::string& by);
int print_clock(const Target& target);
int list_runtimes(const Target& target);
// Adds a runtime to the directory `runtimes`: from packages of the Debian release that has it.
int add_runtime(const std::string& runtimes, const std::string& name);

struct LogsQuery {
  std::string group;  // a log group, or a function's name
  bool tail = false;  // go on as events arrive
  std::string since = "10m";
  std::string filter;  // CloudWatch Logs filter pattern
};
int print_logs(const Target& target, const LogsQuery& query);

struct DebugQuery {
  std::string function;
  std::uint16_t port = 9229;
};
int debug_function(const Target& target, const DebugQuery& query);

// "90s", "5m", "2h30m", "1d" → microseconds; 0 when it is no duration.
std::int64_t parse_duration_us(const std::string& text);

}  // namespace pileus::app

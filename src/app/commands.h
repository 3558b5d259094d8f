// The commands of the `pileus` program that talk to a running server. Each prints for people and
// gives the exit status. They use the same public doors as anyone: /_pileus/… and the AWS APIs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

struct ExplainQuery {
  std::string principal;  // ARN of a user, a group, a role, or a session of a role
  std::string action;     // "s3:GetObject"
  std::string resource = "*";
  std::vector<std::string> context;  // "aws:SourceIp=10.0.0.1"; a key may come again
};
// Shows which statement of which policy decides; 0: allowed, 1: denied, 2: it cannot be told.
int explain_access(Target target, const ExplainQuery& query);

// "90s", "5m", "2h30m", "1d" → microseconds; 0 when it is no duration.
std::int64_t parse_duration_us(const std::string& text);

}  // namespace pileus::app

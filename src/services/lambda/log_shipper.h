// LogShipper: carries what functions print to CloudWatch Logs, in the name of their execution role,
// off the hot path: lines wait in their stream, at most kFlushAfter, and go in order, one call at a
// time per stream. A stream belongs to the loop of its environment; the counters to any.
#pragma once

#include <mutex>

#include "aws/door.h"
#include "base/task_group.h"
#include "gen/logs/interface.h"

namespace pileus::services::lambda {

inline constexpr auto kFlushAfter = std::chrono::milliseconds(50);
inline constexpr std::size_t kBatchEvents = 10'000;  // of PutLogEvents
inline constexpr std::size_t kBatchBytes = 1'000'000;
inline constexpr std::size_t kEventOverhead = 26;  // as CloudWatch counts
inline constexpr std::size_t kMaxLine = 256 * 1024;
inline constexpr std::size_t kMaxWaiting = 16
                                           << 20;  // bytes of a stream; what comes then is dropped

struct LogStats {
  std::uint64_t lines = 0, dropped = 0, undelivered = 0;
  std::string last_failure;  // why lines were not delivered: "<function role>: <message>"
};

class LogShipper;

// What one environment prints. Shared by the environment and the flush under way.
class LogStream : public std::enable_shared_from_this<LogStream> {
 public:
  struct Target {
    std::string account, region, group, stream;
    std::shared_ptr<const aws::Identity> identity;  // of the role's session
  };
  LogStream(LogShipper& shipper, TaskGroup& group, Target target);

  // One event; a line end is part of it, as in CloudWatch. `time` is the cloud's.
  void write(Time time, std::string line);
  const Target& target() const { return target_; }

 private:
  friend class LogShipper;
  struct Line {
    std::int64_t time;
    std::string text;
  };
  static Task<void> flush(std::shared_ptr<LogStream> self);
  Task<Result<Unit>> put(std::vector<Line> lines);
  Task<Result<Unit>> create();
  std::vector<Line> take_batch();

  LogShipper& shipper_;
  TaskGroup& group_;
  Target target_;
  std::deque<Line> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool flushing_ = false, created_ = false;
};

class LogShipper {
 public:
  LogShipper(aws::Door& door, gen::logs::Logs& logs) : door_(door), logs_(logs) {}
  LogStats stats() const;

 private:
  friend class LogStream;
  void count(std::uint64_t lines, std::uint64_t dropped);
  void failed(const LogStream::Target& target, std::uint64_t lines, const Error& why);
  aws::Door& door_;
  gen::logs::Logs& logs_;
  mutable std::mutex mutex_;  // guards stats_
  LogStats stats_;
};

}  // namespace pileus::services::lambda

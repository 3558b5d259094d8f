// AnswerStream: the bytes of a streamed answer on their way from an environment to whoever invoked
// the function, which may be on another loop. At most kMostUnread bytes wait; who writes then waits
// too. Shared by its two ends; either may go first.
#pragma once

#include <mutex>
#include <string>

#include "base/completion.h"

namespace pileus::services::lambda {

// How a streamed answer ended.
struct StreamEnd {
  bool failed = false;
  std::string error_type, error_body;  // of a failure
  std::string log_tail;                // where asked for
};

class AnswerStream {
 public:
  static constexpr std::size_t kMostUnread = 256 * 1024;

  // --- the environment
  // Success also when the reader has left: a function runs on, as on AWS.
  Task<Result<Unit>> write(std::string bytes);
  void end(StreamEnd how);  // once; later calls are ignored
  std::size_t written() const { return written_; }

  // --- the reader
  Task<Result<std::string>> read();  // "" at the end
  StreamEnd take_end();              // after the end
  void leave();                      // will not read any more

 private:
  bool has_room();
  std::mutex mutex_;  // guards all below but written_: the ends are on two loops
  std::string unread_;
  bool ended_ = false, left_ = false;
  StreamEnd end_;
  Completer<Unit> reader_, writer_;
  std::size_t written_ = 0;  // the environment's
};

}  // namespace pileus::services::lambda

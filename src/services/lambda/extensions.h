// Extensions: those of one environment: who was started from /opt/extensions, who has registered,
// who waits for its next event. It knows when all have done their part; the environment decides
// what follows. Refusals are AWS's: code, wording, 403. Belongs to the environment's loop.
#pragma once

#include <deque>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "base/completion.h"
#include "base/random.h"
#include "services/lambda/records.h"

namespace pileus::services::lambda {

inline constexpr std::size_t kMaxExtensions = 10;

struct Extension {
  enum class State { kStarted, kRegistered, kReady, kRunning, kFailed, kEnded };
  std::string name, id;
  bool external = false;
  int process = -1;  // of the sandbox; external ones
  bool on_invoke = false, on_shutdown = false;
  State state = State::kStarted;
  std::string error_type;  // what it said of its own end
  Completer<std::string> poll;
  std::uint64_t poll_number = 0;
  std::deque<std::string>
      waiting;  // events it has not fetched; at most one INVOKE and the SHUTDOWN
  std::vector<std::string> events() const;
  bool alive() const { return state != State::kEnded; }
};
std::string_view state_name(Extension::State state);  // as AWS's messages have it

class Extensions {
 public:
  explicit Extensions(Random& random) : random_(random) {}

  // An external one was started; its file name is its name.
  void started(std::string name, int process);
  // POST /register. Its id is given here.
  Result<Extension*> enroll(std::string_view name, const std::vector<std::string>& events);
  Result<Extension*> find(std::string_view id);
  // GET /event/next: true when it now waits, having finished what it did.
  Result<std::uint64_t> next(Extension& extension, Completer<std::string> completer);
  void poll_lost(std::string_view id, std::uint64_t number);
  // POST /init/error, /exit/error.
  enum class Stage { kInit, kExit };
  Result<Unit> failed(Extension& extension, Stage stage, std::string error_type);
  Extension* of_process(int process);

  bool enrolled() const;            // every external one has registered
  bool settled() const;             // every one waits for its next event
  void close() { closed_ = true; }  // no internal one can register any more
  void invoke(const std::string& event);
  // To the external ones that asked for it; what is alive and did not is named for its killing.
  std::vector<int> shutdown(const std::string& event);
  bool any() const;  // that has registered
  bool any_external() const;
  bool ended() const;  // no external one is alive
  const std::list<Extension>& all() const { return extensions_; }
  void clear();

 private:
  void give(Extension& extension, std::string event);
  Extension* by_name(std::string_view name, bool external);
  Random& random_;
  std::list<Extension> extensions_;
  bool closed_ = false;
};

// The bodies of events.
struct InvokeFacts {
  std::string request_id, arn, trace;
};
std::string invoke_event(const InvokeFacts& facts, Time deadline);
enum class ShutdownReason { kSpindown, kTimeout, kFailure };
std::string shutdown_event(ShutdownReason reason, Time deadline);

}  // namespace pileus::services::lambda

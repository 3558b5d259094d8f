// Link: the server's end of the launcher's socket. Packets go out from any thread without waiting;
// answers are heard by one thread and handed to whoever waits. Shared by the driver and its
// sandboxes, of which either may go first.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>

#include "sandbox/channel.h"
#include "sandbox/init.h"
#include "sandbox/launcher.h"

namespace pileus::sandbox {

struct Started {
  std::string group;  // the name of its control group
  std::vector<UniqueFd> listeners;
};

class Link {
 public:
  Link(int socket, std::move_only_function<void()> on_death);
  ~Link();

  void send(std::string bytes, std::vector<UniqueFd> fds = {});
  std::uint64_t next_handle();
  // What is awaited for a handle. Any thread; each once per handle.
  Completion<Started> expect_start(std::uint64_t handle);
  Completion<Unit> expect_assignment(std::uint64_t handle);
  Completion<Unit> expect_done(std::uint64_t handle);  // a template, a settling
  Completion<Exit> expect_exit(std::uint64_t handle);  // at once when it is known
  // Of a sandbox that has its assignment: what init answers to a token, and a process' end.
  Completion<UniqueFd> expect_reply(std::uint64_t handle, std::uint32_t token);
  Completion<Exit> expect_end(std::uint64_t handle, std::uint32_t process);  // at once when known
  std::optional<ExitReport> exited(std::uint64_t handle);
  void kill(std::uint64_t handle);
  void forget(std::uint64_t handle);  // kills, and drops every wait

  struct Ready {
    Capabilities capabilities;
    Cgroups cgroups;
    bool tmp_images = false;
  };
  const Ready& ready();                    // waits for it
  bool has_template(std::uint64_t bytes);  // of /tmp, by size
  void add_template(std::uint64_t bytes);
  void stop();

 private:
  struct Sandboxed {
    Completer<Started> start;
    Completer<Unit> assignment;
    Completer<Exit> exit;
    std::optional<ExitReport> report;
    bool gone = false;
    std::map<std::uint32_t, Completer<UniqueFd>> replies;
    std::map<std::uint32_t, Completer<Exit>> ends;
    std::map<std::uint32_t, Exit> ended;  // not asked for yet
  };
  struct Outgoing {
    std::string bytes;
    std::vector<UniqueFd> fds;
  };
  void hear();
  void handle(Packet packet);
  void flush();
  void died();

  const int socket_;
  std::move_only_function<void()> on_death_;
  UniqueFd wake_;
  std::mutex mutex_;  // guards all below
  std::condition_variable is_ready_;
  std::optional<Ready> ready_;
  bool stopping_ = false, dead_ = false;
  std::uint64_t next_ = 1;
  std::unordered_map<std::uint64_t, Sandboxed> sandboxes_;
  std::unordered_map<std::uint64_t, Completer<Unit>> done_;
  std::set<std::uint64_t> templates_;
  std::deque<Outgoing> outbox_;
  std::thread thread_;
};

}  // namespace pileus::sandbox

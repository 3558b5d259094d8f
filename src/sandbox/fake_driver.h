// FakeDriver: sandboxes of nothing, for the unit tests of services. What was asked is recorded; how
// it behaves is scripted by the test. A listener is a real socket on the machine's loopback, so a
// test plays the runtime by connecting to port("runtime"); the output is a real pipe, into which
// the test says what the program would. Any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/sandbox.h"
#include "sandbox/unique_fd.h"

namespace pileus::sandbox {

// One sandbox as the test sees it. Shared by the test and the Sandbox, whichever lives longer.
class FakeWorkload {
 public:
  explicit FakeWorkload(Spec wanted);

  const Spec spec;
  std::optional<Assignment> assignment() const;
  std::uint16_t port(std::string_view listener) const;  // on 127.0.0.1; 0 when there is none
  bool frozen() const;
  int freezes() const;
  int thaws() const;
  bool killed() const;     // by kill() or by being destroyed
  bool destroyed() const;  // its Sandbox is gone
  std::vector<int> signals() const;
  bool released() const;  // the main program goes on: assigned, and released if that was held back
  int clears() const;
  // What was spawned, by id from 1 on.
  struct Beside {
    Process process;
    std::vector<int> signals;
    std::optional<Exit> exit;
  };
  std::map<int, Beside> beside() const;

  // Of the main program, or of one that was spawned.
  void say(std::string_view text, int process = kMainProcess);   // as its stdout and stderr
  void log(std::string_view bytes, int process = kMainProcess);  // into its descriptor for logs
  void exit(Exit exit, int process = kMainProcess);  // the output ends and the wait answers
  void refuse_spawn(Error error);                    // the next spawn() fails with this
  void set_usage(Usage usage);
  void refuse_assignment(Error error);  // the next assign() fails with this

 private:
  friend class FakeSandbox;
  friend class FakeDriver;
  void end(Exit exit);  // with the lock held
  mutable std::mutex mutex_;
  std::optional<Assignment> assignment_;
  std::map<std::string, UniqueFd, std::less<>> listeners_;
  std::map<std::string, std::uint16_t, std::less<>> ports_;
  struct Pipes {
    UniqueFd output_read, output_write, log_read, log_write;
  };
  void open(int process, bool log);  // with the lock held
  void end_beside(int process, Exit exit);
  std::map<int, Pipes> pipes_;
  std::map<int, Beside> beside_;
  std::map<int, Completer<Exit>> beside_waiting_;
  std::optional<Error> refused_spawn_;
  int last_process_ = 0, clears_ = 0;
  bool released_ = false;
  bool frozen_ = false, killed_ = false, destroyed_ = false;
  int freezes_ = 0, thaws_ = 0;
  std::vector<int> signals_;
  std::optional<Exit> exit_;
  Completer<Exit> waiting_;
  Usage usage_;
  std::optional<Error> refused_assignment_;
};

class FakeDriver final : public Driver {
 public:
  using Script = std::function<void(std::shared_ptr<FakeWorkload>)>;

  FakeDriver();
  Task<Result<std::unique_ptr<Sandbox>>> start(Spec spec) override;
  const Capabilities& capabilities() const override { return capabilities_; }

  // What was started, in order.
  std::size_t started() const;
  std::shared_ptr<FakeWorkload> workload(std::size_t index) const;
  std::shared_ptr<FakeWorkload> last() const;
  std::size_t alive() const;  // neither ended nor destroyed

  // Run on the caller's loop, after the fact: at start, and at assignment.
  void on_start(Script script);
  void on_assign(Script script);  // or at release, where the assignment was held back
  using SpawnScript = std::function<void(std::shared_ptr<FakeWorkload>, int process)>;
  void on_spawn(SpawnScript script);
  void refuse_next_start(Error error);
  Capabilities& change_capabilities() { return capabilities_; }

 private:
  friend class FakeSandbox;
  struct Scripts;
  std::shared_ptr<Scripts> scripts_;  // shared with the sandboxes, which may outlive the driver
  mutable std::mutex mutex_;
  Capabilities capabilities_;
  std::vector<std::shared_ptr<FakeWorkload>> workloads_;
  std::optional<Error> refused_;
};

}  // namespace pileus::sandbox

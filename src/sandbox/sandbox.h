// One way to run things: a root file system, processes, limits, a network attachment, log streams.
// Drivers make Sandboxes; the `process` driver is the fast path for functions, `fake` is for tests.
//
// A sandbox is made in two steps, so that the slow part can be done before it is known for whom:
//   start(spec)    namespaces, root, network, limits; with `hold` the program waits at its hold
//   point assign(what)   mounts the code, sets final limits and environment, and lets the program
//   go on
// A sandbox is used by one function version (or task) only, ever; then it is thrown away.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"

namespace pileus::sandbox {

struct Mount {
  std::string source;  // a host directory or file
  std::string target;  // inside, absolute
  bool read_only = true;
};

// A TCP listener made inside the sandbox's network namespace; its descriptor is the server's.
struct ListenerSpec {
  std::string name;     // "runtime", "aws"
  std::string address;  // "127.0.0.1"
  std::uint16_t port = 0;
};

enum class Hold {
  kNone,     // run at once
  kProgram,  // the program is started; it reads its assignment from descriptor 3 (see assign)
  kInit,     // the init process waits and executes the program given by the assignment
};

enum class Outbound {
  kNone,  // only the sandbox's own loopback
  kNat,   // the outside world through the host, never the host's own addresses
};

struct Spec {
  std::string id;    // unique, [A-Za-z0-9-]
  std::string root;  // "" for the host's runtime directories (read-only), else a directory
  std::vector<Mount> mounts;
  std::vector<ListenerSpec> listeners;
  Outbound outbound = Outbound::kNat;
  Hold hold = Hold::kNone;
  std::vector<std::string> argv;  // absolute program; for kInit may be empty until assign
  std::vector<std::pair<std::string, std::string>> environment;
  std::string working_directory = "/";
  std::string hostname = "sandbox";
  std::uint64_t memory_bytes = 128ull << 20;
  std::uint64_t tmp_bytes = 512ull << 20;  // size of /tmp
  std::uint32_t cpu_millis = 1000;         // thousandths of a core
  std::uint32_t max_processes = 1024;      // processes and threads
  std::uint32_t max_files = 1024;
  // With Hold::kProgram: the program may be a fork of a process that has argv loaded already and
  // calls pileus_serve_forks() (zygote_entry.cpp; it is told by a last argument "--zygote"). The
  // name says among whom memory layout and seeds may be shared: one tenant and one program. "":
  // always a process of its own. Whether there is one to fork from is the driver's to decide.
  std::string zygote;
};

struct Assignment {
  std::vector<Mount> mounts;                                     // added now: /var/task, /opt
  std::vector<std::pair<std::string, std::string>> environment;  // the whole environment
  std::vector<std::string> argv;                                 // kInit: what to execute
  std::string working_directory = "/var/task";
  std::uint64_t memory_bytes = 0;  // 0: as in the spec
  std::uint64_t tmp_bytes = 0;
  std::uint32_t cpu_millis = 0;
};

struct Exit {
  int code = 0;  // exit status, when signal is 0
  int signal = 0;
  bool out_of_memory = false;  // the memory limit killed something in it
  int execute_errno = 0;  // the program could not be executed (ENOENT …): it never ran; code is
                          // 127 or 126, as a shell has it
};

struct Usage {
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_peak_bytes = 0;
  Duration cpu{0};
};

class Sandbox {
 public:
  virtual ~Sandbox() = default;  // kills and cleans up
  virtual const std::string& id() const = 0;
  virtual int listener_fd(
      std::string_view name) = 0;  // gives the listening socket away; -1 if none
  virtual int output_fd() = 0;     // stdout and stderr, read end, non-blocking; gives it away
  // For Hold::kProgram the environment goes to the program's descriptor 3 as `KEY=value\0` …, then
  // end of file. May be called once.
  virtual Task<Result<Unit>> assign(Assignment assignment) = 0;
  virtual Task<Result<Exit>> wait() = 0;  // until the main program ends; one waiter
  virtual void kill() = 0;                // everything in it, now
  virtual void signal(int number) = 0;    // the main program
  virtual Task<Result<Unit>> freeze() = 0;
  virtual Task<Result<Unit>> thaw() = 0;  // ~100 µs: it is on the warm path of a frozen one
  virtual Usage usage() = 0;              // reads the cgroup; cheap
  virtual void reset_peak() = 0;          // memory_peak_bytes starts again from now
};

// What this machine lets the driver do; said once at start, and by `pileus status`.
struct Capabilities {
  bool isolation = false;  // namespaces
  bool memory_limit = false, cpu_limit = false, process_limit = false, freezer = false;
  bool outbound = false;
  bool seccomp = false;
  std::string cgroup;                // "v1", "v2", "hybrid", "none"
  std::vector<std::string> missing;  // one sentence each: what cannot be had and what would give it
};

class Driver {
 public:
  virtual ~Driver() = default;
  // errc::kInvalid for a spec that cannot be; errc::kIo for what the machine refused.
  virtual Task<Result<std::unique_ptr<Sandbox>>> start(Spec spec) = 0;
  virtual const Capabilities& capabilities() const = 0;
};

}  // namespace pileus::sandbox

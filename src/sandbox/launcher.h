// Launcher: the small single-threaded process that makes sandboxes, so that the server never forks.
// Launcher::start() forks it at the very start of main, before any thread; the two talk over a
// socket pair. When the server goes, however it goes, the launcher ends every sandbox and removes
// its control groups and its firewall table. When the launcher goes, the server cannot go on.
#pragma once

#include <sys/types.h>

#include <memory>

#include "sandbox/cgroup.h"
#include "sandbox/unique_fd.h"

namespace pileus::sandbox {

class Launcher {
 public:
  // Before any thread exists. errc::kIo when the machine does not let us fork.
  static Result<std::unique_ptr<Launcher>> start();
  ~Launcher();  // ends it with all sandboxes, and waits until nothing is left
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;

  pid_t pid() const { return pid_; }
  int socket() const { return socket_.get(); }

 private:
  Launcher() = default;
  pid_t pid_ = -1;
  UniqueFd socket_;
};

// What the launcher is told once, by the driver.
struct LauncherOptions {
  std::string folder;            // "sandbox" in the server's state: images, mount points
  std::uint32_t pool = 4;        // prepared sandboxes for the usual root and network
  std::uint32_t pool_most = 32;  // as many as were started lately, up to this
  std::uint64_t zygote_bytes = 128ull << 20;  // memory that zygotes may have together
  std::uint64_t tmp_bytes = 512ull << 20;     // their /tmp
  CgroupChoice cgroups = CgroupChoice::kAuto;
  bool outbound = true, tmp_images = true;
  void encode(Writer& out) const;
  static LauncherOptions decode(Reader& in);
};

// Packets between server and launcher. The first byte is the verb, then the sandbox' handle.
enum class Ask : std::uint8_t {
  kConfigure = 1,
  kStart,
  kAssign,
  kKill,
  kSignal,
  kTemplate,
  kSettle,
  kEndZygotes
};
enum class Tell : std::uint8_t {
  kReady = 1,
  kStarted,
  kAssigned,
  kExited,
  kGone,
  kTemplate,
  kSettled
};

struct Source {
  std::string path;
  bool read_only = true;
};
void encode_sources(Writer& out, const std::vector<Source>& sources);
std::vector<Source> decode_sources(Reader& in);

void encode_capabilities(Writer& out, const Capabilities& capabilities);
Capabilities decode_capabilities(Reader& in);

// The launcher process' whole life.
[[noreturn]] void run_launcher(int server_fd);

}  // namespace pileus::sandbox

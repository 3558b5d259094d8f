// What a sandbox costs, beside the bare clone3 + exec of the same program in the same run: start to
// first connection, assignment of a held one, freeze and thaw, memory beside the program's own.
// Usage: sandbox_bench [rounds]; as root for the full isolation.
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstring>

#include "base/manual_loop.h"
#include "base/text.h"
#include "sandbox/process_driver.h"
#include "sandbox/sys.h"

namespace pileus::sandbox {
namespace {

using Steady = std::chrono::steady_clock;
using Series = std::vector<double>;  // microseconds

double micros_since(Steady::time_point start) {
  return std::chrono::duration<double, std::micro>(Steady::now() - start).count();
}

double percentile(Series& series, double share) {
  std::sort(series.begin(), series.end());
  return series[std::min(series.size() - 1, static_cast<std::size_t>(share * static_cast<double>(series.size())))];
}

void line(const char* what, Series series, double floor) {
  const double p50 = percentile(series, 0.5);
  std::printf("%-44s p50 %8.0f us   p99 %8.0f us   x%.1f\n", what, p50, percentile(series, 0.99), floor > 0 ? p50 / floor : 1);
}

struct Bench {
  ManualLoop loop;
  std::unique_ptr<ProcessDriver> driver;
  std::string folder, probe;
  int rounds;

  Spec spec(Hold hold, Outbound outbound) {
    Spec wanted;
    wanted.id = "bench";
    wanted.hold = hold;
    wanted.outbound = outbound;
    wanted.mounts = {{folder, "/var/task", true}};
    wanted.listeners = {{"runtime", "127.0.0.1", 9001}};
    if (hold != Hold::kInit) wanted.argv = {"/var/task/sandbox_probe"};
    return wanted;
  }
  std::unique_ptr<Sandbox> start(Spec wanted) {
    auto sandbox = loop.run(driver->start(std::move(wanted)));
    if (!sandbox) {
      std::printf("start: %s\n", sandbox.error().message().c_str());
      std::exit(1);
    }
    return std::move(*sandbox);
  }
  static void await_connection(Sandbox& sandbox) {
    UniqueFd listener(sandbox.listener_fd("runtime"));
    pollfd watched{listener.get(), POLLIN, 0};
    ::poll(&watched, 1, 10'000);
    UniqueFd(::accept(listener.get(), nullptr, nullptr));
  }
  void settle() { (void)loop.run(driver->settle()); }

  Series floor() {
    Series series;
    for (int i = 0; i < rounds; ++i) {
      const auto from = Steady::now();
      const pid_t pid = clone_process(0);
      if (pid == 0) {
        ::execl(probe.c_str(), "probe", "exit", nullptr);
        ::_exit(1);
      }
      ::waitpid(pid, nullptr, 0);
      series.push_back(micros_since(from));
    }
    return series;
  }
  Series starts(Outbound outbound) {
    Series series;
    for (int i = 0; i < rounds; ++i) {
      const auto from = Steady::now();
      auto sandbox = start(spec(Hold::kNone, outbound));
      await_connection(*sandbox);
      series.push_back(micros_since(from));
      sandbox.reset();
      settle();
    }
    return series;
  }
  void held(Series& assigned, Series& connected) {
    for (int i = 0; i < rounds; ++i) {
      Spec wanted = spec(Hold::kInit, Outbound::kNat);
      Assignment assignment;
      assignment.mounts = std::exchange(wanted.mounts, {});
      assignment.argv = {"/var/task/sandbox_probe"};
      auto sandbox = start(std::move(wanted));
      settle();
      const auto from = Steady::now();
      (void)loop.run(sandbox->assign(std::move(assignment)));
      assigned.push_back(micros_since(from));
      await_connection(*sandbox);
      connected.push_back(micros_since(from));
    }
  }
  void freezing(Series& freezes, Series& thaws) {
    auto sandbox = start(spec(Hold::kNone, Outbound::kNat));
    await_connection(*sandbox);
    for (int i = 0; i < rounds; ++i) {
      auto from = Steady::now();
      (void)loop.run(sandbox->freeze());
      freezes.push_back(micros_since(from));
      from = Steady::now();
      (void)loop.run(sandbox->thaw());
      thaws.push_back(micros_since(from));
    }
  }
  // Idle sandboxes that run the probe: what is charged to each one's group (processes, page tables,
  // kernel objects), and what the kernel's own counters say for all of them.
  void overhead(int count) {
    const auto kernel = [] {
      const std::string text = read_small_file("/proc/meminfo");
      double sum = 0;
      for (const char* key : {"Slab:", "KernelStack:", "PageTables:", "Percpu:", "Buffers:"})
        sum += static_cast<double>(std::strtoll(text.c_str() + text.find(key) + std::strlen(key), nullptr, 10));
      return sum;
    };
    settle();
    std::vector<std::unique_ptr<Sandbox>> all;
    const double before = kernel();
    for (int i = 0; i < count; ++i) {
      all.push_back(start(spec(Hold::kNone, Outbound::kNat)));
      settle();
    }
    double charged = 0;
    for (auto& sandbox : all) charged += static_cast<double>(sandbox->usage().memory_bytes) / 1024;
    std::printf("%-44s %.0f KiB charged to its group with the program's own, %.0f KiB of the kernel's\n", "idle sandbox, each",
                charged / count, (kernel() - before) / count);
  }
  // All at once, more than the pool holds: what the launcher serialises would show.
  void burst(int count) {
    settle();
    const auto from = Steady::now();
    std::vector<std::unique_ptr<Sandbox>> all(static_cast<std::size_t>(count));
    TaskGroup group(loop);
    for (auto& sandbox : all) group.spawn(start_into(*driver, spec(Hold::kNone, Outbound::kNat), sandbox));
    loop.run_until([&] { return group.running() == 0; });
    for (auto& sandbox : all)
      if (sandbox) await_connection(*sandbox);
    std::printf("%-44s %8.0f us for %d, %.0f us each\n", "burst, to the last first connection", micros_since(from), count,
                micros_since(from) / count);
  }
  static Task<void> start_into(ProcessDriver& driver, Spec wanted, std::unique_ptr<Sandbox>& out) {
    auto started = co_await driver.start(std::move(wanted));
    if (started) out = std::move(*started);
    else std::printf("start: %s\n", started.error().message().c_str());
  }
};

int run(Launcher& launcher, int rounds, std::string probe) {
  char name[] = "/tmp/pileus-bench-XXXXXX";
  const std::string folder = ::mkdtemp(name);
  ::chmod(folder.c_str(), 0755);
  copy_readable_tree(probe, folder + "/sandbox_probe");
  ::chmod((folder + "/sandbox_probe").c_str(), 0755);
  const auto from = Steady::now();
  Bench bench{.loop = {}, .driver = make_process_driver(launcher, {.state_dir = folder}), .folder = folder,
              .probe = folder + "/sandbox_probe", .rounds = rounds};
  bench.loop.use_real_time();
  const auto& can = bench.driver->capabilities();
  std::printf("the machine was prepared in %.1f ms\n", micros_since(from) / 1000);
  std::printf("cgroup %s, outbound %d, seccomp %d\n", can.cgroup.c_str(), can.outbound, can.seccomp);
  for (const auto& sentence : can.missing) std::printf("missing: %s\n", sentence.c_str());
  if (!can.isolation) return 1;
  bench.settle();
  Series floor = bench.floor();
  const double bare = percentile(floor, 0.5);
  line("floor: clone3 + exec + exit, no isolation", floor, bare);
  line("start, no outbound, to first connection", bench.starts(Outbound::kNone), bare);
  line("start, with outbound, to first connection", bench.starts(Outbound::kNat), bare);
  Series assigned, connected, freezes, thaws;
  bench.held(assigned, connected);
  line("assign a held one (answer)", assigned, bare);
  line("assign a held one, to first connection", connected, bare);
  bench.freezing(freezes, thaws);
  line("freeze", freezes, bare);
  line("thaw", thaws, bare);
  bench.burst(32);
  bench.overhead(50);
  const std::string memory = read_small_file(str("/proc/", launcher.pid(), "/smaps_rollup"));
  if (const auto at = memory.find("Pss:"); at != std::string::npos)
    std::printf("%-44s %s\n", "launcher, proportional share", memory.substr(at + 4, memory.find('\n', at) - at - 4).c_str());
  bench.driver.reset();
  remove_tree(folder);
  return 0;
}

}  // namespace
}  // namespace pileus::sandbox

int main(int argc, char** argv) {
  auto launcher = pileus::sandbox::Launcher::start();
  if (!launcher) return 1;
  char self[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", self, sizeof self - 1);
  const std::string path(self, size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::string probe = path.substr(0, path.rfind('/')) + "/sandbox_probe";
  return pileus::sandbox::run(**launcher, argc > 1 ? std::atoi(argv[1]) : 200, probe);
}

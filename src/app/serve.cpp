// `pileus serve`: from the first instruction to the last.
#include <signal.h>

#include <cstdio>

#include "app/cloud.h"
#include "app/terminal.h"
#include "base/log.h"
#include "base/text.h"

namespace pileus::app {

namespace {

log::Level level_of(const std::string& name) {
  if (name == "debug") return log::Level::kDebug;
  if (name == "warn") return log::Level::kWarn;
  if (name == "error") return log::Level::kError;
  return log::Level::kInfo;
}

// Signals are taken by the main thread only, when it waits for them.
sigset_t hold_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return set;
}

}  // namespace

int serve(const ServeOptions& options) {
  log::set_level(level_of(options.log_level));
  // Forks, so before there is any thread.
  auto launcher = sandbox::Launcher::start();
  if (!launcher) return complain(launcher.error().message(), "");
  const sigset_t signals = hold_signals();
  Cloud cloud(options, **launcher);
  if (auto started = cloud.start(); !started) {
    const int status = complain(started.error().message(), "");
    cloud.stop();
    return status;
  }
  for (const auto& address : cloud.addresses())
    print(str(bold("pileus " + std::string(kVersion)), " listens on http://", address,
              dim("  (and https)")));
  print(cloud.introduction());
  int number = 0;
  sigwait(&signals, &number);
  print(
      str("\nstopping: requests in flight may finish (at most ", Cloud::kPatience.count(), " s)"));
  cloud.stop();
  return 0;
}

}  // namespace pileus::app

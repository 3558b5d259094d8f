// What `pileus serve` says about itself: what it may do here, and what to type next.
#include <future>

#include "app/cloud.h"
#include "app/terminal.h"
#include "base/text.h"
#include "gen/lambda/interface.h"
#include "sandbox/process_driver.h"
#include "services/lambda/service.h"

namespace pileus::app {

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string isolation_line(const sandbox::Capabilities& able) {
  if (!able.isolation) return red("none: functions would run unprotected, so they are refused");
  std::vector<std::string> limits;
  if (able.memory_limit) limits.emplace_back("memory");
  if (able.cpu_limit) limits.emplace_back("cpu");
  if (able.process_limit) limits.emplace_back("processes");
  if (able.freezer) limits.emplace_back("freezer");
  return str(
      "namespaces", able.seccomp ? ", seccomp" : "",
      limits.empty() ? "; no cgroups" : str(", cgroup ", able.cgroup, " (", joined(limits), ")"));
}

Task<void> collect(services::lambda::LambdaService& lambda,
                   std::promise<std::vector<std::string>>& found) {
  auto status = co_await lambda.status();
  found.set_value(status ? std::move(status->runtimes) : std::vector<std::string>());
}

}  // namespace

std::string Cloud::introduction() {
  std::promise<std::vector<std::string>> found;
  run_and_wait(collect(*lambda_, found));
  const auto ready = found.get_future().get();
  const auto& able = driver_->capabilities();
  std::string out;
  const auto line = [&](const char* label, const std::string& text) {
    std::string name = label;
    name.resize(11, ' ');
    out += str("  ", dim(name), text, "\n");
  };
  line("keeps", str(data_->path(), " · account ", options_.account, " · ", options_.region,
                    manual_clock_ ? " · clock moved by hand" : ""));
  line("isolation", isolation_line(able));
  line("network", able.outbound ? "functions reach the outside world, never this machine"
                                : "functions reach no network but this cloud");
  line("runtimes", ready.empty() ? red("none: pileus runtimes add python3.13") : joined(ready));
  for (const auto& sentence : able.missing) line("missing", sentence);
  line("next", str(bold("eval \"$(pileus env)\""), " && aws lambda list-functions",
                   dim("   (Ctrl-C stops)")));
  if (!out.empty()) out.pop_back();
  return out;
}

}  // namespace pileus::app

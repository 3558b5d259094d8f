// Cloud: the whole house wired together. Made on the main thread after the launcher was forked;
// start() opens the listeners, stop() closes everything in order. The only place that knows which
// room implements which interface.
#pragma once

#include <atomic>
#include <future>
#include <memory>

#include "app/data_dir.h"
#include "app/options.h"
#include "aws/authorizer.h"
#include "aws/door.h"
#include "base/json.h"
#include "sandbox/launcher.h"
#include "services/billing/bill.h"
#include "store/blobs.h"
#include "store/journals.h"
#include "store/records.h"

namespace pileus::services::iam {
class IamService;
}
namespace pileus::services::sts {
class StsService;
}
namespace pileus::services::logs {
class LogsService;
}
namespace pileus::services::lambda {
class LambdaService;
}
namespace pileus::gen::logs {
class LogsClient;
}
namespace pileus::sandbox {
class ProcessDriver;
}

namespace pileus::app {

class Cloud {
 public:
  Cloud(ServeOptions options, sandbox::Launcher& launcher);
  ~Cloud();

  Result<Unit> start();
  void stop();  // waits for requests in flight, at most kPatience
  const std::vector<std::string>& addresses() const { return addresses_; }
  // What `pileus serve` says about itself, for people; waits for the runtimes to be found.
  std::string introduction();

  static constexpr auto kPatience = std::chrono::seconds(10);

 private:
  Result<Unit> open_stores();
  Result<Unit> read_prices();
  Result<Unit> make_clock();
  Result<Unit> keep_clock(Time time);
  Result<Unit> make_services();
  Result<Unit> listen();
  Task<void> start_services(std::promise<Result<Unit>>& ready);
  Task<void> stop_services();
  Task<void> save_uses();
  // Runs a task on the first loop and waits for it: starting and stopping only.
  void run_and_wait(Task<void> task);

  std::optional<net::TlsIdentity> certificate_for(const std::string& name) const;
  Task<net::Response> serve(net::Request& request);
  bool is_owner(const net::Request& request) const;
  Task<net::Response> admin(net::Request& request);
  Task<Result<Json>> admin_answer(std::string method, std::string path, std::string query,
                                  std::string body);
  Task<Result<Json>> reset();
  Task<Result<Json>> advance(std::int64_t by_us);
  Task<Result<Json>> debug(Json wanted);
  Task<Result<Json>> bill(std::string account, std::string region);
  Task<Result<Json>> wait_for_logs(std::string account, std::string region, std::string group,
                                   std::uint64_t seen);
  Json clock_now() const;
  Task<Result<Json>> status();

  const ServeOptions options_;
  sandbox::Launcher& launcher_;
  SystemTime real_;
  mutable SystemRandom random_;  // draws change nothing that can be seen
  std::chrono::nanoseconds started_;
  std::uint32_t owner_uid_;  // besides root, who may use it without known keys
  std::unique_ptr<DataDir> data_;
  std::unique_ptr<ManualClock> manual_clock_;
  std::unique_ptr<RealClock> real_clock_;
  Clock* clock_ = nullptr;
  std::unique_ptr<net::Loops> loops_;
  std::unique_ptr<TaskGroup> group_;  // of the first loop
  std::unique_ptr<store::Records> records_;
  std::unique_ptr<store::Journals> journals_;
  std::unique_ptr<store::Blobs> blobs_;
  std::unique_ptr<net::HttpServer> server_;  // the public listeners
  std::unique_ptr<net::HttpServer>
      sandbox_server_;  // those inside sandboxes: they end with the functions
  std::unique_ptr<aws::Door> door_;
  std::unique_ptr<aws::PolicyAuthorizer> authorizer_;
  std::unique_ptr<sandbox::ProcessDriver> driver_;
  std::unique_ptr<services::iam::IamService> iam_;
  std::unique_ptr<services::sts::StsService> sts_;
  std::unique_ptr<services::logs::LogsService> logs_;
  std::unique_ptr<gen::logs::LogsClient> logs_client_;
  std::unique_ptr<services::lambda::LambdaService> lambda_;
  services::billing::Prices prices_ = services::billing::default_prices();
  std::vector<std::string> addresses_;
  std::atomic<bool> advancing_ = false;
};

}  // namespace pileus::app

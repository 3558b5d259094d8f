// LambdaService: functions behind the AWS API. Control operations read and write records; invoking
// goes through the engine, which holds environments on each function's home loop. Any loop. Made by
// app/, which calls start() once the Door stands and stop() before anything given here goes away.
#pragma once

#include <memory>

#include "aws/door.h"
#include "gen/lambda/interface.h"
#include "gen/logs/interface.h"
#include "net/server.h"
#include "sandbox/sandbox.h"
#include "services/lambda/options.h"
#include "store/blobs.h"
#include "store/journals.h"
#include "store/records.h"

namespace pileus::services::lambda {

// What `pileus status` shows.
struct Status {
  std::vector<std::string> runtimes;
  std::size_t functions = 0;  // in use since the start
  std::size_t environments = 0, busy = 0, frozen = 0, prewarmed = 0, waiting = 0;
  std::uint64_t invocations = 0, errors = 0, timeouts = 0, throttles = 0, cold_starts = 0;
  std::size_t events_waiting = 0, events_running = 0;
  std::uint64_t events_accepted = 0, events_succeeded = 0, events_retried = 0, events_dropped = 0;
  std::string last_dropped_event;
  std::uint64_t log_lines = 0, log_lines_dropped = 0, log_lines_undelivered = 0;
  std::string last_log_failure;  // a role without logs:PutLogEvents, for instance
};

struct Dependencies {
  store::Records& records;
  store::Blobs& blobs;
  store::Journals& journals;
  sandbox::Driver& driver;
  net::Loops& loops;
  net::HttpServer& server;  // runtime API listeners inside sandboxes
  aws::Door& door;          // contexts of internal calls
  aws::Sessions& sessions;  // of execution roles
  gen::logs::Logs& logs;    // a client
  Clock& clock;
  const RealTime& real;
  Random& random;
  net::Handler sandbox_endpoint;  // the AWS APIs as sandboxes see them; verified keys only
};

class LambdaService final : public gen::lambda::Lambda {
 public:
  LambdaService(Dependencies dependencies, Options options);
  ~LambdaService() override;

  // Looks at the machine's runtimes and takes up events that wait since the last run. Once.
  Task<Result<Unit>> start();
  // Before the server drains: environments that wait for events end (their polls would be waited
  // for), the others once they have answered. What is still asked for runs.
  Task<Result<Unit>> quiesce();
  // Ends every environment, delivers logs and meter. Nothing is invoked afterwards.
  Task<Result<Unit>> stop();
  // Forgets everything, with records and blobs being emptied by app/.
  Task<Result<Unit>> reset();
  Task<Result<Status>> status();
  // Looks at the machine's runtimes again (`pileus runtimes add`).
  Task<Result<Unit>> refresh_runtimes();

  // From its next event on the function runs in one environment that waits for a debugger at the
  // port given back (of 127.0.0.1; `port` 0 is any), and nothing of it times out. Until it is
  // stopped, or the server ends. `pileus debug` asks for it.
  Task<Result<std::uint16_t>> debug(std::string account, std::string region, std::string function,
                                    std::uint16_t port);
  Task<Result<Unit>> stop_debugging(std::string account, std::string region, std::string function);

  // For the public listener's ListenOptions::place: where a request to invoke a function is handled
  // without a hop (the loop of the function's name); nullptr for any other request.
  Loop* place(const net::Request& request);

  // Serves Code.Location of GetFunction: GET /_pileus/lambda/code/<token>. The token is the right.
  static constexpr std::string_view kCodePath = "/_pileus/lambda/code/";
  Task<net::Response> serve_code(net::Request& request);

#define PILEUS_LAMBDA(Operation, operation)               \
  Task<Result<gen::lambda::Operation##Output>> operation( \
      aws::Context& context, gen::lambda::Operation##Input input) override;
  // functions.cpp
  PILEUS_LAMBDA(CreateFunction, create_function)
  PILEUS_LAMBDA(GetFunction, get_function)
  PILEUS_LAMBDA(GetFunctionConfiguration, get_function_configuration)
  PILEUS_LAMBDA(UpdateFunctionCode, update_function_code)
  PILEUS_LAMBDA(UpdateFunctionConfiguration, update_function_configuration)
  PILEUS_LAMBDA(ListFunctions, list_functions)
  // deletion.cpp
  PILEUS_LAMBDA(DeleteFunction, delete_function)
  // versions.cpp
  PILEUS_LAMBDA(PublishVersion, publish_version)
  PILEUS_LAMBDA(ListVersionsByFunction, list_versions_by_function)
  // aliases.cpp
  PILEUS_LAMBDA(CreateAlias, create_alias)
  PILEUS_LAMBDA(GetAlias, get_alias)
  PILEUS_LAMBDA(UpdateAlias, update_alias)
  PILEUS_LAMBDA(ListAliases, list_aliases)
  PILEUS_LAMBDA(DeleteAlias, delete_alias)
  // tags.cpp
  PILEUS_LAMBDA(ListTags, list_tags)
  PILEUS_LAMBDA(TagResource, tag_resource)
  PILEUS_LAMBDA(UntagResource, untag_resource)
  // reserved_concurrency.cpp
  PILEUS_LAMBDA(PutFunctionConcurrency, put_function_concurrency)
  PILEUS_LAMBDA(GetFunctionConcurrency, get_function_concurrency)
  PILEUS_LAMBDA(DeleteFunctionConcurrency, delete_function_concurrency)
  // provisioned_concurrency.cpp
  PILEUS_LAMBDA(PutProvisionedConcurrencyConfig, put_provisioned_concurrency_config)
  PILEUS_LAMBDA(GetProvisionedConcurrencyConfig, get_provisioned_concurrency_config)
  PILEUS_LAMBDA(ListProvisionedConcurrencyConfigs, list_provisioned_concurrency_configs)
  PILEUS_LAMBDA(DeleteProvisionedConcurrencyConfig, delete_provisioned_concurrency_config)
  // account.cpp
  PILEUS_LAMBDA(GetAccountSettings, get_account_settings)
  // invoke.cpp
  PILEUS_LAMBDA(Invoke, invoke)
#undef PILEUS_LAMBDA

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pileus::services::lambda

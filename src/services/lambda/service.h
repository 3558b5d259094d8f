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
  // layers.cpp
  PILEUS_LAMBDA(PublishLayerVersion, publish_layer_version)
  PILEUS_LAMBDA(GetLayerVersion, get_layer_version)
  PILEUS_LAMBDA(GetLayerVersionByArn, get_layer_version_by_arn)
  PILEUS_LAMBDA(ListLayers, list_layers)
  PILEUS_LAMBDA(ListLayerVersions, list_layer_versions)
  PILEUS_LAMBDA(DeleteLayerVersion, delete_layer_version)
  // layer_policies.cpp
  PILEUS_LAMBDA(AddLayerVersionPermission, add_layer_version_permission)
  PILEUS_LAMBDA(RemoveLayerVersionPermission, remove_layer_version_permission)
  PILEUS_LAMBDA(GetLayerVersionPolicy, get_layer_version_policy)
  // function_policies.cpp
  PILEUS_LAMBDA(AddPermission, add_permission)
  PILEUS_LAMBDA(RemovePermission, remove_permission)
  PILEUS_LAMBDA(GetPolicy, get_policy)
  PILEUS_LAMBDA(PutResourcePolicy, put_resource_policy)
  PILEUS_LAMBDA(GetResourcePolicy, get_resource_policy)
  PILEUS_LAMBDA(DeleteResourcePolicy, delete_resource_policy)
  // code_signing.cpp
  PILEUS_LAMBDA(CreateCodeSigningConfig, create_code_signing_config)
  PILEUS_LAMBDA(GetCodeSigningConfig, get_code_signing_config)
  PILEUS_LAMBDA(UpdateCodeSigningConfig, update_code_signing_config)
  PILEUS_LAMBDA(DeleteCodeSigningConfig, delete_code_signing_config)
  PILEUS_LAMBDA(ListCodeSigningConfigs, list_code_signing_configs)
  PILEUS_LAMBDA(ListFunctionsByCodeSigningConfig, list_functions_by_code_signing_config)
  // function_code_signing.cpp
  PILEUS_LAMBDA(PutFunctionCodeSigningConfig, put_function_code_signing_config)
  PILEUS_LAMBDA(GetFunctionCodeSigningConfig, get_function_code_signing_config)
  PILEUS_LAMBDA(DeleteFunctionCodeSigningConfig, delete_function_code_signing_config)
  // runtime_management.cpp
  PILEUS_LAMBDA(PutRuntimeManagementConfig, put_runtime_management_config)
  PILEUS_LAMBDA(GetRuntimeManagementConfig, get_runtime_management_config)
  // tags.cpp
  PILEUS_LAMBDA(ListTags, list_tags)
  PILEUS_LAMBDA(TagResource, tag_resource)
  PILEUS_LAMBDA(UntagResource, untag_resource)
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

// The inside of LambdaService: its parts, and what its operations share. Any loop.
#pragma once

#include "services/lambda/async_events.h"
#include "services/lambda/engine.h"
#include "services/lambda/service.h"
#include "services/lambda/url_directory.h"
#include "store/typed.h"

namespace pileus::services::lambda {

class LambdaService::Impl {
 public:
  Impl(Dependencies given, Options chosen);
  ~Impl() { workers.stop(); }  // their jobs use the other parts

  // $LATEST's record; ResourceNotFoundException.
  Task<Result<store::Versioned<Function>>> load_function(FunctionRef ref);
  // The configuration that the reference's qualifier names.
  Task<Result<Configuration>> load_configuration(FunctionRef ref);
  // Load, change, save, and tell the engine; `change` gives AWS's error.
  Task<Result<Function>> update_function(FunctionRef ref,
                                         std::function<Result<Unit>(Function&)> change);
  // Copies $LATEST to a new version, unless nothing changed since the last one.
  Task<Result<Configuration>> publish(FunctionRef ref, std::optional<std::string> description,
                                      std::function<Result<Unit>(const Function&)> check);
  // The role can be passed by the caller and assumed by Lambda.
  Task<Result<Unit>> check_role(aws::Context& context, FunctionRef ref, std::string role);
  // One attempt of publish(): nothing when somebody else saved meanwhile.
  Task<Result<std::optional<Configuration>>> publish_once(
      FunctionRef ref, std::optional<std::string> description,
      std::function<Result<Unit>(const Function&)> check);
  Task<Result<Unit>> delete_version(FunctionRef ref);
  Task<Result<Unit>> delete_all(FunctionRef ref);
  // lambda:InvokeFunction on what the reference names.
  Task<Result<Unit>> authorize_invoke(aws::Context& context, FunctionRef ref);
  // RecursiveInvocationException where the trace has come by too often.
  Task<Result<Unit>> check_recursion(FunctionRef ref, std::string trace);
  // url_configs.cpp, url_serving.cpp
  std::string function_url(const aws::Context& context, const FunctionRef& ref,
                           const FunctionUrl& url);
  Task<Result<Unit>> authorize_url(aws::Context& context, std::string action, FunctionRef ref,
                                   std::optional<std::string> auth_type);
  Task<Result<store::Versioned<FunctionUrl>>> load_url(FunctionRef ref);
  Task<net::Response> answer_url(net::Request* request, aws::Trust trust, UrlHost host,
                                 std::shared_ptr<const KnownUrl> known, std::string request_id);
  Task<Result<Unit>> authorize_url_call(aws::Context* context, const FunctionRef* ref,
                                        std::string auth_type);
  // event_configs.cpp
  Task<Result<Unit>> check_destination(FunctionRef ref, std::string arn);
  Task<Result<Unit>> save_event_config(FunctionRef ref, EventInvokeConfig config);
  Task<Result<store::Versioned<EventInvokeConfig>>> load_event_config(FunctionRef ref);
  // Removes what goes with a function or (with its qualifier) an alias or version: URLs, settings.
  Task<Result<Unit>> remove_belongings(FunctionRef ref);
  // Tells the code store who uses what, and the async events what waits, after a start.
  Task<Result<Unit>> take_up(std::string partition);
  std::string download_url(const aws::Context& context, const Configuration& configuration);

  Dependencies given;
  Options options;
  Workers workers{2};
  CodeStore code;
  Runtimes runtimes;
  LogShipper shipper;
  Machinery machinery;
  Engine engine;
  Destinations destinations;
  AsyncEvents events;
  UrlDirectory urls;
  std::atomic<std::uint16_t> public_port{0};  // 0: not listening yet

  struct Download {
    std::string blob;
    Time until;  // machine time
  };
  std::mutex mutex;  // guards downloads
  std::map<std::string, Download> downloads;
};

std::string code_user(const FunctionRef& ref, std::string_view version);

}  // namespace pileus::services::lambda

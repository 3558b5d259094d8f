// The inside of LambdaService: its parts, and what its operations share. Any loop.
#pragma once

#include "services/lambda/async_events.h"
#include "services/lambda/engine.h"
#include "services/lambda/service.h"
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
  // Changes what a function keeps of the account's concurrency; `others` is what the other
  // functions keep. `more` is written with it.
  Task<Result<Function>> update_concurrency(
      FunctionRef ref, store::Transaction more,
      std::function<Result<Unit>(Concurrency&, std::int64_t others)> change);
  Task<Result<Shares>> shares(FunctionRef ref, int requested);
  // Drops what is provisioned for a version or alias that goes, with `more`.
  Task<Result<Unit>> drop_provisioned(FunctionRef ref, std::string qualifier,
                                      store::Transaction more);
  Task<Result<Unit>> delete_version(FunctionRef ref);
  Task<Result<Unit>> delete_all(FunctionRef ref);
  Task<Result<Unit>> remove_function(FunctionRef ref);
  // Tells the code store who uses what, and the async events what waits, after a start.
  Task<Result<Unit>> take_up(std::string partition);
  // Where a function's code comes from.
  struct Source {
    std::optional<CodeStore::Added> code;
    std::string folder;  // hot reload
    void name_in(Configuration& configuration) const;
  };
  Task<Result<Source>> take_code(std::optional<std::string> zip, std::optional<std::string> folder);
  std::string download_url(const aws::Context& context, const Configuration& configuration);

  Dependencies given;
  Options options;
  Workers workers{2};
  CodeStore code;
  Runtimes runtimes;
  LogShipper shipper;
  Machinery machinery;
  Engine engine;
  AsyncEvents events;

  struct Download {
    std::string blob;
    Time until;  // machine time
  };
  std::mutex mutex;  // guards downloads
  std::map<std::string, Download> downloads;
};

std::string code_user(const FunctionRef& ref, std::string_view version);

}  // namespace pileus::services::lambda

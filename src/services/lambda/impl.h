// The inside of LambdaService: its parts, and what its operations share. Any loop.
#pragma once

#include "gen/lambda/CreateFunction.h"
#include "gen/lambda/UpdateFunctionCode.h"
#include "services/lambda/async_events.h"
#include "services/lambda/code_signing.h"
#include "services/lambda/engine.h"
#include "services/lambda/layer_names.h"
#include "services/lambda/layer_records.h"
#include "services/lambda/service.h"
#include "store/typed.h"

namespace pileus::services::lambda {

// Layers that a function is about to name; their content stays while this is held.
struct LayerClaim {
  std::vector<LayerUse> layers;
  std::vector<CodeStore::Pin> pins;
};

// What an account keeps in a region.
struct Stored {
  std::int64_t bytes = 0, functions = 0;
};
inline constexpr std::int64_t kMaxStoredBytes = 80'530'636'800;

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
  // functions.cpp: the steps of creating and changing.
  Task<Result<Function>> new_function(aws::Context& context, FunctionRef ref,
                                      const gen::lambda::CreateFunctionInput& in);
  Task<Result<Unit>> save_new_function(FunctionRef ref, Function function);
  Task<Result<Function>> save_configuration(FunctionRef ref, std::optional<LayerClaim> claim,
                                            std::function<Result<Unit>(Function&)> change);
  Task<Result<gen::lambda::UpdateFunctionCodeOutput>> try_code(FunctionRef ref,
                                                               Configuration wanted,
                                                               std::string zip);
  Task<Result<Unit>> give_up(FunctionRef ref, Configuration configuration, Error why);
  Task<Result<Unit>> delete_version(FunctionRef ref);
  Task<Result<Unit>> delete_all(FunctionRef ref);
  // Tells the code store who uses what, and the async events what waits, after a start.
  Task<Result<Unit>> take_up(std::string partition);
  std::string download_url(const aws::Context& context, const std::string& blob);
  // What to_output() shows as the runtime's version; "" when it is gone.
  Task<Result<std::string>> runtime_version(Configuration configuration);

  // function_policies.cpp. A decision about a function, version or alias: with its own resource
  // policy and its tags, both from the cache of its home.
  Task<Result<Unit>> authorize(aws::Context& context, FunctionRef ref, std::string action,
                               aws::ConditionValues conditions = {});
  Task<Result<ResourcePolicy>> change_policy(FunctionRef ref,
                                             std::function<Result<Unit>(ResourcePolicy&)> change);
  Task<Result<ResourcePolicy>> load_policy(FunctionRef ref);

  // layers.cpp, layer_policies.cpp. Loads a version and decides with its policy.
  Task<Result<store::Versioned<LayerVersion>>> load_layer(aws::Context& context, LayerRef ref,
                                                          std::string action);
  Task<Result<Unit>> save_layer(LayerRef* ref, LayerVersion* version);
  Task<Result<ResourcePolicy>> change_layer_policy(
      LayerRef ref, std::optional<std::string> revision,
      std::function<Result<Unit>(ResourcePolicy&)> change);

  // layer_use.cpp
  Task<Result<LayerClaim>> claim_layers(aws::Context& context, std::vector<std::string> arns);
  void use_content(const FunctionRef& ref, const Configuration& configuration);  // code and layers
  void use_layers(const FunctionRef& ref, const Configuration& configuration);
  Task<Result<Unit>> release_content(FunctionRef ref, Configuration configuration);
  Task<Result<Unit>> release_layers(FunctionRef ref, Configuration configuration);
  Task<Result<Stored>> stored_code(std::string partition);
  // CodeStorageExceededException, where AWS's quotas hold.
  Task<Result<Unit>> check_storage(std::string partition, std::int64_t more);

  // code_signing.cpp, function_code_signing.cpp
  Task<Result<store::Versioned<CodeSigning>>> load_code_signing(
      aws::Context& context, CodeSigningRef ref, std::string action,
      aws::ConditionValues conditions = {});
  Task<Result<CodeSigning>> update_code_signing(CodeSigningRef ref,
                                                std::function<Result<Unit>(CodeSigning&)> change);
  Task<Result<std::vector<std::string>>> functions_signed_by(CodeSigningRef ref, std::string after,
                                                             std::size_t most);
  Task<Result<CodeSigning>> expect_code_signing(FunctionRef ref, std::string id,
                                                store::Transaction& transaction);
  Task<Result<Unit>> check_signature(FunctionRef ref, std::string id);
  Task<Result<Function>> sign_function(FunctionRef ref, std::string id);

  // tags.cpp
  Task<Result<Unit>> change_tags(
      aws::Context& context, std::string arn, std::string action, aws::ConditionValues conditions,
      std::function<Result<Unit>(std::map<std::string, std::string>&)> change);

  // runtime_management.cpp
  Task<Result<Unit>> follow_runtime(Configuration& configuration);
  Task<Result<Unit>> save_runtime(FunctionRef ref, std::string update, std::string version);

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
Error stale_policy();  // PreconditionFailedException
// Code and layers fit together: InvalidParameterValueException.
Result<Unit> check_unpacked_size(const Configuration& configuration);
Result<std::string> code_signing_id(const aws::Context& context, const FunctionRef& ref,
                                    const std::string& arn);
// Whether a failed commit certainly changed nothing.
bool is_certain(const Error& error);

}  // namespace pileus::services::lambda

// `pileus debug`: the owner's own, beside the AWS APIs.
#include "base/text.h"
#include "services/lambda/impl.h"

namespace pileus::services::lambda {

Task<Result<std::uint16_t>> LambdaService::debug(std::string account, std::string region,
                                                 std::string function, std::uint16_t port) {
  const FunctionRef ref{"aws", account, region, function, ""};
  CO_TRY_ASSIGN(const auto found, co_await impl_->load_function(ref));
  CO_TRY_ASSIGN(const auto runtime, co_await impl_->runtimes.find(found.value.latest.runtime));
  if (!DebugPort::can_debug(runtime->kind))
    co_return fail(invalid(str("Functions in ", runtime->name,
                               " cannot be debugged this way; Node.js and Python ones can.")));
  const std::string state = impl_->options.state_directory;
  std::move_only_function<Result<std::shared_ptr<DebugPort>>()> work =
      [state, port, owner = impl_->options.owner_uid]() -> Result<std::shared_ptr<DebugPort>> {
    TRY(DebugPort::make_folder(state));
    return DebugPort::open(port, owner);
  };
  CO_TRY(co_await impl_->engine.debug(ref, nullptr));  // its port may be the one wanted
  CO_TRY_ASSIGN(auto opened,
                co_await impl_->workers.run<std::shared_ptr<DebugPort>>(std::move(work)));
  const std::uint16_t bound = opened->port();
  CO_TRY(co_await impl_->engine.debug(ref, std::move(opened)));
  co_return bound;
}

Task<Result<Unit>> LambdaService::stop_debugging(std::string account, std::string region,
                                                 std::string function) {
  co_return co_await impl_->engine.debug({"aws", account, region, function, ""}, nullptr);
}

}  // namespace pileus::services::lambda

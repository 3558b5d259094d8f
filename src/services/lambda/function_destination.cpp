#include "services/lambda/function_destination.h"

#include "base/text.h"
#include "gen/lambda/Invoke.h"
#include "gen/lambda/client.h"

namespace pileus::services::lambda {

Task<Result<Unit>> FunctionDestination::check(std::string arn) {
  const auto parts = split(arn, ':');
  if (parts.size() < 7 || parts.size() > 8 || parts[5] != "function" || parts[6].empty())
    co_return fail(invalid(str("The destination ARN ", arn, " is invalid.")));
  co_return Unit{};
}

Task<Result<Unit>> FunctionDestination::send(Delivery delivery) {
  const auto parts = split(delivery.destination, ':');
  aws::Context context(door_.authorizer(), delivery.sender, delivery.sender->account,
                       std::string(parts.at(3)), delivery.id, clock_.now());
  context.trace_header = delivery.trace;
  gen::lambda::InvokeInput in;
  in.function_name = delivery.destination;
  in.invocation_type = "Event";
  in.payload = std::move(delivery.body);
  gen::lambda::LambdaClient client(door_);
  CO_TRY(co_await client.invoke(context, std::move(in)));
  co_return Unit{};
}

}  // namespace pileus::services::lambda

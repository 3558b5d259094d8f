// FunctionDestination: records of events as events of another function.
#pragma once

#include "gen/lambda/interface.h"
#include "services/lambda/destinations.h"

namespace pileus::services::lambda {

class FunctionDestination final : public Destination {
 public:
  FunctionDestination(aws::Door& door, const Clock& clock) : door_(door), clock_(clock) {}
  std::string_view action() const override { return "lambda:InvokeFunction"; }
  Task<Result<Unit>> check(std::string arn) override;
  Task<Result<Unit>> send(Delivery delivery) override;

 private:
  aws::Door& door_;  // where the event goes in, as anybody's
  const Clock& clock_;
};

}  // namespace pileus::services::lambda

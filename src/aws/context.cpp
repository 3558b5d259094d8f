#include "aws/context.h"

#include "base/text.h"

namespace pileus::aws {

Context::Context(Authorizer& authorizer, std::shared_ptr<const Identity> identity,
                 std::string account, std::string region, std::string request_id, Time now)
    : authorizer_(&authorizer),
      identity_(std::move(identity)),
      account_(std::move(account)),
      region_(std::move(region)),
      request_id_(std::move(request_id)),
      now_(now) {}

std::string_view Context::partition() const {
  if (region_.starts_with("cn-")) return "aws-cn";
  if (region_.starts_with("us-gov-")) return "aws-us-gov";
  return "aws";
}

std::string Context::arn(std::string_view service_name, std::string_view resource) const {
  return str("arn:", partition(), ":", service_name, ":", region_, ":", account_, ":", resource);
}

Task<Result<Unit>> Context::authorize(std::string action, std::string resource,
                                      ConditionValues conditions) {
  Authorization request;
  request.action = std::move(action);
  request.resource = std::move(resource);
  request.conditions = std::move(conditions);
  return authorize(std::move(request));
}

namespace {

// arn:partition:service:region:account:resource; "" where it names none.
std::string_view account_of(std::string_view arn) {
  if (!arn.starts_with("arn:")) return {};
  const auto parts = split(arn, ':');
  const bool named = parts.size() > 5 && parts[4].size() == 12 && parse_int(parts[4]);
  return named ? parts[4] : std::string_view();
}

}  // namespace

Task<Result<Unit>> Context::authorize(Authorization request) {
  decided_ = true;
  if (request.resource_account.empty()) request.resource_account = account_of(request.resource);
  if (request.resource_account.empty()) request.resource_account = account_;
  return authorizer_->authorize(*this, std::move(request));
}

void Context::needs_no_authorization(std::string_view) { decided_ = true; }

}  // namespace pileus::aws

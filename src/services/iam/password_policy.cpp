#include "services/iam/password_policy.h"

#include "base/json.h"
#include "gen/iam/DeleteAccountPasswordPolicy.h"
#include "gen/iam/GetAccountPasswordPolicy.h"
#include "gen/iam/UpdateAccountPasswordPolicy.h"
#include "services/iam/errors.h"

namespace pileus::services::iam {

using namespace gen::iam;

Task<Result<std::optional<PasswordPolicyRecord>>> load_password_policy(
    IamState& state, const aws::Context& context) {
  CO_TRY_ASSIGN(auto loaded,
                co_await store::load<PasswordPolicyRecord>(state.records, context.global_key(),
                                                           std::string(kPasswordPolicyRow)));
  if (!loaded) co_return std::optional<PasswordPolicyRecord>();
  co_return std::optional<PasswordPolicyRecord>(std::move(loaded->value));
}

aws::Authorization own_password_request(const std::optional<PasswordPolicyRecord>& policy,
                                        const aws::Context& context, std::string action) {
  aws::Authorization request;
  request.action = std::move(action);
  const aws::Identity& caller = context.identity();
  const bool user = caller.type == aws::Identity::Type::kUser;
  request.resource = user && request.action == "iam:ChangePassword" ? caller.arn : "*";
  if (user && policy && policy->users_may_change)
    request.resource_policy =
        to_text(JsonObject{{"Version", "2012-10-17"},
                           {"Statement", JsonObject{{"Effect", "Allow"},
                                                    {"Principal", JsonObject{{"AWS", caller.arn}}},
                                                    {"Action", request.action},
                                                    {"Resource", "*"}}}});
  return request;
}

Task<Result<UpdateAccountPasswordPolicyOutput>> IamService::update_account_password_policy(
    aws::Context& context, UpdateAccountPasswordPolicyInput in) {
  CO_TRY(co_await context.authorize("iam:UpdateAccountPasswordPolicy", "*"));
  PasswordPolicyRecord policy;
  policy.minimum_length = in.minimum_password_length.value_or(6);
  policy.symbols = in.require_symbols.value_or(false);
  policy.numbers = in.require_numbers.value_or(false);
  policy.uppercase = in.require_uppercase_characters.value_or(false);
  policy.lowercase = in.require_lowercase_characters.value_or(false);
  policy.users_may_change = in.allow_users_to_change_password.value_or(false);
  policy.max_age_days = in.max_password_age;
  policy.reuse_prevention = in.password_reuse_prevention;
  policy.hard_expiry = in.hard_expiry.value_or(false);
  store::Transaction transaction;
  transaction.put(std::string(kPasswordPolicyRow), store::encode(policy));
  CO_TRY(co_await state_->records.commit(context.global_key(), std::move(transaction)));
  co_return UpdateAccountPasswordPolicyOutput{};
}

Task<Result<GetAccountPasswordPolicyOutput>> IamService::get_account_password_policy(
    aws::Context& context, GetAccountPasswordPolicyInput) {
  CO_TRY_ASSIGN(const auto policy, co_await load_password_policy(*state_, context));
  CO_TRY(co_await context.authorize(
      own_password_request(policy, context, "iam:GetAccountPasswordPolicy")));
  if (!policy)
    co_return fail(no_such_entity(
        str("The Password Policy with domain name ", context.account(), " cannot be found.")));
  GetAccountPasswordPolicyOutput output;
  auto& shape = output.password_policy;
  shape.minimum_password_length = policy->minimum_length;
  shape.require_symbols = policy->symbols;
  shape.require_numbers = policy->numbers;
  shape.require_uppercase_characters = policy->uppercase;
  shape.require_lowercase_characters = policy->lowercase;
  shape.allow_users_to_change_password = policy->users_may_change;
  shape.expire_passwords = policy->max_age_days.has_value();
  shape.max_password_age = policy->max_age_days;
  shape.password_reuse_prevention = policy->reuse_prevention;
  shape.hard_expiry = policy->hard_expiry;
  co_return output;
}

Task<Result<DeleteAccountPasswordPolicyOutput>> IamService::delete_account_password_policy(
    aws::Context& context, DeleteAccountPasswordPolicyInput) {
  CO_TRY(co_await context.authorize("iam:DeleteAccountPasswordPolicy", "*"));
  CO_TRY_ASSIGN(const auto policy, co_await load_password_policy(*state_, context));
  if (!policy)
    co_return fail(no_such_entity("The account policy with name PasswordPolicy cannot be found."));
  store::Transaction transaction;
  transaction.remove(std::string(kPasswordPolicyRow));
  CO_TRY(co_await state_->records.commit(context.global_key(), std::move(transaction)));
  co_return DeleteAccountPasswordPolicyOutput{};
}

}  // namespace pileus::services::iam

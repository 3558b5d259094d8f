#include "gen/sts/AssumeRole.h"

#include "aws/arn.h"
#include "services/sts/shapes.h"

namespace pileus::services::sts {

using namespace gen::sts;
using Type = aws::Identity::Type;

namespace {

constexpr std::int32_t kDefaultSeconds = 3600;
constexpr std::int32_t kChainedSeconds = 3600;
constexpr std::size_t kMaxPolicyArns = 10;
constexpr std::size_t kMaxPolicyCharacters = 2048;
constexpr std::size_t kPackedLimit = 2560;  // bytes that policies and tags may take in the token

Error invalid_value(std::string message) {
  return Error("InvalidParameterValue", std::move(message), 400);
}

std::string not_authorized(const aws::Identity& caller, const std::string& role_arn) {
  return str("User: ", caller.arn,
             " is not authorized to perform: sts:AssumeRole on resource: ", role_arn);
}

// What can be refused before anything is looked up.
Result<Unit> check_request(const AssumeRoleInput& in) {
  const auto arn = aws::parse_arn(in.role_arn);
  if (!arn || arn->service != "iam" || arn->resource_type() != "role" || arn->account.empty())
    return fail(validation_error(str(in.role_arn, " is invalid")));
  if (in.provided_contexts && !in.provided_contexts->empty())
    return fail(invalid_value("ProvidedContexts: Pileus knows no context provider; leave it out."));
  if (in.policy && utf8_length(*in.policy) > kMaxPolicyCharacters)
    return fail(
        validation_error(str("1 validation error detected: Value at 'policy' failed to satisfy "
                             "constraint: Member must have length less than or equal to ",
                             kMaxPolicyCharacters)));
  if (in.policy_arns && in.policy_arns->size() > kMaxPolicyArns)
    return fail(
        validation_error(str("1 validation error detected: Value at 'policyArns' failed to satisfy "
                             "constraint: Member must have length less than or equal to ",
                             kMaxPolicyArns)));
  if (in.policy_arns)
    for (const auto& policy : *in.policy_arns)
      if (!policy.arn) return fail(validation_error("Each of PolicyArns must have an arn."));
  if (in.source_identity && to_lower(*in.source_identity).starts_with("aws:"))
    return fail(validation_error("The source identity must not begin with aws:."));
  if (in.policy) {
    auto parsed = aws::policy::parse_policy(*in.policy, aws::policy::Use::kIdentity);
    if (!parsed) return fail(std::move(parsed).error());
  }
  return Unit{};
}

struct SessionTags {
  std::map<std::string, std::string> tags;  // those asked for and those passed on
  std::set<std::string> transitive;
};

bool contains_ignoring_case(const std::map<std::string, std::string>& tags, std::string_view key) {
  return std::ranges::any_of(tags, [&](const auto& tag) { return iequals(tag.first, key); });
}

Result<SessionTags> session_tags(const AssumeRoleInput& in, const aws::Identity& caller) {
  SessionTags out;
  for (const auto& key : caller.transitive_tag_keys) {
    if (const auto tag = caller.tags.find(key); tag != caller.tags.end()) {
      out.tags.insert(*tag);
      out.transitive.insert(key);
    }
  }
  const auto inherited = out.tags;
  if (in.tags) {
    for (const auto& tag : *in.tags) {
      if (to_lower(tag.key).starts_with("aws:"))
        return fail(invalid_value("Tag keys beginning with aws: are reserved."));
      if (contains_ignoring_case(inherited, tag.key))
        return fail(
            invalid_value("One of the specified transitive tag keys can't be set because it "
                          "conflicts with a transitive tag key from the calling session."));
      if (contains_ignoring_case(out.tags, tag.key))
        return fail(invalid_value(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive."));
      out.tags[tag.key] = tag.value;
    }
  }
  if (in.transitive_tag_keys) {
    for (const auto& key : *in.transitive_tag_keys) {
      if (!contains_ignoring_case(out.tags, key))
        return fail(invalid_value(
            "The specified transitive tag key must be included in the requested tags."));
      for (const auto& [name, value] : out.tags)
        if (iequals(name, key)) out.transitive.insert(name);
    }
  }
  return out;
}

aws::ConditionValues conditions_of(const AssumeRoleInput& in, const SessionTags& tags,
                                   const std::string& source_identity, const aws::RoleFacts& role) {
  aws::ConditionValues values = {{"sts:RoleSessionName", {in.role_session_name}}};
  if (in.external_id) values["sts:ExternalId"] = {*in.external_id};
  if (!source_identity.empty()) values["sts:SourceIdentity"] = {source_identity};
  for (const auto& [key, value] : tags.tags) {
    values["aws:RequestTag/" + key] = {value};
    values["aws:TagKeys"].push_back(key);
  }
  for (const auto& key : tags.transitive) values["sts:TransitiveTagKeys"].push_back(key);
  for (const auto& [key, value] : role.tags) {
    values["aws:ResourceTag/" + key] = {value};
    values["iam:ResourceTag/" + key] = {value};
  }
  return values;
}

// The role must trust the caller with each action that the session takes.
Task<Result<Unit>> authorize(aws::Context& context, aws::ConditionValues conditions,
                             std::shared_ptr<const aws::RoleFacts> role,
                             std::vector<std::string> actions) {
  for (const auto& action : actions) {
    aws::Authorization request;
    request.action = action;
    request.resource = role->arn;
    request.resource_account = role->account;
    request.resource_policy = role->trust_policy;
    request.resource_policy_kind = aws::Authorization::ResourcePolicy::kTrust;
    request.conditions = conditions;
    CO_TRY(co_await context.authorize(std::move(request)));
  }
  co_return Unit{};
}

Result<std::int32_t> session_seconds(const AssumeRoleInput& in, const aws::Identity& caller,
                                     const aws::RoleFacts& role) {
  const std::int32_t seconds = in.duration_seconds.value_or(kDefaultSeconds);
  if (caller.type == Type::kAssumedRole && seconds > kChainedSeconds)
    return fail(
        validation_error("The requested DurationSeconds exceeds the 1 hour session limit for "
                         "roles assumed by role chaining."));
  if (seconds > role.max_session_seconds)
    return fail(validation_error(
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."));
  return seconds;
}

// Policies and tags of the session, checked, in per cent of what a token may hold of them.
Task<Result<std::int32_t>> add_policies(StsState& state, AssumeRoleInput in, std::string account,
                                        std::shared_ptr<SessionRecord> session /* the caller's */) {
  std::string packed;
  if (in.policy) {
    session->policies.push_back(*in.policy);
    packed += *in.policy;
  }
  if (in.policy_arns) {
    for (const auto& policy : *in.policy_arns) {
      const auto owner = aws::account_of_arn(*policy.arn);
      CO_TRY_ASSIGN(const auto document, co_await state.principals.managed_policy(*policy.arn));
      if (!document || (owner != account && owner != "aws"))
        co_return fail("MalformedPolicyDocument",
                       str("Policy ", *policy.arn, " does not exist or is not attachable."));
      session->policy_arns.push_back(*policy.arn);
      packed += *policy.arn;
    }
  }
  for (const auto& [key, value] : session->tags) packed += str(key, '=', value, '\n');
  const std::size_t percent = (packed_size(packed) * 100 + kPackedLimit - 1) / kPackedLimit;
  if (percent > 100)
    co_return fail("PackedPolicyTooLarge", str("Packed policy consumes ", percent,
                                               "% of allotted space, please use smaller policy."));
  co_return static_cast<std::int32_t>(percent);
}

}  // namespace

Task<Result<AssumeRoleOutput>> StsService::assume_role(aws::Context& context, AssumeRoleInput in) {
  StsState& state = *state_;
  const aws::Identity& caller = context.identity();
  CO_TRY(check_request(in));
  CO_TRY_ASSIGN(SessionTags tags, session_tags(in, caller));
  CO_TRY_ASSIGN(const auto role, co_await state.principals.find_role(in.role_arn));
  if (!role) co_return fail(access_denied(not_authorized(caller, in.role_arn)));
  const std::string source_identity = in.source_identity.value_or(caller.source_identity);
  // A wrong code is told before the decision: the trust policy may ask for the factor.
  CO_TRY_ASSIGN(const bool mfa, co_await check_mfa(state, caller, in.serial_number, in.token_code));
  std::vector<std::string> actions = {"sts:AssumeRole"};
  if (!tags.tags.empty()) actions.push_back("sts:TagSession");
  if (!source_identity.empty()) actions.push_back("sts:SetSourceIdentity");
  aws::ConditionValues conditions = conditions_of(in, tags, source_identity, *role);
  if (mfa) {
    conditions["aws:MultiFactorAuthPresent"] = {"true"};
    conditions["aws:MultiFactorAuthAge"] = {"0"};
  }
  CO_TRY(co_await authorize(context, std::move(conditions), role, std::move(actions)));
  if (!caller.source_identity.empty() && source_identity != caller.source_identity)
    co_return fail(access_denied(
        "The source identity of a session cannot be changed by assuming another role."));
  CO_TRY_ASSIGN(const std::int32_t seconds, session_seconds(in, caller, *role));

  auto session = std::make_shared<SessionRecord>();
  session->account = role->account;
  session->principal = role->arn;
  session->principal_id = role->id;
  session->name = in.role_session_name;
  session->source_identity = source_identity;
  session->tags = std::move(tags.tags);
  session->transitive = std::move(tags.transitive);
  session->mfa = mfa;
  session->issued = state.clock.now();
  session->expires =
      std::chrono::floor<std::chrono::seconds>(state.real.now() + std::chrono::seconds(seconds));
  CO_TRY_ASSIGN(const std::int32_t packed,
                co_await add_policies(state, in, role->account, session));

  AssumeRoleOutput output;
  output.assumed_role_user = AssumedRoleUser{str(role->id, ':', in.role_session_name),
                                             assumed_role_arn(*role, in.role_session_name)};
  if (packed > 0) output.packed_policy_size = packed;
  if (!source_identity.empty()) output.source_identity = source_identity;
  tell_session(state, std::move(*session), role, in.minimum_session_token_size.value_or(0), output);
  co_return output;
}

}  // namespace pileus::services::sts

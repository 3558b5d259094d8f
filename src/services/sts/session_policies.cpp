#include "services/sts/session_policies.h"

#include "aws/arn.h"

namespace pileus::services::sts {

namespace {

constexpr std::size_t kMaxPolicyArns = 10;
constexpr std::size_t kMaxPolicyCharacters = 2048;
constexpr std::size_t kMaxTags = 50;
constexpr std::size_t kPackedLimit = 2560;  // bytes that policies and tags may take in the token

Error invalid_value(std::string message) {
  return Error("InvalidParameterValue", std::move(message), 400);
}
Error too_long(std::string_view member, std::size_t limit) {
  return validation_error(str("1 validation error detected: Value at '", member,
                              "' failed to satisfy constraint: Member must have length less than "
                              "or equal to ",
                              limit));
}

bool contains_ignoring_case(const std::map<std::string, std::string>& tags, std::string_view key) {
  return std::ranges::any_of(tags, [&](const auto& tag) { return iequals(tag.first, key); });
}

}  // namespace

Result<Unit> check_policies(const GivenPolicies& given) {
  if (given.arns.size() > kMaxPolicyArns) return fail(too_long("policyArns", kMaxPolicyArns));
  if (!given.document) return Unit{};
  if (utf8_length(*given.document) > kMaxPolicyCharacters)
    return fail(too_long("policy", kMaxPolicyCharacters));
  TRY(aws::policy::parse_policy(*given.document, aws::policy::Use::kIdentity));
  return Unit{};
}

Result<SessionTags> make_session_tags(SessionTags inherited, const std::vector<TagPair>& given,
                                      const std::vector<std::string>& transitive) {
  SessionTags out = inherited;
  if (given.size() > kMaxTags) return fail(too_long("tags", kMaxTags));
  for (const auto& [key, value] : given) {
    if (to_lower(key).starts_with("aws:"))
      return fail(invalid_value("Tag keys beginning with aws: are reserved."));
    if (contains_ignoring_case(inherited.tags, key))
      return fail(
          invalid_value("One of the specified transitive tag keys can't be set because it "
                        "conflicts with a transitive tag key from the calling session."));
    if (contains_ignoring_case(out.tags, key))
      return fail(invalid_value(
          "Duplicate tag keys found. Please note that Tag keys are case insensitive."));
    out.tags[key] = value;
  }
  for (const auto& key : transitive) {
    if (!contains_ignoring_case(out.tags, key))
      return fail(invalid_value(
          "The specified transitive tag key must be included in the requested tags."));
    for (const auto& [name, value] : out.tags)
      if (iequals(name, key)) out.transitive.insert(name);
  }
  return out;
}

void add_tag_conditions(const SessionTags& tags, aws::ConditionValues& values) {
  for (const auto& [key, value] : tags.tags) {
    values["aws:RequestTag/" + key] = {value};
    values["aws:TagKeys"].push_back(key);
  }
  for (const auto& key : tags.transitive) values["sts:TransitiveTagKeys"].push_back(key);
}

Task<Result<std::int32_t>> add_policies(StsState& state, GivenPolicies given, std::string account,
                                        std::shared_ptr<SessionRecord> session) {
  std::string packed;
  if (given.document) {
    session->policies.push_back(*given.document);
    packed += *given.document;
  }
  for (const auto& arn : given.arns) {
    const auto owner = aws::account_of_arn(arn);
    CO_TRY_ASSIGN(const auto document, co_await state.principals.managed_policy(arn));
    if (!document || (owner != account && owner != "aws"))
      co_return fail("MalformedPolicyDocument",
                     str("Policy ", arn, " does not exist or is not attachable."));
    session->policy_arns.push_back(arn);
    packed += arn;
  }
  for (const auto& [key, value] : session->tags) packed += str(key, '=', value, '\n');
  const std::size_t percent = (packed_size(packed) * 100 + kPackedLimit - 1) / kPackedLimit;
  if (percent > 100)
    co_return fail("PackedPolicyTooLarge", str("Packed policy consumes ", percent,
                                               "% of allotted space, please use smaller policy."));
  co_return static_cast<std::int32_t>(percent);
}

Result<std::shared_ptr<SessionRecord>> new_role_session(const StsState& state,
                                                        const aws::RoleFacts& role,
                                                        std::string name, SessionTags tags,
                                                        std::int32_t seconds) {
  if (seconds > role.max_session_seconds)
    return fail(validation_error(
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."));
  auto session = std::make_shared<SessionRecord>();
  session->account = role.account;
  session->principal = role.arn;
  session->principal_id = role.id;
  session->name = std::move(name);
  session->tags = std::move(tags.tags);
  session->transitive = std::move(tags.transitive);
  session->issued = state.clock.now();
  session->expires =
      std::chrono::floor<std::chrono::seconds>(state.real.now() + std::chrono::seconds(seconds));
  return session;
}

Task<Result<Unit>> authorize_role(aws::Context& context, aws::ConditionValues conditions,
                                  std::shared_ptr<const aws::RoleFacts> role,
                                  std::vector<std::string> actions,
                                  std::string federated_provider) {
  for (const auto& [key, value] : role->tags) {
    conditions["aws:ResourceTag/" + key] = {value};
    conditions["iam:ResourceTag/" + key] = {value};
  }
  for (const auto& action : actions) {
    aws::Authorization request;
    request.action = action;
    request.resource = role->arn;
    request.resource_account = role->account;
    request.resource_policy = role->trust_policy;
    request.resource_policy_kind = aws::Authorization::ResourcePolicy::kTrust;
    request.conditions = conditions;
    request.federated_provider = federated_provider;
    CO_TRY(co_await context.authorize(std::move(request)));
  }
  co_return Unit{};
}

}  // namespace pileus::services::sts

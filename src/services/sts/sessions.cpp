// Sessions: made, found again by their token, and made for services of this program.
#include "aws/policy/evaluate.h"
#include "services/sts/state.h"

namespace pileus::services::sts {

namespace {

using CredentialPointer = std::shared_ptr<const aws::Credential>;

// `over` wins; keys are equal without regard to case.
void lay_over(std::map<std::string, std::string>& tags,
              const std::map<std::string, std::string>& over) {
  for (const auto& [key, value] : over) {
    std::erase_if(tags, [&](const auto& tag) { return iequals(tag.first, key); });
    tags[key] = value;
  }
}

bool is_federated(const SessionRecord& session) {
  return session.of == SessionRecord::Of::kFederatedUser ||
         session.of == SessionRecord::Of::kFederatedRoot;
}

}  // namespace

std::string assumed_role_arn(const aws::RoleFacts& role, std::string_view session_name) {
  const auto partition = split(role.arn, ':')[1];
  return str("arn:", partition, ":sts::", role.account, ":assumed-role/", role.name, "/",
             session_name);
}

std::string federated_user_arn(std::string_view issuer_arn, std::string_view account,
                               std::string_view name) {
  return str("arn:", split(issuer_arn, ':')[1], ":sts::", account, ":federated-user/", name);
}

std::shared_ptr<const aws::Identity> identity_of(const SessionRecord& session,
                                                 const std::string& access_key_id,
                                                 const aws::RoleFacts* role,
                                                 const aws::UserFacts* user) {
  using Type = aws::Identity::Type;
  auto identity = std::make_shared<aws::Identity>();
  identity->account = session.account;
  identity->access_key_id = access_key_id;
  identity->issued_at = session.issued;
  identity->source_identity = session.source_identity;
  identity->mfa = session.mfa;
  identity->federated_provider = session.federated_provider;
  identity->federation_keys = session.federation_keys;
  if (is_federated(session)) {
    identity->type = Type::kFederatedUser;
    identity->arn = federated_user_arn(session.principal, session.account, session.name);
    identity->user_id = str(session.account, ':', session.name);
    identity->session_name = session.name;
    identity->issuer_arn = session.principal;
    identity->issuer_id = session.principal_id;
    if (user) identity->tags = user->tags;
    lay_over(identity->tags, session.tags);
    identity->session_policies = session.policies;
    identity->session_policy_arns = session.policy_arns;
  } else if (role) {
    identity->type = Type::kAssumedRole;
    identity->arn = assumed_role_arn(*role, session.name);
    identity->user_id = str(role->id, ':', session.name);
    identity->role_arn = role->arn;
    identity->session_name = session.name;
    identity->tags = role->tags;
    lay_over(identity->tags, session.tags);
    identity->transitive_tag_keys = session.transitive;
    identity->session_policies = session.policies;
    identity->session_policy_arns = session.policy_arns;
  } else if (user) {
    identity->type = Type::kUser;
    identity->arn = user->arn;
    identity->user_id = user->id;
    identity->user_name = user->name;
    identity->tags = user->tags;
  } else {
    identity->type = Type::kRoot;
    identity->arn = session.principal;
    identity->user_id = session.account;
  }
  return identity;
}

namespace {

CredentialPointer credential_of(const SessionRecord& session, const std::string& token,
                                std::shared_ptr<const aws::Identity> identity) {
  auto credential = std::make_shared<aws::Credential>();
  credential->secret = session.secret;
  credential->session_token = token;
  credential->expires = session.expires;
  credential->identity = std::move(identity);
  return credential;
}

// The token is ours, the role or user is gone: refused, not taken for a stranger's.
CredentialPointer ended_session() {
  static const auto kEnded = [] {
    auto credential = std::make_shared<aws::Credential>();
    credential->active = false;
    credential->identity = std::make_shared<aws::Identity>();
    return credential;
  }();
  return kEnded;
}

// The role or user that the session is of, as it is now; `gone` where it is not the same any more.
struct Facts {
  std::shared_ptr<const aws::RoleFacts> role;  // shared with Principals
  std::shared_ptr<const aws::UserFacts> user;
  bool gone = false;
  std::shared_ptr<const void> pointer() const {
    if (role) return role;
    return user;
  }
};
Task<Result<Facts>> facts_of(StsState& state, SessionRecord session) {
  Facts facts;
  if (session.of == SessionRecord::Of::kRole) {
    CO_TRY_ASSIGN(facts.role, co_await state.principals.find_role(session.principal));
    facts.gone = !facts.role || facts.role->id != session.principal_id;
  } else if (session.of == SessionRecord::Of::kUser ||
             session.of == SessionRecord::Of::kFederatedUser) {
    CO_TRY_ASSIGN(facts.user, co_await state.principals.find_user(session.principal));
    facts.gone = !facts.user || facts.user->id != session.principal_id;
  }
  co_return facts;
}

// Reads the token, or looks again whether a session that is known may go on.
Task<Result<CredentialPointer>> find_session(StsState* state, std::string access_key_id,
                                             std::string token) {
  const auto now = state->real.monotonic();
  const auto generation = state->principals.generation();
  const auto found = state->sessions.get(access_key_id, now);
  const KnownSession* known = found && found->value->token == token ? found->value.get() : nullptr;
  if (known && known->generation == generation && now < known->recheck) co_return known->credential;
  auto record = known ? known->record : read_token(state->sealer, token, access_key_id);
  if (!record) co_return CredentialPointer();
  const auto ticket = state->sessions.ticket();
  CO_TRY_ASSIGN(const Facts facts, co_await facts_of(*state, *record));
  if (facts.gone) {
    state->sessions.drop(access_key_id);
    co_return ended_session();
  }
  auto session = std::make_shared<KnownSession>();
  if (known && known->facts == facts.pointer()) {
    session->credential = known->credential;
  } else {
    session->credential = credential_of(
        *record, token, identity_of(*record, access_key_id, facts.role.get(), facts.user.get()));
  }
  session->record = std::move(*record);
  session->token = std::move(token);
  session->facts = facts.pointer();
  session->generation = generation;
  session->recheck = now + StsState::kBelieved;
  state->sessions.put(access_key_id, session, ticket, std::chrono::nanoseconds::max());
  co_return session->credential;
}

}  // namespace

StsState::Issued StsState::issue(SessionRecord record, std::shared_ptr<const aws::RoleFacts> role,
                                 std::size_t least_token_size) {
  Issued issued;
  issued.access_key_id = aws::make_access_key_id(aws::kTemporaryKeyPrefix, record.account, random);
  record.secret = issued.secret = aws::make_secret_access_key(random);
  issued.token = write_token(sealer, record, issued.access_key_id, least_token_size);
  if (role) issued.identity = identity_of(record, issued.access_key_id, role.get(), nullptr);
  return issued;
}

Task<Result<CredentialPointer>> StsService::find(std::string access_key_id,
                                                 std::string session_token) {
  if (!access_key_id.starts_with(aws::kTemporaryKeyPrefix))
    return state_->keys.find(std::move(access_key_id), std::move(session_token));
  return find_session(state_.get(), std::move(access_key_id), std::move(session_token));
}

void StsService::used(const std::string& access_key_id, const std::string& service,
                      const std::string& region, Time when) {
  if (!access_key_id.starts_with(aws::kTemporaryKeyPrefix))
    return state_->keys.used(access_key_id, service, region, when);
  const auto found = state_->sessions.get(access_key_id, state_->real.monotonic());
  if (!found) return;
  const SessionRecord& record = found->value->record;
  if (record.of == SessionRecord::Of::kRole)
    state_->principals.role_used(record.principal, service, region, when);
  else if (record.of == SessionRecord::Of::kUser)
    state_->principals.user_used(record.principal, service, region, when);
}

namespace {

Result<std::shared_ptr<const aws::policy::Policy>> trust_policy(StsState& state,
                                                                const std::string& text) {
  if (auto found = state.trust_policies.get(text, {})) return std::move(found->value);
  const auto ticket = state.trust_policies.ticket();
  TRY_ASSIGN(auto parsed, aws::policy::parse_policy(text, aws::policy::Use::kTrust));
  auto policy = std::make_shared<const aws::policy::Policy>(std::move(parsed));
  state.trust_policies.put(text, policy, ticket, std::chrono::nanoseconds::max());
  return policy;
}

// Does the role's trust policy let the service assume it?
Result<Unit> decide_for_service(StsState& state, const aws::RoleFacts& role,
                                const aws::SessionRequest& request) {
  TRY_ASSIGN(const auto policy, trust_policy(state, role.trust_policy));
  aws::Identity service;
  service.type = aws::Identity::Type::kService;
  service.arn = service.service = request.service;
  service.account = request.source_account;
  aws::ConditionValues conditions = {{"sts:RoleSessionName", {request.session_name}}};
  if (!request.source_arn.empty()) conditions["aws:SourceArn"] = {request.source_arn};
  if (!request.source_account.empty()) conditions["aws:SourceAccount"] = {request.source_account};
  aws::policy::Request question(service, "sts:AssumeRole", role.arn);
  question.resource_account = role.account;
  question.conditions = &conditions;
  question.now = state.clock.now();
  const aws::policy::AttachedPolicy attached = {policy.get(), "",
                                                aws::policy::AttachedPolicy::Kind::kInline};
  aws::policy::PolicySet set;
  set.resource = &attached;
  set.resource_role = aws::policy::PolicySet::ResourceRole::kTrust;
  if (aws::policy::evaluate(question, set).allowed()) return Unit{};
  return fail(
      access_denied(str("User: ", request.service,
                        " is not authorized to perform: sts:AssumeRole on resource: ", role.arn)));
}

}  // namespace

Task<Result<aws::Session>> StsService::assume(aws::SessionRequest request) {
  StsState& state = *state_;
  CO_TRY_ASSIGN(const auto role, co_await state.principals.find_role(request.role_arn));
  if (!role)
    co_return fail("NoSuchEntity", str("The role ", request.role_arn, " cannot be found."), 404);
  CO_TRY(decide_for_service(state, *role, request));
  SessionRecord record;
  record.account = role->account;
  record.principal = role->arn;
  record.principal_id = role->id;
  record.name = request.session_name;
  record.issued = state.clock.now();
  record.expires = std::chrono::floor<std::chrono::seconds>(state.real.now() + request.lifetime);
  const Time expires = record.expires;
  auto issued = state.issue(std::move(record), role, 0);
  co_return aws::Session{std::move(issued.access_key_id), std::move(issued.secret),
                         std::move(issued.token), expires, std::move(issued.identity)};
}

}  // namespace pileus::services::sts

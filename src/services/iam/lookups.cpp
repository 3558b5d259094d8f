// What the Door, the authorizer and sts ask: keys, policies, roles and users, from the caches.
#include "aws/access_key_id.h"
#include "base/log.h"
#include "services/iam/policy_sources.h"
#include "store/typed.h"

namespace pileus::services::iam {

namespace {

using CredentialPointer = std::shared_ptr<const aws::Credential>;  // shared by all calls of a key
using PoliciesPointer = std::shared_ptr<const aws::PrincipalPolicies>;
using RolePointer = std::shared_ptr<const aws::RoleFacts>;
using UserPointer = std::shared_ptr<const aws::UserFacts>;

// In the place of a document that is gone: what it cut stays cut.
constexpr std::string_view kAllowsNothing =
    R"({"Version":"2012-10-17","Statement":)"
    R"({"Effect":"Allow","Action":"none:Nothing","Resource":"*"}})";

std::string partition_of(std::string_view account) { return str(account, "/global"); }

std::shared_ptr<const aws::Identity> identity_of(const UserRecord& user, const std::string& account,
                                                 const std::string& key_id) {
  auto identity = std::make_shared<aws::Identity>();
  identity->type = aws::Identity::Type::kUser;
  identity->account = account;
  identity->arn = user.arn;
  identity->user_id = user.id;
  identity->access_key_id = key_id;
  identity->user_name = user.name;
  identity->tags = user.tags;
  return identity;
}

// One that was ours and is no more: refused, where a stranger's may be the owner's convenience.
CredentialPointer deleted_key() {
  static const auto kDeleted = [] {
    auto credential = std::make_shared<aws::Credential>();
    credential->active = false;
    credential->identity = std::make_shared<aws::Identity>();
    return credential;
  }();
  return kDeleted;
}

bool same(const aws::Credential& a, const aws::Credential& b) {
  return a.secret == b.secret && a.active == b.active && a.identity->arn == b.identity->arn &&
         a.identity->user_id == b.identity->user_id && a.identity->tags == b.identity->tags;
}

Result<CredentialPointer> make_credential(const IamState& state, const UserRecord& user,
                                          const std::string& account, const std::string& id) {
  for (const auto& key : user.keys) {
    if (key.id != id) continue;
    const auto sealed = from_base64(key.secret);
    auto secret = sealed ? state.sealer.open(*sealed, id) : std::nullopt;
    if (!secret) {
      log::error("an access key's secret does not open with this data directory's master key",
                 {{"access_key_id", id}});
      return fail("ServiceFailure", str("The secret of access key ", id, " cannot be read."), 500);
    }
    auto credential = std::make_shared<aws::Credential>();
    credential->secret = std::move(*secret);
    credential->active = key.active;
    credential->identity = identity_of(user, account, id);
    return credential;
  }
  return CredentialPointer();
}

Task<Result<CredentialPointer>> read_key(IamState& state, std::string account, std::string id) {
  const std::string partition = partition_of(account);
  CO_TRY_ASSIGN(const auto row, co_await state.records.get(partition, access_key_row(id)));
  if (!row) co_return CredentialPointer();
  if (row->value == kDeletedKey) co_return deleted_key();
  CO_TRY_ASSIGN(const auto user, co_await store::load<UserRecord>(state.records, partition,
                                                                  key_of<UserRecord>(row->value)));
  if (!user) co_return CredentialPointer();
  co_return make_credential(state, user->value, account, id);
}

}  // namespace

Task<Result<CredentialPointer>> IamService::find(std::string access_key_id,
                                                 std::string session_token) {
  IamState& state = *state_;
  if (!session_token.empty()) {  // long-lived keys carry none, so this is not how ours is used
    CO_TRY_ASSIGN(const auto ours, co_await find(std::move(access_key_id), ""));
    co_return ours ? deleted_key() : nullptr;
  }
  const auto now = state.real.monotonic();
  const auto known = state.keys.get(access_key_id, now);
  if (known && known->fresh) co_return known->value;
  auto account = aws::account_of_access_key(access_key_id);
  if (!account || !access_key_id.starts_with(aws::kLongLivedKeyPrefix))
    co_return CredentialPointer();
  if (const auto unknown = state.unknown_keys.get(access_key_id, now); unknown && unknown->fresh)
    co_return CredentialPointer();
  const auto ticket = state.keys.ticket();
  const auto unknown_ticket = state.unknown_keys.ticket();
  CO_TRY_ASSIGN(auto credential, co_await read_key(state, std::move(*account), access_key_id));
  if (!credential) {
    state.unknown_keys.put(access_key_id, true, unknown_ticket, now + IamState::kBelieveUnknown);
    co_return credential;
  }
  if (known && known->value && same(*known->value, *credential)) credential = known->value;
  state.keys.put(access_key_id, credential, ticket, state.expiry());
  co_return credential;
}

namespace {

// The inline and attached policies of a user, a group or a role.
template <class T>
Task<Result<Unit>> add_policies(IamState& state, T entity,
                                std::shared_ptr<aws::PrincipalPolicies> out /* the caller's */) {
  for (const auto& [name, document] : entity.inline_policies)
    out->identity.push_back({name, document});
  for (const auto& arn : entity.attached) {
    CO_TRY_ASSIGN(auto policy, co_await read_managed(state, arn));
    if (policy) out->identity.push_back(std::move(*policy));
  }
  if constexpr (requires { entity.boundary; }) {
    if (!entity.boundary.empty()) {
      CO_TRY_ASSIGN(auto policy, co_await read_managed(state, entity.boundary));
      // A boundary that cannot be found lets nothing through.
      out->boundary = policy ? std::move(*policy)
                             : aws::NamedPolicy{entity.boundary, std::string(kAllowsNothing)};
    }
  }
  co_return Unit{};
}

template <class T>
Task<Result<std::optional<T>>> read_principal(IamState& state, std::string account,
                                              std::string name, std::string arn, std::string id) {
  CO_TRY_ASSIGN(auto loaded,
                co_await store::load<T>(state.records, partition_of(account), key_of<T>(name)));
  if (!loaded || loaded->value.arn != arn || loaded->value.id != id) co_return std::optional<T>();
  co_return std::optional<T>(std::move(loaded->value));
}

Task<Result<Unit>> add_groups(IamState& state, std::string account, std::set<std::string> ids,
                              std::shared_ptr<aws::PrincipalPolicies> out /* the caller's */) {
  const std::string partition = partition_of(account);
  for (const auto& id : ids) {
    CO_TRY_ASSIGN(const auto row, co_await state.records.get(partition, group_id_row(id)));
    if (!row) continue;
    CO_TRY_ASSIGN(auto group, co_await store::load<GroupRecord>(state.records, partition,
                                                                key_of<GroupRecord>(row->value)));
    if (group) CO_TRY(co_await add_policies(state, std::move(group->value), out));
  }
  co_return Unit{};
}

// What applies to the user or the role; a principal that is gone has nothing.
Task<Result<std::shared_ptr<aws::PrincipalPolicies>>> read_policies(
    IamState& state, std::string arn, std::string id, std::vector<std::string> session_arns) {
  auto out = std::make_shared<aws::PrincipalPolicies>();
  const auto parsed = parse_entity_arn(arn);
  if (parsed && parsed->kind == UserRecord::kKind) {
    CO_TRY_ASSIGN(auto user, co_await read_principal<UserRecord>(state, parsed->account,
                                                                 parsed->name, arn, id));
    if (user) {
      CO_TRY(co_await add_policies(state, *user, out));
      CO_TRY(co_await add_groups(state, parsed->account, user->groups, out));
    }
  } else if (parsed && parsed->kind == RoleRecord::kKind) {
    CO_TRY_ASSIGN(auto role, co_await read_principal<RoleRecord>(state, parsed->account,
                                                                 parsed->name, arn, id));
    if (role) CO_TRY(co_await add_policies(state, std::move(*role), out));
  }
  for (const auto& session_arn : session_arns) {
    CO_TRY_ASSIGN(auto policy, co_await read_managed(state, session_arn));
    // One that is gone stays as a name that allows nothing: the session is cut by it all the same.
    out->session_managed.push_back(
        policy ? std::move(*policy) : aws::NamedPolicy{session_arn, std::string(kAllowsNothing)});
  }
  co_return out;
}

bool same(const std::vector<aws::NamedPolicy>& a, const std::vector<aws::NamedPolicy>& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.name == y.name && x.document == y.document;
  });
}
bool same(const aws::PrincipalPolicies& a, const aws::PrincipalPolicies& b) {
  const bool boundary = a.boundary.has_value() == b.boundary.has_value() &&
                        (!a.boundary || (a.boundary->name == b.boundary->name &&
                                         a.boundary->document == b.boundary->document));
  return boundary && same(a.identity, b.identity) && same(a.session_managed, b.session_managed);
}

}  // namespace

Task<Result<PoliciesPointer>> IamService::of(const aws::Identity& identity) {
  IamState& state = *state_;
  const bool is_role = identity.type == aws::Identity::Type::kAssumedRole;
  const bool is_federated = identity.type == aws::Identity::Type::kFederatedUser;
  if (!is_role && !is_federated && identity.type != aws::Identity::Type::kUser) {
    static const auto kNone = std::make_shared<const aws::PrincipalPolicies>();
    co_return kNone;
  }
  std::string arn = is_role ? identity.role_arn : identity.arn;
  std::string id = identity.user_id.substr(0, identity.user_id.find(':'));
  if (is_federated) {  // the user's own, and the session policies
    arn = identity.issuer_arn;
    id = identity.issuer_id;
  }
  std::string key = IamState::principal_key(arn, id);
  for (const auto& session_arn : identity.session_policy_arns) key += "|" + session_arn;
  auto& cache = identity.session_policy_arns.empty() ? state.policies : state.session_policies;
  const auto known = cache.get(key, state.real.monotonic());
  if (known && known->fresh) co_return known->value;
  const auto ticket = cache.ticket();
  CO_TRY_ASSIGN(auto read, co_await read_policies(state, std::move(arn), std::move(id),
                                                  identity.session_policy_arns));
  PoliciesPointer policies;
  if (known && same(*known->value, *read)) {
    policies = known->value;
  } else {
    read->version = state.policies_version.fetch_add(1, std::memory_order_relaxed) + 1;
    policies = std::move(read);
  }
  cache.put(key, policies, ticket, state.expiry());
  co_return policies;
}

namespace {

Task<Result<RolePointer>> read_role(IamState& state, EntityArn name, std::string arn) {
  CO_TRY_ASSIGN(auto loaded,
                co_await store::load<RoleRecord>(state.records, partition_of(name.account),
                                                 key_of<RoleRecord>(name.name)));
  if (!loaded || loaded->value.arn != arn) co_return RolePointer();
  RoleRecord& role = loaded->value;
  auto facts = std::make_shared<aws::RoleFacts>();
  facts->arn = std::move(role.arn);
  facts->id = std::move(role.id);
  facts->name = std::move(role.name);
  facts->path = std::move(role.path);
  facts->account = name.account;
  facts->trust_policy = std::move(role.trust_policy);
  facts->max_session_seconds = role.max_session_seconds;
  facts->tags = std::move(role.tags);
  co_return RolePointer(std::move(facts));
}

Task<Result<UserPointer>> read_user(IamState& state, EntityArn name, std::string arn) {
  CO_TRY_ASSIGN(auto loaded,
                co_await store::load<UserRecord>(state.records, partition_of(name.account),
                                                 key_of<UserRecord>(name.name)));
  if (!loaded || loaded->value.arn != arn) co_return UserPointer();
  UserRecord& user = loaded->value;
  auto facts = std::make_shared<aws::UserFacts>();
  facts->arn = std::move(user.arn);
  facts->id = std::move(user.id);
  facts->name = std::move(user.name);
  facts->path = std::move(user.path);
  facts->account = name.account;
  facts->tags = std::move(user.tags);
  co_return UserPointer(std::move(facts));
}

bool same(const aws::RoleFacts& a, const aws::RoleFacts& b) {
  return a.id == b.id && a.name == b.name && a.trust_policy == b.trust_policy &&
         a.max_session_seconds == b.max_session_seconds && a.tags == b.tags;
}
bool same(const aws::UserFacts& a, const aws::UserFacts& b) {
  return a.id == b.id && a.name == b.name && a.tags == b.tags;
}

template <class Facts>
Task<Result<std::shared_ptr<const Facts>>> find_facts(
    IamState& state, aws::Cache<std::string, std::shared_ptr<const Facts>>& cache,
    std::string_view kind, std::string arn,
    Task<Result<std::shared_ptr<const Facts>>> (*read)(IamState&, EntityArn, std::string)) {
  const auto known = cache.get(arn, state.real.monotonic());
  if (known && known->fresh) co_return known->value;
  auto parsed = parse_entity_arn(arn);
  if (!parsed || parsed->kind != kind) co_return std::shared_ptr<const Facts>();
  const auto ticket = cache.ticket();
  CO_TRY_ASSIGN(auto facts, co_await read(state, std::move(*parsed), arn));
  if (known) {
    if (facts && known->value && same(*facts, *known->value)) facts = known->value;
    // Another node changed it: who built on the facts must look again.
    else if (facts || known->value)
      state.generation.fetch_add(1, std::memory_order_acq_rel);
  }
  cache.put(arn, facts, ticket, state.expiry());
  co_return facts;
}

}  // namespace

Task<Result<RolePointer>> IamService::find_role(std::string arn) {
  return find_facts<aws::RoleFacts>(*state_, state_->roles, RoleRecord::kKind, std::move(arn),
                                    &read_role);
}

Task<Result<UserPointer>> IamService::find_user(std::string arn) {
  return find_facts<aws::UserFacts>(*state_, state_->users, UserRecord::kKind, std::move(arn),
                                    &read_user);
}

Task<Result<std::optional<std::string>>> IamService::managed_policy(std::string arn) {
  CO_TRY_ASSIGN(auto policy, co_await read_managed(*state_, std::move(arn)));
  if (!policy) co_return std::optional<std::string>();
  co_return std::optional<std::string>(std::move(policy->document));
}

Task<Result<std::optional<std::string>>> IamService::outbound_issuer(std::string account) {
  CO_TRY_ASSIGN(const auto loaded,
                co_await store::load<PreferencesRecord>(state_->records, partition_of(account),
                                                        std::string(kPreferencesRow)));
  if (!loaded || !loaded->value.outbound_enabled) co_return std::optional<std::string>();
  co_return std::optional<std::string>(loaded->value.outbound_issuer);
}

}  // namespace pileus::services::iam

#include "aws/authorizer.h"

#include "aws/cache.h"
#include "aws/policy/evaluate.h"
#include "base/log.h"

namespace pileus::aws {

namespace {

using policy::AttachedPolicy;
using policy::Policy;
using Type = Identity::Type;

constexpr std::chrono::nanoseconds kNever = std::chrono::nanoseconds::max();

// The policies of a principal, compiled. `source` is kept so that its address names only it.
struct Compiled {
  std::shared_ptr<const PrincipalPolicies> source;  // shared with Policies
  std::deque<Policy> policies;                      // stable addresses for the views below
  std::vector<AttachedPolicy> identity;
  std::optional<AttachedPolicy> boundary;
  std::vector<AttachedPolicy> session_managed;

  Result<AttachedPolicy> attach(const NamedPolicy& named) {
    TRY_ASSIGN(Policy parsed, policy::parse_policy(named.document, policy::Use::kIdentity));
    policies.push_back(std::move(parsed));
    return AttachedPolicy{&policies.back(), named.name,
                          named.name.starts_with("arn:") ? AttachedPolicy::Kind::kManaged
                                                         : AttachedPolicy::Kind::kInline};
  }
};

Result<std::shared_ptr<const Compiled>> compile(std::shared_ptr<const PrincipalPolicies> source) {
  auto compiled = std::make_shared<Compiled>();
  for (const auto& named : source->identity) {
    TRY_ASSIGN(auto attached, compiled->attach(named));
    compiled->identity.push_back(std::move(attached));
  }
  if (source->boundary) {
    TRY_ASSIGN(compiled->boundary, compiled->attach(*source->boundary));
  }
  for (const auto& named : source->session_managed) {
    TRY_ASSIGN(auto attached, compiled->attach(named));
    compiled->session_managed.push_back(std::move(attached));
  }
  compiled->source = std::move(source);
  return std::shared_ptr<const Compiled>(std::move(compiled));
}

// A stored policy that does not parse is a bug (it was checked when it came): nothing is decided.
std::unexpected<Error> broken_policy(const Error& error) {
  log::error("a stored policy does not parse", {{"error", error.message()}});
  return fail("InternalFailure", "A policy that applies to this call cannot be read.", 500);
}

void add_condition(ConditionValues& conditions, const char* name, const std::string& value) {
  if (!value.empty()) conditions.try_emplace(name, std::vector<std::string>{value});
}

// What the call itself gives; what follows from the principal is the evaluator's.
void add_context(const Context& context, ConditionValues& conditions) {
  if (!context.internal) {
    add_condition(conditions, "aws:SourceIp", context.source_ip);
    add_condition(conditions, "aws:UserAgent", context.user_agent);
    add_condition(conditions, "aws:SecureTransport", context.secure_transport ? "true" : "false");
  }
  for (const auto& [key, values] : context.identity().federation_keys)
    conditions.try_emplace(key, values);
  add_condition(conditions, "aws:RequestedRegion", context.region());
  add_condition(conditions, "aws:SourceArn", context.source_arn);
  add_condition(conditions, "aws:SourceAccount", context.source_account);
  if (context.called_via.empty()) return;
  conditions.try_emplace("aws:CalledVia", context.called_via);
  add_condition(conditions, "aws:CalledViaFirst", context.called_via.front());
  add_condition(conditions, "aws:CalledViaLast", context.called_via.back());
  add_condition(conditions, "aws:ViaAWSService", "true");
}

// "lambda.amazonaws.com" and "lambda:InvokeFunction".
bool is_own_action(const Identity& identity, std::string_view action) {
  if (identity.type != Type::kService) return false;
  const std::string_view service = identity.service;
  const auto dot = service.find('.');
  return dot != std::string_view::npos && dot > 0 &&
         iequals(action.substr(0, action.find(':')), service.substr(0, dot));
}

// IAM User Guide, "Comparing AWS STS API operations": GetSessionToken, GetFederationToken.
bool is_weak_session_for(const Identity& identity, std::string_view action) {
  if (!action.starts_with("iam:")) return false;
  if (identity.type == Type::kFederatedUser) return true;
  const bool session =
      (identity.type == Type::kUser || identity.type == Type::kRoot) && identity.issued_at;
  return session && !identity.mfa;
}

// A federated user asks STS nothing but who it is, which needs no decision.
bool is_closed_to(const Identity& identity, std::string_view action) {
  return identity.type == Type::kFederatedUser && action.starts_with("sts:");
}

// What the root lets its federated users do: all that their session policies allow.
std::span<const AttachedPolicy> root_policies() {
  static const Policy kEverything =
      policy::parse_policy(R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",)"
                           R"("Action":"*","Resource":"*"}})",
                           policy::Use::kIdentity)
          .value();
  static const AttachedPolicy kAttached[] = {{&kEverything, "", AttachedPolicy::Kind::kInline}};
  return kAttached;
}
bool is_federated_by_root(const Identity& identity) {
  return identity.type == Type::kFederatedUser && identity.issuer_arn.ends_with(":root");
}

Error denial(const Context& context, std::string message) {
  const Protocol protocol = context.service && !context.service->protocols.empty()
                                ? context.service->protocols.front()
                                : Protocol::kQuery;
  switch (protocol) {
    case Protocol::kQuery:
    case Protocol::kRestXml:
      return Error("AccessDenied", std::move(message), 403);
    case Protocol::kEc2:
      return Error("UnauthorizedOperation",
                   "You are not authorized to perform this operation. " + message, 403);
    default:
      return Error("AccessDeniedException", std::move(message), 403);
  }
}

}  // namespace

class PolicyAuthorizer::Impl {
 public:
  Impl(Policies& of, const AuthorizationMessages* with) : policies(of), messages(with) {}

  Result<std::shared_ptr<const Compiled>> compiled(
      std::shared_ptr<const PrincipalPolicies> source) {
    const PrincipalPolicies* key = source.get();
    if (auto found = principals.get(key, {})) return std::move(found->value);
    const auto ticket = principals.ticket();
    auto made = compile(std::move(source));
    if (!made) return broken_policy(made.error());
    principals.put(key, *made, ticket, kNever);
    return std::move(*made);
  }

  Result<std::shared_ptr<const Policy>> document(const std::string& text, policy::Use use) {
    std::string key = static_cast<char>('0' + static_cast<int>(use)) + text;
    if (auto found = documents.get(key, {})) return std::move(found->value);
    const auto ticket = documents.ticket();
    auto parsed = policy::parse_policy(text, use);
    if (!parsed) return broken_policy(parsed.error());
    auto made = std::make_shared<const Policy>(std::move(*parsed));
    documents.put(key, made, ticket, kNever);
    return made;
  }

  Policies& policies;
  const AuthorizationMessages* const messages;  // nullptr: none are made
  Cache<const PrincipalPolicies*, std::shared_ptr<const Compiled>> principals{kMaxPrincipals};
  Cache<std::string, std::shared_ptr<const Policy>> documents{kMaxResourcePolicies};
};

PolicyAuthorizer::PolicyAuthorizer(Policies& policies, const AuthorizationMessages* messages)
    : impl_(std::make_unique<Impl>(policies, messages)) {}
PolicyAuthorizer::~PolicyAuthorizer() = default;

void PolicyAuthorizer::forget() {
  impl_->principals.clear();
  impl_->documents.clear();
}

namespace {

// Everything that one evaluation borrows.
struct Applying {
  std::shared_ptr<const Compiled> principal;             // shared with the cache
  std::vector<std::shared_ptr<const Policy>> documents;  // shared with the cache
  AttachedPolicy resource;
  std::vector<AttachedPolicy> session;
  policy::PolicySet set;
};

policy::PolicySet::ResourceRole role_of(Authorization::ResourcePolicy kind) {
  using Role = policy::PolicySet::ResourceRole;
  if (kind == Authorization::ResourcePolicy::kTrust) return Role::kTrust;
  return kind == Authorization::ResourcePolicy::kRequired ? Role::kRequired : Role::kOrdinary;
}

bool wants_encoded(const Context& context, const Authorization& request) {
  return request.encoded == Authorization::Encoded::kAlways ||
         (context.service && !context.service->protocols.empty() &&
          context.service->protocols.front() == Protocol::kEc2);
}

// Words a denial. AssumeRole's do not say why, so as to tell nothing of the trust policy.
std::string words_of(const policy::Decision& decision, const policy::Request& question,
                     const Authorization& request) {
  if (!request.federated_provider.empty()) return "Not authorized to perform " + request.action;
  std::string message = policy::denial_message(decision, question);
  const bool denied = decision.reason == policy::Decision::Reason::kExplicitDeny;
  if (request.resource_policy_kind == Authorization::ResourcePolicy::kTrust && !denied)
    message.resize(std::min(message.size(), message.find(" because no ")));
  return message;
}

Result<Unit> decide(const Context& context, const Authorization& request, const Applying& applying,
                    const AuthorizationMessages* messages) {
  policy::Request question(context.identity(), request.action, request.resource);
  question.resource_account = request.resource_account;
  question.federated_provider = request.federated_provider;
  question.conditions = &request.conditions;
  question.now = context.now();
  policy::Decision decision;
  if (!is_closed_to(context.identity(), request.action))
    decision = policy::evaluate(question, applying.set);
  if (decision.allowed()) return Unit{};
  const bool denied = decision.reason == policy::Decision::Reason::kExplicitDeny;
  if (!denied && is_own_action(context.identity(), request.action)) return Unit{};
  std::string message = words_of(decision, question, request);
  if (messages && wants_encoded(context, request))
    message += ". Encoded authorization failure message: " + messages->encode(question, decision);
  return fail(denial(context, std::move(message)));
}

}  // namespace

Task<Result<Unit>> PolicyAuthorizer::authorize(const Context& context, Authorization request) {
  const Identity& identity = context.identity();
  if (is_weak_session_for(identity, request.action))
    co_return fail("InvalidClientTokenId", "The security token included in the request is invalid.",
                   403);
  Applying applying;
  applying.set.resource_role = role_of(request.resource_policy_kind);
  if (identity.type == Type::kUser || identity.type == Type::kAssumedRole ||
      identity.type == Type::kFederatedUser) {
    CO_TRY_ASSIGN(auto source, co_await impl_->policies.of(identity));
    CO_TRY_ASSIGN(applying.principal, impl_->compiled(std::move(source)));
    applying.set.identity =
        is_federated_by_root(identity) ? root_policies() : applying.principal->identity;
    if (applying.principal->boundary) applying.set.boundary = &*applying.principal->boundary;
    applying.set.session = applying.principal->session_managed;
  }
  if (!identity.session_policies.empty()) {
    applying.session.assign(applying.set.session.begin(), applying.set.session.end());
    for (const auto& text : identity.session_policies) {
      CO_TRY_ASSIGN(auto document, impl_->document(text, policy::Use::kIdentity));
      applying.session.push_back({document.get(), "", AttachedPolicy::Kind::kInline});
      applying.documents.push_back(std::move(document));
    }
    applying.set.session = applying.session;
  }
  if (!request.resource_policy.empty()) {
    const bool trust = request.resource_policy_kind == Authorization::ResourcePolicy::kTrust;
    CO_TRY_ASSIGN(auto document,
                  impl_->document(request.resource_policy,
                                  trust ? policy::Use::kTrust : policy::Use::kResource));
    applying.resource = {document.get(), "", AttachedPolicy::Kind::kInline};
    applying.documents.push_back(std::move(document));
    applying.set.resource = &applying.resource;
  }
  add_context(context, request.conditions);
  co_return decide(context, request, applying, impl_->messages);
}

}  // namespace pileus::aws

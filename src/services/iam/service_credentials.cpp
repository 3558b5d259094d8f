#include "gen/iam/CreateServiceSpecificCredential.h"
#include "gen/iam/DeleteServiceSpecificCredential.h"
#include "gen/iam/ListServiceSpecificCredentials.h"
#include "gen/iam/ResetServiceSpecificCredential.h"
#include "gen/iam/UpdateServiceSpecificCredential.h"
#include "services/iam/edit.h"
#include "services/iam/limits.h"
#include "services/iam/shapes.h"
#include "services/iam/user_meant.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

// Git and Cassandra ask for a user name and a password, the others for an API key.
struct Kind {
  std::string_view service;
  std::string_view key_name;    // of API keys: what the alias begins with; "" for passwords
  std::string_view key_prefix;  // of API keys: what the secret begins with
  bool is_key() const { return !key_name.empty(); }
};
constexpr Kind kKinds[] = {{"codecommit.amazonaws.com", "", ""},
                           {"cassandra.amazonaws.com", "", ""},
                           {"bedrock.amazonaws.com", "BedrockAPIKey", "ABSK"},
                           {"logs.amazonaws.com", "CWLogsAPIKey", "ACWL"}};

Result<const Kind*> kind_of(std::string_view service) {
  for (const auto& kind : kKinds)
    if (kind.service == service) return &kind;
  return fail("NotSupportedService",
              str("No such service ", service, " is supported for Service Specific Credentials"),
              404);
}

Error no_such_credential(std::string_view id) {
  return no_such_entity(str("No such credential ", id, " exists"));
}

std::string random_secret(Random& random, std::size_t bytes) {
  std::string raw(bytes, '\0');
  random.fill({reinterpret_cast<std::uint8_t*>(raw.data()), raw.size()});
  return to_base64(raw);
}

std::string new_secret(IamState& state, const Kind& kind, const std::string& user_name) {
  if (!kind.is_key()) return random_secret(state.random, 32);
  return str(kind.key_prefix, to_base64(str(user_name, ':', random_secret(state.random, 32))));
}

// "ann-at-123456789012", then "ann+1-at-123456789012".
std::string new_user_name(IamState& state, const Kind& kind, const UserRecord& user,
                          const std::string& account) {
  if (kind.is_key())
    return str(kind.key_name, '-', to_lower(upper_id(state.random, 4)), "-at-", account);
  const auto taken = [&](const std::string& name) {
    return std::ranges::any_of(user.service_credentials, [&](const auto& it) {
      return it.service == kind.service && it.user_name == name;
    });
  };
  std::string name = str(user.name, "-at-", account);
  for (int i = 1; taken(name); ++i) name = str(user.name, '+', i, "-at-", account);
  return name;
}

bool has_expired(const ServiceCredentialRecord& credential, Time now) {
  return credential.expires && *credential.expires <= now;
}
std::string status_of(const ServiceCredentialRecord& credential, Time now) {
  return has_expired(credential, now) ? "Expired" : status_word(credential.active);
}

ServiceSpecificCredential shape_of(const UserRecord& user,
                                   const ServiceCredentialRecord& credential, std::string secret,
                                   Time now) {
  ServiceSpecificCredential shape;
  shape.create_date = credential.created;
  shape.expiration_date = credential.expires;
  shape.service_name = credential.service;
  const auto kind = kind_of(credential.service);
  if (kind && (*kind)->is_key()) {
    shape.service_credential_alias = credential.user_name;
    shape.service_credential_secret = std::move(secret);
  } else {
    shape.service_user_name = credential.user_name;
    shape.service_password = std::move(secret);
  }
  shape.service_specific_credential_id = credential.id;
  shape.user_name = user.name;
  shape.status = status_of(credential, now);
  return shape;
}

ServiceSpecificCredentialMetadata metadata_of(const UserRecord& user,
                                              const ServiceCredentialRecord& credential, Time now) {
  const auto full = shape_of(user, credential, "", now);
  ServiceSpecificCredentialMetadata shape;
  shape.user_name = user.name;
  shape.status = full.status;
  shape.service_user_name = full.service_user_name;
  shape.service_credential_alias = full.service_credential_alias;
  shape.create_date = full.create_date;
  shape.expiration_date = full.expiration_date;
  shape.service_specific_credential_id = full.service_specific_credential_id;
  shape.service_name = full.service_name;
  return shape;
}

std::size_t count_of(const UserRecord& user, std::string_view service) {
  return static_cast<std::size_t>(std::ranges::count_if(
      user.service_credentials, [&](const auto& it) { return it.service == service; }));
}

}  // namespace

Task<Result<CreateServiceSpecificCredentialOutput>> IamService::create_service_specific_credential(
    aws::Context& context, CreateServiceSpecificCredentialInput in) {
  for (Edit edit(*state_, context);;) {
    aws::ConditionValues conditions = {
        {"iam:ServiceSpecificCredentialServiceName", {in.service_name}}};
    if (in.credential_age_days)
      conditions["iam:ServiceSpecificCredentialAgeDays"] = {
          std::to_string(*in.credential_age_days)};
    CO_TRY_ASSIGN(UserRecord * user,
                  co_await edit.open<UserRecord>("iam:CreateServiceSpecificCredential",
                                                 in.user_name, std::move(conditions)));
    CO_TRY_ASSIGN(const Kind* kind, kind_of(in.service_name));
    if (in.credential_age_days && !kind->is_key())
      co_return fail(validation_error(
          str("CredentialAgeDays is not supported for service ", in.service_name)));
    if (count_of(*user, kind->service) >= kServiceCredentialsPerUser)
      co_return fail(
          quota_exceeded("ServiceSpecificCredentialsPerUser", kServiceCredentialsPerUser));
    ServiceCredentialRecord credential;
    credential.id = str("ACCA", upper_id(state_->random, 17));
    credential.service = kind->service;
    credential.user_name = new_user_name(*state_, *kind, *user, context.account());
    credential.created = whole_seconds(context.now());
    if (in.credential_age_days)
      credential.expires = credential.created + std::chrono::days(*in.credential_age_days);
    const std::string secret = new_secret(*state_, *kind, credential.user_name);
    credential.secret = to_base64(state_->secrets.seal(secret, credential.id));
    CreateServiceSpecificCredentialOutput output;
    output.service_specific_credential = shape_of(*user, credential, secret, context.now());
    user->service_credentials.push_back(std::move(credential));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<ListServiceSpecificCredentialsOutput>> IamService::list_service_specific_credentials(
    aws::Context& context, ListServiceSpecificCredentialsInput in) {
  const bool all = in.all_users.value_or(false);
  ListServiceSpecificCredentialsOutput output;
  auto& list = output.service_specific_credentials.emplace();
  const auto add = [&](const UserRecord& user) {
    for (const auto& credential : user.service_credentials)
      if (!in.service_name || credential.service == *in.service_name)
        list.push_back(metadata_of(user, credential, context.now()));
  };
  if (all) {
    CO_TRY(co_await context.authorize("iam:ListServiceSpecificCredentials",
                                      arn_of<UserRecord>(context, "/", "*")));
    if (in.user_name)
      co_return fail(validation_error("UserName cannot be specified together with AllUsers."));
    // A page is of users, so that none is cut in two.
    const auto wanted = [](const UserRecord& user) { return !user.service_credentials.empty(); };
    CO_TRY_ASSIGN(const auto page, co_await load_records<UserRecord>(
                                       state_->records, context.global_key(),
                                       prefix_of<UserRecord>(), in.marker, in.max_items, wanted));
    for (const auto& user : page.items) add(user);
    tell_page(page, output);
    co_return output;
  }
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(UserRecord * user,
                co_await edit.open<UserRecord>("iam:ListServiceSpecificCredentials", name));
  if (in.service_name) CO_TRY(kind_of(*in.service_name));
  add(*user);
  output.is_truncated = false;
  co_return output;
}

Task<Result<UpdateServiceSpecificCredentialOutput>> IamService::update_service_specific_credential(
    aws::Context& context, UpdateServiceSpecificCredentialInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user,
                  co_await edit.open<UserRecord>("iam:UpdateServiceSpecificCredential", name));
    auto* credential = find_by_id(user->service_credentials, in.service_specific_credential_id);
    if (!credential) co_return fail(no_such_credential(in.service_specific_credential_id));
    CO_TRY_ASSIGN(credential->active, is_active(in.status));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return UpdateServiceSpecificCredentialOutput{};
  }
}

Task<Result<ResetServiceSpecificCredentialOutput>> IamService::reset_service_specific_credential(
    aws::Context& context, ResetServiceSpecificCredentialInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user,
                  co_await edit.open<UserRecord>("iam:ResetServiceSpecificCredential", name));
    auto* credential = find_by_id(user->service_credentials, in.service_specific_credential_id);
    if (!credential) co_return fail(no_such_credential(in.service_specific_credential_id));
    CO_TRY_ASSIGN(const Kind* kind, kind_of(credential->service));
    const std::string secret = new_secret(*state_, *kind, credential->user_name);
    credential->secret = to_base64(state_->secrets.seal(secret, credential->id));
    ResetServiceSpecificCredentialOutput output;
    output.service_specific_credential = shape_of(*user, *credential, secret, context.now());
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<DeleteServiceSpecificCredentialOutput>> IamService::delete_service_specific_credential(
    aws::Context& context, DeleteServiceSpecificCredentialInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  const std::string& id = in.service_specific_credential_id;
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user,
                  co_await edit.open<UserRecord>("iam:DeleteServiceSpecificCredential", name));
    if (!find_by_id(user->service_credentials, id)) co_return fail(no_such_credential(id));
    std::erase_if(user->service_credentials, [&](const auto& it) { return it.id == id; });
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeleteServiceSpecificCredentialOutput{};
  }
}

}  // namespace pileus::services::iam

#include "gen/iam/ChangePassword.h"
#include "gen/iam/CreateLoginProfile.h"
#include "gen/iam/DeleteLoginProfile.h"
#include "gen/iam/GetLoginProfile.h"
#include "gen/iam/UpdateLoginProfile.h"
#include "services/iam/edit.h"
#include "services/iam/password_policy.h"
#include "services/iam/passwords.h"
#include "services/iam/shapes.h"
#include "services/iam/user_meant.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

Error no_login_profile(std::string_view user) {
  return no_such_entity(str("Login Profile for User ", user, " cannot be found."));
}

[[clang::coro_wrapper]] Task<Result<std::string>> hash(IamState& state, std::string salt,
                                                       std::string password) {
  return state.hashing.run<std::string>(
      [salt = std::move(salt), password = std::move(password)]() -> Result<std::string> {
        return hash_password(salt, password);
      });
}

// The hash that was kept; "" for what does not open.
std::string open_hash(const IamState& state, std::string_view kept, std::string_view user_id) {
  const auto sealed = from_base64(kept);
  return sealed ? state.secrets.open(*sealed, user_id).value_or("") : "";
}

// Those that reuse prevention forbids: the password in force and those before it.
bool used_before(const IamState& state, const LoginProfileRecord& login, std::string_view user_id,
                 std::string_view hashed, std::size_t remembered) {
  if (remembered == 0) return false;
  if (same_hash(open_hash(state, login.password, user_id), hashed)) return true;
  for (std::size_t i = 0; i < login.previous.size() && i + 1 < remembered; ++i)
    if (same_hash(open_hash(state, login.previous[i], user_id), hashed)) return true;
  return false;
}

void set_password(const IamState& state, LoginProfileRecord& login, std::string_view user_id,
                  std::string_view hashed, Time now) {
  if (!login.password.empty()) login.previous.insert(login.previous.begin(), login.password);
  if (login.previous.size() >= kPasswordsRemembered)
    login.previous.resize(kPasswordsRemembered - 1);
  login.password = to_base64(state.secrets.seal(hashed, user_id));
  login.changed = whole_seconds(now);
}

// The user's new password as the account's policy lets it be, hashed and set.
Task<Result<Unit>> change_to(Edit& edit, UserRecord* user, std::string password) {
  CO_TRY_ASSIGN(const auto policy, co_await load_password_policy(edit.state(), edit.context()));
  CO_TRY(check_password(policy, password));
  LoginProfileRecord& login = *user->login;
  CO_TRY_ASSIGN(const std::string hashed, co_await hash(edit.state(), login.salt, password));
  const auto remembered = policy ? policy->reuse_prevention.value_or(0) : 0;
  if (used_before(edit.state(), login, user->id, hashed, static_cast<std::size_t>(remembered)))
    co_return fail("PasswordPolicyViolation",
                   "Policy constraint violation with password reuse prevention during password "
                   "change.",
                   400);
  set_password(edit.state(), login, user->id, hashed, edit.context().now());
  co_return Unit{};
}

LoginProfile shape_of(const UserRecord& user) {
  return {user.name, user.login->created, user.login->reset_required};
}

}  // namespace

Task<Result<CreateLoginProfileOutput>> IamService::create_login_profile(
    aws::Context& context, CreateLoginProfileInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user,
                  co_await edit.open<UserRecord>("iam:CreateLoginProfile", name));
    if (!in.password) co_return fail(validation_error("Password must be specified."));
    if (user->login)
      co_return fail("EntityAlreadyExists",
                     str("Login Profile for user ", user->name, " already exists."), 409);
    LoginProfileRecord login;
    login.salt = upper_id(state_->random, 26);
    login.created = whole_seconds(context.now());
    login.reset_required = in.password_reset_required.value_or(false);
    user->login = std::move(login);
    CO_TRY(co_await change_to(edit, user, *in.password));
    CreateLoginProfileOutput output{shape_of(*user)};
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<GetLoginProfileOutput>> IamService::get_login_profile(aws::Context& context,
                                                                  GetLoginProfileInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(UserRecord * user, co_await edit.open<UserRecord>("iam:GetLoginProfile", name));
  if (!user->login) co_return fail(no_login_profile(user->name));
  co_return GetLoginProfileOutput{shape_of(*user)};
}

Task<Result<UpdateLoginProfileOutput>> IamService::update_login_profile(
    aws::Context& context, UpdateLoginProfileInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user,
                  co_await edit.open<UserRecord>("iam:UpdateLoginProfile", in.user_name));
    if (!user->login) co_return fail(no_login_profile(user->name));
    if (in.password) CO_TRY(co_await change_to(edit, user, *in.password));
    if (in.password_reset_required) user->login->reset_required = *in.password_reset_required;
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return UpdateLoginProfileOutput{};
  }
}

Task<Result<DeleteLoginProfileOutput>> IamService::delete_login_profile(
    aws::Context& context, DeleteLoginProfileInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user,
                  co_await edit.open<UserRecord>("iam:DeleteLoginProfile", name));
    if (!user->login) co_return fail(no_login_profile(user->name));
    user->login.reset();
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeleteLoginProfileOutput{};
  }
}

Task<Result<ChangePasswordOutput>> IamService::change_password(aws::Context& context,
                                                               ChangePasswordInput in) {
  if (context.identity().type != aws::Identity::Type::kUser) {
    context.needs_no_authorization("only users have passwords");
    co_return fail("InvalidUserType", "Only IAM Users can change their own password", 400);
  }
  CO_TRY_ASSIGN(const auto policy, co_await load_password_policy(*state_, context));
  CO_TRY(co_await context.authorize(own_password_request(policy, context, "iam:ChangePassword")));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user, co_await edit.find<UserRecord>(context.identity().user_name));
    if (!user) co_return fail(no_such<UserRecord>(context.identity().user_name));
    if (!user->login) co_return fail(no_login_profile(user->name));
    CO_TRY_ASSIGN(const std::string old,
                  co_await hash(*state_, user->login->salt, in.old_password));
    if (!same_hash(open_hash(*state_, user->login->password, user->id), old))
      co_return fail("AccessDenied", "The old password was incorrect.", 403);
    CO_TRY(co_await change_to(edit, user, in.new_password));
    user->login->reset_required = false;
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return ChangePasswordOutput{};
  }
}

}  // namespace pileus::services::iam

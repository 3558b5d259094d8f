#include "aws/access_key_id.h"
#include "gen/iam/CreateAccessKey.h"
#include "gen/iam/DeleteAccessKey.h"
#include "gen/iam/GetAccessKeyLastUsed.h"
#include "gen/iam/ListAccessKeys.h"
#include "gen/iam/UpdateAccessKey.h"
#include "services/iam/edit.h"
#include "services/iam/limits.h"
#include "services/iam/shapes.h"
#include "services/iam/user_meant.h"
#include "services/iam/uses.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

AccessKeyRecord* find_key(UserRecord& user, std::string_view id) {
  for (auto& key : user.keys)
    if (key.id == id) return &key;
  return nullptr;
}

std::string status_of(const AccessKeyRecord& key) { return key.active ? "Active" : "Inactive"; }

}  // namespace

Task<Result<CreateAccessKeyOutput>> IamService::create_access_key(aws::Context& context,
                                                                  CreateAccessKeyInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user, co_await edit.open<UserRecord>("iam:CreateAccessKey", name));
    if (user->keys.size() >= kAccessKeysPerUser)
      co_return fail(quota_exceeded("AccessKeysPerUser", kAccessKeysPerUser));
    AccessKeyRecord key;
    key.id = aws::make_access_key_id(aws::kLongLivedKeyPrefix, context.account(), state_->random);
    key.created = whole_seconds(context.now());
    const std::string secret = aws::make_secret_access_key(state_->random);
    key.secret = to_base64(state_->sealer.seal(secret, key.id));
    edit.expect_no_row(access_key_row(key.id));
    edit.put_row(access_key_row(key.id), to_lower(user->name));
    CreateAccessKeyOutput output{{user->name, key.id, status_of(key), secret, key.created}};
    user->keys.push_back(std::move(key));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<ListAccessKeysOutput>> IamService::list_access_keys(aws::Context& context,
                                                                ListAccessKeysInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(UserRecord * user, co_await edit.open<UserRecord>("iam:ListAccessKeys", name));
  std::set<std::string> ids;
  for (const auto& key : user->keys) ids.insert(key.id);
  CO_TRY_ASSIGN(const auto page, page_of(ids, in));
  ListAccessKeysOutput output;
  for (const auto& id : page.items) {
    const AccessKeyRecord& key = *find_key(*user, id);
    output.access_key_metadata.push_back({user->name, key.id, status_of(key), key.created});
  }
  tell_page(page, output);
  co_return output;
}

Task<Result<UpdateAccessKeyOutput>> IamService::update_access_key(aws::Context& context,
                                                                  UpdateAccessKeyInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user, co_await edit.open<UserRecord>("iam:UpdateAccessKey", name));
    AccessKeyRecord* key = find_key(*user, in.access_key_id);
    if (!key) co_return fail(no_such_access_key(in.access_key_id));
    if (in.status != "Active" && in.status != "Inactive")
      co_return fail(
          invalid_input(str("A key's status is Active or Inactive, not ", in.status, ".")));
    key->active = in.status == "Active";
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return UpdateAccessKeyOutput{};
  }
}

Task<Result<DeleteAccessKeyOutput>> IamService::delete_access_key(aws::Context& context,
                                                                  DeleteAccessKeyInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user, co_await edit.open<UserRecord>("iam:DeleteAccessKey", name));
    if (!find_key(*user, in.access_key_id)) co_return fail(no_such_access_key(in.access_key_id));
    std::erase_if(user->keys, [&](const auto& key) { return key.id == in.access_key_id; });
    edit.put_row(access_key_row(in.access_key_id), std::string(kDeletedKey));
    edit.remove_row(key_use_row(in.access_key_id));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeleteAccessKeyOutput{};
  }
}

Task<Result<GetAccessKeyLastUsedOutput>> IamService::get_access_key_last_used(
    aws::Context& context, GetAccessKeyLastUsedInput in) {
  CO_TRY_ASSIGN(const auto row, co_await state_->records.get(context.global_key(),
                                                             access_key_row(in.access_key_id)));
  if (!row || row->value == kDeletedKey) {
    CO_TRY(co_await context.authorize("iam:GetAccessKeyLastUsed",
                                      arn_of<UserRecord>(context, "/", "*")));
    co_return fail(no_such_access_key(in.access_key_id));
  }
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(UserRecord * user,
                co_await edit.open<UserRecord>("iam:GetAccessKeyLastUsed", row->value));
  CO_TRY_ASSIGN(const auto use,
                co_await last_use(*state_, context.global_key(), key_use_row(in.access_key_id)));
  GetAccessKeyLastUsedOutput output;
  output.user_name = user->name;
  auto& shape = output.access_key_last_used.emplace();
  shape.service_name = use ? use->service : "N/A";
  shape.region = use ? use->region : "N/A";
  if (use) shape.last_used_date = whole_seconds(use->when);
  co_return output;
}

}  // namespace pileus::services::iam

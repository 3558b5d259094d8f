#include "gen/iam/DeleteSSHPublicKey.h"
#include "gen/iam/GetSSHPublicKey.h"
#include "gen/iam/ListSSHPublicKeys.h"
#include "gen/iam/UpdateSSHPublicKey.h"
#include "gen/iam/UploadSSHPublicKey.h"
#include "services/iam/edit.h"
#include "services/iam/limits.h"
#include "services/iam/shapes.h"
#include "services/iam/ssh_keys.h"
#include "services/iam/user_meant.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

constexpr std::string_view kIdPrefix = "APKA";

SSHPublicKey shape_of(const UserRecord& user, const SshKeyRecord& key, std::string body) {
  SSHPublicKey shape;
  shape.user_name = user.name;
  shape.ssh_public_key_id = key.id;
  shape.fingerprint = key.fingerprint;
  shape.ssh_public_key_body = std::move(body);
  shape.status = status_word(key.active);
  shape.upload_date = key.uploaded;
  return shape;
}

Error no_such_key(std::string_view id) {
  return no_such_entity(str("The Public Key with id ", id, " cannot be found."));
}

}  // namespace

Task<Result<UploadSSHPublicKeyOutput>> IamService::upload_ssh_public_key(
    aws::Context& context, UploadSSHPublicKeyInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user,
                  co_await edit.open<UserRecord>("iam:UploadSSHPublicKey", in.user_name));
    CO_TRY_ASSIGN(const SshKey parsed, parse_ssh_key(in.ssh_public_key_body));
    for (const auto& known : user->ssh_keys)
      if (known.fingerprint == parsed.fingerprint)
        co_return fail("DuplicateSSHPublicKey",
                       str("The SSH public key is already associated with user ", user->name, "."),
                       400);
    if (user->ssh_keys.size() >= kSshKeysPerUser)
      co_return fail(quota_exceeded("SSHPublicKeysPerUser", kSshKeysPerUser));
    SshKeyRecord key;
    key.id = str(kIdPrefix, upper_id(state_->random, 16));
    key.body = std::string(trim(in.ssh_public_key_body));
    key.fingerprint = parsed.fingerprint;
    key.uploaded = whole_seconds(context.now());
    UploadSSHPublicKeyOutput output;
    output.ssh_public_key = shape_of(*user, key, key.body);
    user->ssh_keys.push_back(std::move(key));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<GetSSHPublicKeyOutput>> IamService::get_ssh_public_key(aws::Context& context,
                                                                   GetSSHPublicKeyInput in) {
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(UserRecord * user,
                co_await edit.open<UserRecord>("iam:GetSSHPublicKey", in.user_name));
  if (in.encoding != "SSH" && in.encoding != "PEM")
    co_return fail("UnrecognizedPublicKeyEncoding",
                   str("The encoding of a public key is SSH or PEM, not ", in.encoding, "."), 400);
  const auto* key = find_by_id(user->ssh_keys, in.ssh_public_key_id);
  if (!key) co_return fail(no_such_key(in.ssh_public_key_id));
  CO_TRY_ASSIGN(SshKey parsed, parse_ssh_key(key->body));
  const bool as_given = key->body.starts_with("ssh-rsa ");  // with its comment
  std::string body = in.encoding == "PEM" ? parsed.pem : as_given ? key->body : parsed.ssh;
  GetSSHPublicKeyOutput output;
  output.ssh_public_key = shape_of(*user, *key, std::move(body));
  co_return output;
}

Task<Result<ListSSHPublicKeysOutput>> IamService::list_ssh_public_keys(aws::Context& context,
                                                                       ListSSHPublicKeysInput in) {
  CO_TRY_ASSIGN(const std::string name, user_meant(in.user_name, context));
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(UserRecord * user, co_await edit.open<UserRecord>("iam:ListSSHPublicKeys", name));
  CO_TRY_ASSIGN(const auto page, page_of(ids_of(user->ssh_keys), in));
  ListSSHPublicKeysOutput output;
  auto& list = output.ssh_public_keys.emplace();
  for (const auto& id : page.items) {
    const auto& key = *find_by_id(user->ssh_keys, id);
    list.push_back({user->name, key.id, status_word(key.active), key.uploaded});
  }
  tell_page(page, output);
  co_return output;
}

Task<Result<UpdateSSHPublicKeyOutput>> IamService::update_ssh_public_key(
    aws::Context& context, UpdateSSHPublicKeyInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user,
                  co_await edit.open<UserRecord>("iam:UpdateSSHPublicKey", in.user_name));
    auto* key = find_by_id(user->ssh_keys, in.ssh_public_key_id);
    if (!key) co_return fail(no_such_key(in.ssh_public_key_id));
    CO_TRY_ASSIGN(key->active, is_active(in.status));
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return UpdateSSHPublicKeyOutput{};
  }
}

Task<Result<DeleteSSHPublicKeyOutput>> IamService::delete_ssh_public_key(
    aws::Context& context, DeleteSSHPublicKeyInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(UserRecord * user,
                  co_await edit.open<UserRecord>("iam:DeleteSSHPublicKey", in.user_name));
    if (!find_by_id(user->ssh_keys, in.ssh_public_key_id))
      co_return fail(no_such_key(in.ssh_public_key_id));
    std::erase_if(user->ssh_keys, [&](const auto& it) { return it.id == in.ssh_public_key_id; });
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeleteSSHPublicKeyOutput{};
  }
}

}  // namespace pileus::services::iam

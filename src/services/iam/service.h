// IamService: the IAM API of every account, and what the rest of the house asks of it: keys,
// policies, roles and users. State is in Records under "<account>/global" (see records.h); the hot
// look-ups answer from caches that a change drops before it is answered. Any loop. Made by app/.
#pragma once

#include <memory>

#include "aws/context.h"
#include "aws/credentials.h"
#include "aws/seal.h"
#include "gen/iam/interface.h"
#include "store/records.h"

namespace pileus::services::iam {

// What AWS lets a customer raise (users, roles, attachments …). Hard limits hold in either.
enum class Quotas { kNone, kAws };

struct IamOptions {
  Quotas quotas = Quotas::kNone;
  // How long a cached answer is believed without looking again: only changes made by other nodes
  // are found by it, one's own drop the answer at once.
  std::chrono::nanoseconds cache_lifetime = std::chrono::seconds(30);
};

struct IamState;  // state.h

class IamService final : public gen::iam::Iam,
                         public aws::Credentials,
                         public aws::Policies,
                         public aws::Principals,
                         public aws::IdentityProviders {
 public:
  IamService(store::Records& records, const RealTime& real, Random& random,
             const aws::MasterKey& master, IamOptions options);
  ~IamService() override;

  // Writes down the last uses that used() and role_used() noted. app/ calls it every minute and
  // before it ends; what was not written is lost with the process, as late as AWS's own are.
  Task<Result<Unit>> save_last_uses();
  // Forgets everything cached or noted; after the records were emptied.
  void reset();

  // aws::Credentials
  Task<Result<std::shared_ptr<const aws::Credential>>> find(std::string access_key_id,
                                                            std::string session_token) override;
  void used(const std::string& access_key_id, const std::string& service, const std::string& region,
            Time when) override;
  // aws::Policies
  Task<Result<std::shared_ptr<const aws::PrincipalPolicies>>> of(
      const aws::Identity& identity) override;
  // aws::Principals
  [[clang::coro_wrapper]] Task<Result<std::shared_ptr<const aws::RoleFacts>>> find_role(
      std::string arn) override;
  [[clang::coro_wrapper]] Task<Result<std::shared_ptr<const aws::UserFacts>>> find_user(
      std::string arn) override;
  Task<Result<std::optional<std::string>>> managed_policy(std::string arn) override;
  std::uint64_t generation() const override;
  void role_used(const std::string& arn, const std::string& region, Time when) override;

  // aws::IdentityProviders
  Task<Result<std::optional<aws::OidcProviderFacts>>> find_oidc_provider(std::string account,
                                                                         std::string name) override;
  Task<Result<std::optional<aws::SamlProviderFacts>>> find_saml_provider(std::string arn) override;

#define PILEUS_IAM(Operation, operation)                                       \
  [[clang::coro_wrapper]] Task<Result<gen::iam::Operation##Output>> operation( \
      aws::Context& context, gen::iam::Operation##Input input) override;
  // users.cpp
  PILEUS_IAM(CreateUser, create_user)
  PILEUS_IAM(GetUser, get_user)
  PILEUS_IAM(UpdateUser, update_user)
  PILEUS_IAM(DeleteUser, delete_user)
  PILEUS_IAM(ListUsers, list_users)
  // access_keys.cpp
  PILEUS_IAM(CreateAccessKey, create_access_key)
  PILEUS_IAM(DeleteAccessKey, delete_access_key)
  PILEUS_IAM(GetAccessKeyLastUsed, get_access_key_last_used)
  PILEUS_IAM(ListAccessKeys, list_access_keys)
  PILEUS_IAM(UpdateAccessKey, update_access_key)
  // groups.cpp
  PILEUS_IAM(CreateGroup, create_group)
  PILEUS_IAM(GetGroup, get_group)
  PILEUS_IAM(UpdateGroup, update_group)
  PILEUS_IAM(DeleteGroup, delete_group)
  PILEUS_IAM(ListGroups, list_groups)
  PILEUS_IAM(ListGroupsForUser, list_groups_for_user)
  PILEUS_IAM(AddUserToGroup, add_user_to_group)
  PILEUS_IAM(RemoveUserFromGroup, remove_user_from_group)
  // roles.cpp
  PILEUS_IAM(CreateRole, create_role)
  PILEUS_IAM(GetRole, get_role)
  PILEUS_IAM(UpdateRole, update_role)
  PILEUS_IAM(UpdateRoleDescription, update_role_description)
  PILEUS_IAM(UpdateAssumeRolePolicy, update_assume_role_policy)
  PILEUS_IAM(DeleteRole, delete_role)
  PILEUS_IAM(ListRoles, list_roles)
  // instance_profiles.cpp
  PILEUS_IAM(AddRoleToInstanceProfile, add_role_to_instance_profile)
  PILEUS_IAM(CreateInstanceProfile, create_instance_profile)
  PILEUS_IAM(DeleteInstanceProfile, delete_instance_profile)
  PILEUS_IAM(GetInstanceProfile, get_instance_profile)
  PILEUS_IAM(ListInstanceProfiles, list_instance_profiles)
  PILEUS_IAM(ListInstanceProfilesForRole, list_instance_profiles_for_role)
  PILEUS_IAM(RemoveRoleFromInstanceProfile, remove_role_from_instance_profile)
  // policies.cpp
  PILEUS_IAM(CreatePolicy, create_policy)
  PILEUS_IAM(GetPolicy, get_policy)
  PILEUS_IAM(DeletePolicy, delete_policy)
  PILEUS_IAM(ListPolicies, list_policies)
  PILEUS_IAM(ListEntitiesForPolicy, list_entities_for_policy)
  PILEUS_IAM(CreatePolicyVersion, create_policy_version)
  PILEUS_IAM(GetPolicyVersion, get_policy_version)
  PILEUS_IAM(DeletePolicyVersion, delete_policy_version)
  PILEUS_IAM(ListPolicyVersions, list_policy_versions)
  PILEUS_IAM(SetDefaultPolicyVersion, set_default_policy_version)
  // inline_policies.cpp
  PILEUS_IAM(PutUserPolicy, put_user_policy)
  PILEUS_IAM(GetUserPolicy, get_user_policy)
  PILEUS_IAM(DeleteUserPolicy, delete_user_policy)
  PILEUS_IAM(ListUserPolicies, list_user_policies)
  PILEUS_IAM(PutGroupPolicy, put_group_policy)
  PILEUS_IAM(GetGroupPolicy, get_group_policy)
  PILEUS_IAM(DeleteGroupPolicy, delete_group_policy)
  PILEUS_IAM(ListGroupPolicies, list_group_policies)
  PILEUS_IAM(PutRolePolicy, put_role_policy)
  PILEUS_IAM(GetRolePolicy, get_role_policy)
  PILEUS_IAM(DeleteRolePolicy, delete_role_policy)
  PILEUS_IAM(ListRolePolicies, list_role_policies)
  // attachments.cpp
  PILEUS_IAM(AttachUserPolicy, attach_user_policy)
  PILEUS_IAM(DetachUserPolicy, detach_user_policy)
  PILEUS_IAM(ListAttachedUserPolicies, list_attached_user_policies)
  PILEUS_IAM(AttachGroupPolicy, attach_group_policy)
  PILEUS_IAM(DetachGroupPolicy, detach_group_policy)
  PILEUS_IAM(ListAttachedGroupPolicies, list_attached_group_policies)
  PILEUS_IAM(AttachRolePolicy, attach_role_policy)
  PILEUS_IAM(DetachRolePolicy, detach_role_policy)
  PILEUS_IAM(ListAttachedRolePolicies, list_attached_role_policies)
  // boundaries.cpp
  PILEUS_IAM(DeleteRolePermissionsBoundary, delete_role_permissions_boundary)
  PILEUS_IAM(DeleteUserPermissionsBoundary, delete_user_permissions_boundary)
  PILEUS_IAM(PutRolePermissionsBoundary, put_role_permissions_boundary)
  PILEUS_IAM(PutUserPermissionsBoundary, put_user_permissions_boundary)
  // tags.cpp
  PILEUS_IAM(ListInstanceProfileTags, list_instance_profile_tags)
  PILEUS_IAM(ListPolicyTags, list_policy_tags)
  PILEUS_IAM(ListRoleTags, list_role_tags)
  PILEUS_IAM(ListUserTags, list_user_tags)
  PILEUS_IAM(TagInstanceProfile, tag_instance_profile)
  PILEUS_IAM(TagPolicy, tag_policy)
  PILEUS_IAM(TagRole, tag_role)
  PILEUS_IAM(TagUser, tag_user)
  PILEUS_IAM(UntagInstanceProfile, untag_instance_profile)
  PILEUS_IAM(UntagPolicy, untag_policy)
  PILEUS_IAM(UntagRole, untag_role)
  PILEUS_IAM(UntagUser, untag_user)
  // oidc_providers.cpp
  PILEUS_IAM(AddClientIDToOpenIDConnectProvider, add_client_id_to_open_id_connect_provider)
  PILEUS_IAM(CreateOpenIDConnectProvider, create_open_id_connect_provider)
  PILEUS_IAM(DeleteOpenIDConnectProvider, delete_open_id_connect_provider)
  PILEUS_IAM(GetOpenIDConnectProvider, get_open_id_connect_provider)
  PILEUS_IAM(ListOpenIDConnectProviderTags, list_open_id_connect_provider_tags)
  PILEUS_IAM(ListOpenIDConnectProviders, list_open_id_connect_providers)
  PILEUS_IAM(RemoveClientIDFromOpenIDConnectProvider,
             remove_client_id_from_open_id_connect_provider)
  PILEUS_IAM(TagOpenIDConnectProvider, tag_open_id_connect_provider)
  PILEUS_IAM(UntagOpenIDConnectProvider, untag_open_id_connect_provider)
  PILEUS_IAM(UpdateOpenIDConnectProviderThumbprint, update_open_id_connect_provider_thumbprint)
  // saml_providers.cpp
  PILEUS_IAM(CreateSAMLProvider, create_saml_provider)
  PILEUS_IAM(DeleteSAMLProvider, delete_saml_provider)
  PILEUS_IAM(GetSAMLProvider, get_saml_provider)
  PILEUS_IAM(ListSAMLProviderTags, list_saml_provider_tags)
  PILEUS_IAM(ListSAMLProviders, list_saml_providers)
  PILEUS_IAM(TagSAMLProvider, tag_saml_provider)
  PILEUS_IAM(UntagSAMLProvider, untag_saml_provider)
  PILEUS_IAM(UpdateSAMLProvider, update_saml_provider)
  // account.cpp
  PILEUS_IAM(GetAccountSummary, get_account_summary)
#undef PILEUS_IAM

 private:
  std::unique_ptr<IamState> state_;
};

}  // namespace pileus::services::iam

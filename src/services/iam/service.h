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
  Task<Result<std::optional<std::string>>> outbound_issuer(std::string account) override;
  std::uint64_t generation() const override;
  Task<Result<bool>> verify_mfa(std::string user_arn, std::string serial,
                                std::string code) override;
  void role_used(const std::string& arn, const std::string& service, const std::string& region,
                 Time when) override;
  void user_used(const std::string& arn, const std::string& service, const std::string& region,
                 Time when) override;

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
  // mfa_devices.cpp
  PILEUS_IAM(CreateVirtualMFADevice, create_virtual_mfa_device)
  PILEUS_IAM(EnableMFADevice, enable_mfa_device)
  PILEUS_IAM(DeactivateMFADevice, deactivate_mfa_device)
  PILEUS_IAM(ResyncMFADevice, resync_mfa_device)
  PILEUS_IAM(DeleteVirtualMFADevice, delete_virtual_mfa_device)
  PILEUS_IAM(ListMFADevices, list_mfa_devices)
  PILEUS_IAM(GetMFADevice, get_mfa_device)
  PILEUS_IAM(ListVirtualMFADevices, list_virtual_mfa_devices)
  PILEUS_IAM(TagMFADevice, tag_mfa_device)
  PILEUS_IAM(UntagMFADevice, untag_mfa_device)
  PILEUS_IAM(ListMFADeviceTags, list_mfa_device_tags)
  // login_profiles.cpp
  PILEUS_IAM(CreateLoginProfile, create_login_profile)
  PILEUS_IAM(GetLoginProfile, get_login_profile)
  PILEUS_IAM(UpdateLoginProfile, update_login_profile)
  PILEUS_IAM(DeleteLoginProfile, delete_login_profile)
  PILEUS_IAM(ChangePassword, change_password)
  // password_policy.cpp
  PILEUS_IAM(UpdateAccountPasswordPolicy, update_account_password_policy)
  PILEUS_IAM(GetAccountPasswordPolicy, get_account_password_policy)
  PILEUS_IAM(DeleteAccountPasswordPolicy, delete_account_password_policy)
  // account_aliases.cpp
  PILEUS_IAM(CreateAccountAlias, create_account_alias)
  PILEUS_IAM(DeleteAccountAlias, delete_account_alias)
  PILEUS_IAM(ListAccountAliases, list_account_aliases)
  // server_certificates.cpp
  PILEUS_IAM(UploadServerCertificate, upload_server_certificate)
  PILEUS_IAM(GetServerCertificate, get_server_certificate)
  PILEUS_IAM(ListServerCertificates, list_server_certificates)
  PILEUS_IAM(UpdateServerCertificate, update_server_certificate)
  PILEUS_IAM(DeleteServerCertificate, delete_server_certificate)
  PILEUS_IAM(TagServerCertificate, tag_server_certificate)
  PILEUS_IAM(UntagServerCertificate, untag_server_certificate)
  PILEUS_IAM(ListServerCertificateTags, list_server_certificate_tags)
  // signing_certificates.cpp
  PILEUS_IAM(UploadSigningCertificate, upload_signing_certificate)
  PILEUS_IAM(ListSigningCertificates, list_signing_certificates)
  PILEUS_IAM(UpdateSigningCertificate, update_signing_certificate)
  PILEUS_IAM(DeleteSigningCertificate, delete_signing_certificate)
  // ssh_public_keys.cpp
  PILEUS_IAM(UploadSSHPublicKey, upload_ssh_public_key)
  PILEUS_IAM(GetSSHPublicKey, get_ssh_public_key)
  PILEUS_IAM(ListSSHPublicKeys, list_ssh_public_keys)
  PILEUS_IAM(UpdateSSHPublicKey, update_ssh_public_key)
  PILEUS_IAM(DeleteSSHPublicKey, delete_ssh_public_key)
  // service_credentials.cpp
  PILEUS_IAM(CreateServiceSpecificCredential, create_service_specific_credential)
  PILEUS_IAM(ListServiceSpecificCredentials, list_service_specific_credentials)
  PILEUS_IAM(UpdateServiceSpecificCredential, update_service_specific_credential)
  PILEUS_IAM(ResetServiceSpecificCredential, reset_service_specific_credential)
  PILEUS_IAM(DeleteServiceSpecificCredential, delete_service_specific_credential)
  // service_linked_roles.cpp
  PILEUS_IAM(CreateServiceLinkedRole, create_service_linked_role)
  PILEUS_IAM(DeleteServiceLinkedRole, delete_service_linked_role)
  PILEUS_IAM(GetServiceLinkedRoleDeletionStatus, get_service_linked_role_deletion_status)
  // authorization_details.cpp
  PILEUS_IAM(GetAccountAuthorizationDetails, get_account_authorization_details)
  // credential_report.cpp
  PILEUS_IAM(GenerateCredentialReport, generate_credential_report)
  PILEUS_IAM(GetCredentialReport, get_credential_report)
  // last_accessed.cpp
  PILEUS_IAM(GenerateServiceLastAccessedDetails, generate_service_last_accessed_details)
  PILEUS_IAM(GetServiceLastAccessedDetails, get_service_last_accessed_details)
  PILEUS_IAM(GetServiceLastAccessedDetailsWithEntities,
             get_service_last_accessed_details_with_entities)
  PILEUS_IAM(ListPoliciesGrantingServiceAccess, list_policies_granting_service_access)
  // preferences.cpp
  PILEUS_IAM(SetSecurityTokenServicePreferences, set_security_token_service_preferences)
  PILEUS_IAM(EnableOutboundWebIdentityFederation, enable_outbound_web_identity_federation)
  PILEUS_IAM(DisableOutboundWebIdentityFederation, disable_outbound_web_identity_federation)
  PILEUS_IAM(GetOutboundWebIdentityFederationInfo, get_outbound_web_identity_federation_info)
  // organizations.cpp
  PILEUS_IAM(ListOrganizationsFeatures, list_organizations_features)
  PILEUS_IAM(EnableOrganizationsRootSessions, enable_organizations_root_sessions)
  PILEUS_IAM(DisableOrganizationsRootSessions, disable_organizations_root_sessions)
  PILEUS_IAM(EnableOrganizationsRootCredentialsManagement,
             enable_organizations_root_credentials_management)
  PILEUS_IAM(DisableOrganizationsRootCredentialsManagement,
             disable_organizations_root_credentials_management)
  PILEUS_IAM(GenerateOrganizationsAccessReport, generate_organizations_access_report)
  PILEUS_IAM(GetOrganizationsAccessReport, get_organizations_access_report)
  // simulations.cpp
  PILEUS_IAM(SimulateCustomPolicy, simulate_custom_policy)
  PILEUS_IAM(SimulatePrincipalPolicy, simulate_principal_policy)
  PILEUS_IAM(GetContextKeysForCustomPolicy, get_context_keys_for_custom_policy)
  PILEUS_IAM(GetContextKeysForPrincipalPolicy, get_context_keys_for_principal_policy)
  // delegation_requests.cpp
  PILEUS_IAM(CreateDelegationRequest, create_delegation_request)
  PILEUS_IAM(ListDelegationRequests, list_delegation_requests)
  PILEUS_IAM(AcceptDelegationRequest, accept_delegation_request)
  PILEUS_IAM(AssociateDelegationRequest, associate_delegation_request)
  PILEUS_IAM(GetDelegationRequest, get_delegation_request)
  PILEUS_IAM(RejectDelegationRequest, reject_delegation_request)
  PILEUS_IAM(SendDelegationToken, send_delegation_token)
  PILEUS_IAM(UpdateDelegationRequest, update_delegation_request)
  // role_templates.cpp
  PILEUS_IAM(AcquireRole, acquire_role)
  PILEUS_IAM(GetRoleTemplateVersion, get_role_template_version)
#undef PILEUS_IAM

 private:
  std::unique_ptr<IamState> state_;
};

}  // namespace pileus::services::iam

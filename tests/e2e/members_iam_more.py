"""How each member of IAM's operations beside entities and policies is seen to act: what users sign in with, the account's
settings, service-linked roles, reports, simulations (see members.py)."""

import json
import subprocess
import tempfile

from iam_tools import certificate, steps, totp
from members import but, recipe, service
from members_iam import ANN, ARN, BOB, ONE_ARN, READER, READ_ONLY, TAGS, TWO_TAGS, document, lists

iam = service("iam")

OTHER = {}


def tags(kind, who, given, members):
    """Tag…, Untag… and List…Tags of one kind of thing."""
    tag, see = iam(f"Tag{kind}", **who, Tags=TWO_TAGS), iam(f"List{kind}Tags", **who)
    recipe(iam(f"Tag{kind}", **who, Tags=TAGS), given=given, see=(see,), members={**members, "Tags.Key": "c", "Tags.Value": "c"})
    recipe(iam(f"Untag{kind}", **who, TagKeys=["a"]), given=(*given, tag), see=(see,), members={**members, "TagKeys": ["b"]})
    lists(see, (*given, tag), members)


# Passwords
FIRST = "First-Pass-1"
LOGIN, BOBS_LOGIN = (iam("CreateLoginProfile", UserName=user, Password=FIRST) for user in ("ann", "bob"))
SEE_LOGIN = (iam("GetLoginProfile", UserName="ann"),)


def changes_from_first(world):
    """Whether ann's password is FIRST: she changes it herself."""
    key = world.call("iam", "CreateAccessKey", {"UserName": "ann"})["AccessKey"]
    world.call("iam", "PutUserPolicy", {"UserName": "ann", "PolicyName": "p", "PolicyDocument": document("iam:ChangePassword")})
    return world.call("iam", "ChangePassword", {"OldPassword": FIRST, "NewPassword": "Third-Pass-3"},
                      (key["AccessKeyId"], key["SecretAccessKey"], None))


recipe(LOGIN, given=(ANN, BOB), see=SEE_LOGIN, members={
    "UserName": "bob", "Password": but("Second-Pass-2", see=(changes_from_first,)), "PasswordResetRequired": True})
recipe(iam("GetLoginProfile", UserName="ann"), given=(ANN, BOB, LOGIN, BOBS_LOGIN), members={"UserName": "bob"})
recipe(iam("UpdateLoginProfile", UserName="ann"), given=(ANN, BOB, LOGIN, BOBS_LOGIN), see=SEE_LOGIN, members={
    "UserName": but("bob", base={"PasswordResetRequired": True}), "Password": but("Second-Pass-2", see=(changes_from_first,)),
    "PasswordResetRequired": True})
recipe(iam("DeleteLoginProfile", UserName="ann"), given=(ANN, BOB, LOGIN, BOBS_LOGIN), see=SEE_LOGIN, members={"UserName": "bob"})
POLICY, SEE_POLICY = iam("UpdateAccountPasswordPolicy", MinimumPasswordLength=10), (iam("GetAccountPasswordPolicy"),)
recipe(iam("UpdateAccountPasswordPolicy"), see=SEE_POLICY, members={
    "MinimumPasswordLength": 10, "RequireSymbols": True, "RequireNumbers": True, "RequireUppercaseCharacters": True,
    "RequireLowercaseCharacters": True, "AllowUsersToChangePassword": True, "MaxPasswordAge": 90, "PasswordReusePrevention": 2,
    "HardExpiry": True})
recipe(iam("GetAccountPasswordPolicy"), given=(POLICY,))
recipe(iam("DeleteAccountPasswordPolicy"), given=(POLICY,), see=SEE_POLICY)

# The account's alias: one, and its own among all accounts
ALIAS = iam("CreateAccountAlias", AccountAlias="corp-<account>")
SEE_ALIAS = (iam("ListAccountAliases"),)
recipe(ALIAS, see=SEE_ALIAS, members={"AccountAlias": "firm-<account>"})
recipe(iam("DeleteAccountAlias", AccountAlias="corp-<account>"), given=(ALIAS,), see=SEE_ALIAS, members={"AccountAlias": "firm-<account>"})
recipe(iam("ListAccountAliases"), given=(ALIAS,), members={
    "MaxItems": but(1001, error="ValidationError"), "Marker": but("nothing", error="ValidationError")})

# MFA devices
SERIAL, SERIAL_TWO = ARN + "mfa/phone", ARN + "mfa/team/tablet"


def code(at, device="phone"):
    return lambda world: totp(world.kept[device], steps() + at)


def enable(user, serial, device):
    return iam("EnableMFADevice", UserName=user, SerialNumber=serial, AuthenticationCode1=code(-1, device), AuthenticationCode2=code(0, device))


PHONE = iam("CreateVirtualMFADevice", VirtualMFADeviceName="phone").keep(phone="VirtualMFADevice.Base32StringSeed")
TABLET = iam("CreateVirtualMFADevice", VirtualMFADeviceName="tablet", Path="/team/").keep(tablet="VirtualMFADevice.Base32StringSeed")
ENABLED, BOTH_ENABLED = enable("ann", SERIAL, "phone"), enable("ann", SERIAL_TWO, "tablet")
SEE_DEVICES = (iam("ListVirtualMFADevices"),)
WRONG = "InvalidAuthenticationCode"
other_device = {"SerialNumber": SERIAL_TWO}
recipe(iam("CreateVirtualMFADevice", VirtualMFADeviceName="phone"), see=(*SEE_DEVICES, iam("ListMFADeviceTags", SerialNumber=SERIAL)), members={
    "Path": "/team/", "VirtualMFADeviceName": "tablet", "Tags": TAGS,
    "Tags.Key": but("c", base={"Tags": TAGS}), "Tags.Value": but("c", base={"Tags": TAGS})})
recipe(ENABLED, given=(ANN, BOB, PHONE), see=SEE_DEVICES, members={
    "UserName": "bob", "SerialNumber": SERIAL_TWO, "AuthenticationCode1": but(code(-9), error=WRONG), "AuthenticationCode2": but(code(-9), error=WRONG)})
recipe(iam("ResyncMFADevice", UserName="ann", SerialNumber=SERIAL, AuthenticationCode1=code(100), AuthenticationCode2=code(101)),
       given=(ANN, BOB, PHONE, ENABLED), see=SEE_DEVICES, members={
    "UserName": "bob", **other_device, "AuthenticationCode1": but(code(200), error=WRONG), "AuthenticationCode2": but(code(200), error=WRONG)})
recipe(iam("DeactivateMFADevice", UserName="ann", SerialNumber=SERIAL), given=(ANN, BOB, PHONE, TABLET, ENABLED, BOTH_ENABLED), see=SEE_DEVICES,
       members={"UserName": "bob", **other_device})
recipe(iam("DeleteVirtualMFADevice", SerialNumber=SERIAL), given=(PHONE, TABLET), see=SEE_DEVICES, members=other_device)
recipe(iam("GetMFADevice", SerialNumber=SERIAL, UserName="ann"), given=(ANN, BOB, PHONE, TABLET, ENABLED, BOTH_ENABLED), members={
    "UserName": "bob", **other_device})
lists(iam("ListMFADevices", UserName="ann"), (ANN, PHONE, TABLET, ENABLED, BOTH_ENABLED))
lists(iam("ListVirtualMFADevices"), (ANN, PHONE, TABLET, ENABLED), {"AssignmentStatus": "Assigned"})
tags("MFADevice", {"SerialNumber": SERIAL}, (PHONE,), other_device)

# Certificates and SSH keys
with tempfile.TemporaryDirectory() as folder:
    ROOT_PAIR = certificate(folder, "root")
    LEAF_PAIR = certificate(folder, "leaf", ROOT_PAIR)
    ROOT_KEY, ROOT, LEAF_KEY, LEAF = (path.read_text() for path in (*ROOT_PAIR, *LEAF_PAIR))
    ROOT_PUBLIC, LEAF_PUBLIC = (subprocess.run(["openssl", "rsa", "-in", pair[0], "-pubout"], check=True, capture_output=True, text=True).stdout
                                for pair in (ROOT_PAIR, LEAF_PAIR))
SITE = iam("UploadServerCertificate", ServerCertificateName="site", CertificateBody=LEAF, PrivateKey=LEAF_KEY)
SHOP = iam("UploadServerCertificate", ServerCertificateName="shop", CertificateBody=ROOT, PrivateKey=ROOT_KEY, Path="/team/")
SEE_SITES = (iam("ListServerCertificates"), iam("GetServerCertificate", ServerCertificateName="site"))
other_site = {"ServerCertificateName": "shop"}
recipe(SITE, see=SEE_SITES, members={
    **other_site, "Path": "/team/", "CertificateBody": but(ROOT, error="KeyPairMismatch"), "PrivateKey": but(ROOT_KEY, error="KeyPairMismatch"),
    "CertificateChain": ROOT, "Tags": TAGS, "Tags.Key": but("c", base={"Tags": TAGS}), "Tags.Value": but("c", base={"Tags": TAGS})})
recipe(iam("GetServerCertificate", ServerCertificateName="site"), given=(SITE, SHOP), members=other_site)
recipe(iam("UpdateServerCertificate", ServerCertificateName="site", NewPath="/web/"), given=(SITE, SHOP), see=(SEE_SITES[0],), members={
    **other_site, "NewPath": "/team/", "NewServerCertificateName": "home"})
recipe(iam("DeleteServerCertificate", ServerCertificateName="site"), given=(SITE, SHOP), see=(SEE_SITES[0],), members=other_site)
lists(iam("ListServerCertificates"), (SITE, SHOP), {"PathPrefix": "/team/"})
tags("ServerCertificate", {"ServerCertificateName": "site"}, (SITE, SHOP), other_site)


def sorted_by(operation, listed, key, **values):
    """A view of a list that comes in the order of generated ids."""
    return lambda world: sorted(world.call("iam", operation, values)[listed], key=lambda it: it[key])


SIGNS = iam("UploadSigningCertificate", UserName="ann", CertificateBody=LEAF).keep(signs="Certificate.CertificateId")
SIGNS_TOO = iam("UploadSigningCertificate", UserName="ann", CertificateBody=ROOT).keep(signs_too="Certificate.CertificateId")
SEE_SIGNS = (sorted_by("ListSigningCertificates", "Certificates", "CertificateBody", UserName="ann"),)
other_signs = {"UserName": "bob", "CertificateId": "<signs_too>"}
recipe(iam("UploadSigningCertificate", UserName="ann", CertificateBody=LEAF), given=(ANN, BOB), see=SEE_SIGNS, members={
    "UserName": "bob", "CertificateBody": ROOT})
recipe(iam("UpdateSigningCertificate", UserName="ann", CertificateId="<signs>", Status="Inactive"), given=(ANN, BOB, SIGNS, SIGNS_TOO),
       see=SEE_SIGNS, members={**other_signs, "Status": "Active"})
recipe(iam("DeleteSigningCertificate", UserName="ann", CertificateId="<signs>"), given=(ANN, BOB, SIGNS, SIGNS_TOO), see=SEE_SIGNS,
       members=other_signs)
lists(iam("ListSigningCertificates", UserName="ann"), (ANN, BOB, SIGNS, SIGNS_TOO), {"UserName": "bob"})

GIT = iam("UploadSSHPublicKey", UserName="ann", SSHPublicKeyBody=LEAF_PUBLIC).keep(git="SSHPublicKey.SSHPublicKeyId")
GIT_TOO = iam("UploadSSHPublicKey", UserName="ann", SSHPublicKeyBody=ROOT_PUBLIC).keep(git_too="SSHPublicKey.SSHPublicKeyId")


def see_git(world):
    keys = world.call("iam", "ListSSHPublicKeys", {"UserName": "ann"})["SSHPublicKeys"]
    which = ({"UserName": "ann", "SSHPublicKeyId": key["SSHPublicKeyId"], "Encoding": "PEM"} for key in keys)
    return sorted((world.call("iam", "GetSSHPublicKey", it)["SSHPublicKey"] for it in which), key=lambda key: key["SSHPublicKeyBody"])


other_git = {"UserName": "bob", "SSHPublicKeyId": "<git_too>"}
GITS = (ANN, BOB, GIT, GIT_TOO)
recipe(iam("UploadSSHPublicKey", UserName="ann", SSHPublicKeyBody=LEAF_PUBLIC), given=(ANN, BOB), see=(see_git,), members={
    "UserName": "bob", "SSHPublicKeyBody": ROOT_PUBLIC})
recipe(iam("GetSSHPublicKey", UserName="ann", SSHPublicKeyId="<git>", Encoding="PEM"), given=GITS, members={**other_git, "Encoding": "SSH"})
recipe(iam("UpdateSSHPublicKey", UserName="ann", SSHPublicKeyId="<git>", Status="Inactive"), given=GITS, see=(see_git,), members={
    **other_git, "Status": "Active"})
recipe(iam("DeleteSSHPublicKey", UserName="ann", SSHPublicKeyId="<git>"), given=GITS, see=(see_git,), members=other_git)
lists(iam("ListSSHPublicKeys", UserName="ann"), GITS, {"UserName": "bob"})

# Service-specific credentials
COMMITS, TABLES = "codecommit.amazonaws.com", "cassandra.amazonaws.com"


def credential(user, for_service, name):
    step = iam("CreateServiceSpecificCredential", UserName=user, ServiceName=for_service)
    return step.keep(**{name: "ServiceSpecificCredential.ServiceSpecificCredentialId"})


CREDENTIAL, CREDENTIAL_TOO = credential("ann", COMMITS, "credential"), credential("ann", TABLES, "credential_too")
CREDENTIALS = (ANN, BOB, CREDENTIAL, CREDENTIAL_TOO, credential("bob", COMMITS, "bobs"))
SEE_CREDENTIALS = (sorted_by("ListServiceSpecificCredentials", "ServiceSpecificCredentials", "ServiceName", UserName="ann"),)
other_credential = {"UserName": "bob", "ServiceSpecificCredentialId": "<credential_too>"}
recipe(iam("CreateServiceSpecificCredential", UserName="ann", ServiceName=COMMITS), given=(ANN, BOB), see=SEE_CREDENTIALS, members={
    "UserName": "bob", "ServiceName": TABLES, "CredentialAgeDays": but(30, base={"ServiceName": "bedrock.amazonaws.com"})})
recipe(iam("UpdateServiceSpecificCredential", UserName="ann", ServiceSpecificCredentialId="<credential>", Status="Inactive"), given=CREDENTIALS,
       see=SEE_CREDENTIALS, members={**other_credential, "Status": "Active"})
recipe(iam("ResetServiceSpecificCredential", UserName="ann", ServiceSpecificCredentialId="<credential>"), given=CREDENTIALS,
       members=other_credential)
recipe(iam("DeleteServiceSpecificCredential", UserName="ann", ServiceSpecificCredentialId="<credential>"), given=CREDENTIALS,
       see=SEE_CREDENTIALS, members=other_credential)
ALL_USERS = {"UserName": None, "AllUsers": True}
# Of one user all come at once: two of each service at most.
FIRST_CREDENTIALS = iam("ListServiceSpecificCredentials", AllUsers=True, MaxItems=1).keep(next="Marker")
recipe(iam("ListServiceSpecificCredentials", UserName="ann"), given=CREDENTIALS, members={
    "UserName": "bob", "ServiceName": COMMITS, "AllUsers": but(True, base={"UserName": None}, caller="iam:ListServiceSpecificCredentials"), "MaxItems": but(1, base=ALL_USERS),
    "Marker": but("<next>", given=(FIRST_CREDENTIALS,), base={**ALL_USERS, "MaxItems": 1})})

# Service-linked roles
SCALING, ECS = "AWSServiceRoleForAutoScaling", "AWSServiceRoleForECS"
LINKED, LINKED_TOO = (iam("CreateServiceLinkedRole", AWSServiceName=f"{name}.amazonaws.com") for name in ("autoscaling", "ecs"))
DELETING, DELETING_TOO = (iam("DeleteServiceLinkedRole", RoleName=name).keep(**{kept: "DeletionTaskId"})
                          for name, kept in ((SCALING, "task"), (ECS, "task_too")))
recipe(LINKED, members={"AWSServiceName": "ecs.amazonaws.com", "CustomSuffix": "blue", "Description": but("d", see=(iam("GetRole", RoleName=SCALING),))})
recipe(iam("DeleteServiceLinkedRole", RoleName=SCALING), given=(LINKED, LINKED_TOO), see=(iam("ListRoles"),), members={"RoleName": ECS})
recipe(iam("GetServiceLinkedRoleDeletionStatus", DeletionTaskId="<task>"), given=(LINKED, DELETING), members={
    "DeletionTaskId": "task/aws-service-role/ecs.amazonaws.com/none/00000000-0000-0000-0000-000000000000"})

# Reports
STARTED = iam("GenerateCredentialReport")
REPORT = (iam("GetCredentialReport"),)
recipe(STARTED, see=REPORT)
recipe(iam("GetCredentialReport"), given=(ANN, STARTED, STARTED))
ANN_ARN, NO_JOB = ARN + "user/ann", "00000000-0000-0000-0000-000000000000"
MAY = iam("PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=document(["lambda:*", "logs:*"]))
ALSO = iam("AttachUserPolicy", UserName="ann", PolicyArn=READ_ONLY)


def job(arn, name="job", **more):
    return iam("GenerateServiceLastAccessedDetails", Arn=arn, **more).keep(**{name: "JobId"})


def see_job(world):
    return world.call("iam", "GetServiceLastAccessedDetails", {"JobId": world.answer["JobId"]})


recipe(iam("GenerateServiceLastAccessedDetails", Arn=ANN_ARN), given=(ANN, BOB, MAY), see=(see_job,), members={
    "Arn": ARN + "user/team/bob", "Granularity": "ACTION_LEVEL"})
recipe(iam("GetServiceLastAccessedDetails", JobId="<job>"), given=(ANN, MAY, job(ANN_ARN)), members={
    "JobId": NO_JOB, "MaxItems": 1,
    "Marker": but("<next>", given=(iam("GetServiceLastAccessedDetails", JobId="<job>", MaxItems=1).keep(next="Marker"),), base={"MaxItems": 1})})
recipe(iam("GetAccountAuthorizationDetails"), given=(ANN, BOB, READER), members={
    "Filter": ["Role"], "MaxItems": 1,
    "Marker": but("<next>", given=(iam("GetAccountAuthorizationDetails", MaxItems=1).keep(next="Marker"),), base={"MaxItems": 1})})
ENTITIES_JOB = (ANN, BOB, iam("CreatePolicy", PolicyName="one", PolicyDocument=document(["lambda:*"])),
                iam("AttachUserPolicy", UserName="ann", PolicyArn=ONE_ARN), iam("AttachUserPolicy", UserName="bob", PolicyArn=ONE_ARN),
                job(ONE_ARN))
ENTITIES = iam("GetServiceLastAccessedDetailsWithEntities", JobId="<job>", ServiceNamespace="lambda")
recipe(ENTITIES, given=ENTITIES_JOB, members={
    "JobId": NO_JOB, "ServiceNamespace": "s3", "MaxItems": 1,
    "Marker": but("<next>", given=(iam(ENTITIES.operation, **ENTITIES.input, MaxItems=1).keep(next="Marker"),), base={"MaxItems": 1})})
GRANTING = iam("ListPoliciesGrantingServiceAccess", Arn=ANN_ARN, ServiceNamespaces=["lambda"])
recipe(GRANTING, given=(ANN, BOB, MAY, ALSO), members={
    "Arn": ARN + "user/team/bob", "ServiceNamespaces": ["logs"], "Marker": but("nothing", error="ValidationError")})

# Preferences and features
recipe(iam("SetSecurityTokenServicePreferences", GlobalEndpointTokenVersion="v1Token"), see=(iam("GetAccountSummary"),), members={
    "GlobalEndpointTokenVersion": "v2Token"})
VENDS = iam("EnableOutboundWebIdentityFederation")
recipe(VENDS, see=(iam("GetOutboundWebIdentityFederationInfo"),))
recipe(iam("GetOutboundWebIdentityFederationInfo"), given=(VENDS,))
recipe(iam("DisableOutboundWebIdentityFederation"), given=(VENDS,), see=(iam("GetOutboundWebIdentityFederationInfo"),))
# No account is in an organization.
for operation in ("ListOrganizationsFeatures", "EnableOrganizationsRootSessions", "DisableOrganizationsRootSessions",
                  "EnableOrganizationsRootCredentialsManagement", "DisableOrganizationsRootCredentialsManagement"):
    recipe(iam(operation), error="OrganizationNotFoundException")

# Context keys
CONDITION = [json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*",
                                                                "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}})]
recipe(iam("GetContextKeysForCustomPolicy", PolicyInputList=[document("s3:*")]), members={"PolicyInputList": CONDITION})
recipe(iam("GetContextKeysForPrincipalPolicy", PolicySourceArn=ANN_ARN), given=(ANN, BOB, iam(
    "PutUserPolicy", UserName="bob", PolicyName="p", PolicyDocument=CONDITION[0])), members={
    "PolicySourceArn": ARN + "user/team/bob", "PolicyInputList": CONDITION})

# Simulations
BUCKET, BOB_ARN = "arn:aws:s3:::a/1", ARN + "user/team/bob"
BUCKET_POLICY = json.dumps({"Version": "2012-10-17", "Statement": {
    "Effect": "Allow", "Principal": {"AWS": ANN_ARN}, "Action": "s3:GetObject", "Resource": "*"}})
FROM_HERE = {"ContextKeyName": "aws:SourceIp", "ContextKeyValues": ["10.1.2.3"], "ContextKeyType": "ip"}
NOTHING = {"PolicyInputList": [document("sqs:*")], "ResourceArns": [BUCKET]}


def simulates(call, given, granted, asked, members):
    """`granted`: what grants BUCKET to no one; `asked`: its caller who is not in the bucket's policy."""
    conditional = {"PolicyInputList": CONDITION, "ContextEntries": [FROM_HERE], "ActionNames": ["s3:GetObject"]}
    of_bucket = {**granted, "ActionNames": ["s3:GetObject"], "ResourcePolicy": BUCKET_POLICY, "CallerArn": ANN_ARN}
    two = {"ActionNames": ["s3:GetObject", "s3:PutObject"]}
    first = iam(call.operation, **{**call.input, **two}, MaxItems=1).keep(next="Marker")
    recipe(call, given=given, members={
        "PermissionsBoundaryPolicyInputList": [document("sqs:*")], "ActionNames": ["s3:PutObject"], "ResourceArns": [BUCKET],
        "ResourcePolicy": but(BUCKET_POLICY, base={**of_bucket, "ResourcePolicy": None}),
        "ResourceOwner": but("arn:aws:iam::111122223333:root", base=of_bucket),
        "CallerArn": but(ANN_ARN, base={**of_bucket, "CallerArn": asked}),
        "ContextEntries.ContextKeyName": but("aws:VpcSourceIp", base=conditional),
        "ContextEntries.ContextKeyValues": but(["11.1.2.3"], base=conditional),
        "ContextEntries.ContextKeyType": but("numeric", base=conditional, error="InvalidInput"),
        "ResourceHandlingOption": but("EC2-VPC-InstanceStore", error="InvalidInput"),
        "MaxItems": but(1, base=two), "Marker": but("<next>", given=(first,), base={**two, "MaxItems": 1}), **members})


simulates(iam("SimulateCustomPolicy", PolicyInputList=[document("s3:Get*")], ActionNames=["s3:GetObject"]), (), NOTHING, BOB_ARN, {
    "PolicyInputList": [document("sqs:*")], "OrderedOrganizationPolicyInputList.ServiceControlPolicyInputList": [document("ec2:*")]})
INLINE = {"InlinePolicyIdentifier": {"PolicyName": "p", "AttachmentType": "user", "AttachmentName": "ann"}}
inline = {"PolicyExclusionList": [INLINE]}
GETS = iam("PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=document("s3:Get*"))
simulates(iam("SimulatePrincipalPolicy", PolicySourceArn=ANN_ARN, ActionNames=["s3:GetObject"]), (ANN, BOB, GETS, ALSO),
          {**NOTHING, "PolicySourceArn": BOB_ARN}, BOB_ARN, {
    "PolicySourceArn": BOB_ARN, "PolicyInputList": [document("s3:*")], "PolicyExclusionList.PolicyType": "inline",
    "PolicyExclusionList.PolicyArn": READ_ONLY,
    "PolicyExclusionList.InlinePolicyIdentifier.PolicyName": but("q", base=inline),
    "PolicyExclusionList.InlinePolicyIdentifier.AttachmentType": but("group", base=inline),
    "PolicyExclusionList.InlinePolicyIdentifier.AttachmentName": but("bob", base=inline)})

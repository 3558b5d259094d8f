"""How each member of IAM's operations is seen to act (see members.py)."""

import json

from cloud import TRUST
from members import but, recipe, service

iam = service("iam")

ARN = "arn:aws:iam::<account>:"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
POWER = "arn:aws:iam::aws:policy/PowerUserAccess"
OTHER_TRUST = TRUST.replace("lambda", "ec2")


def document(action):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})


TAGS = [{"Key": "a", "Value": "1"}]
TWO_TAGS = TAGS + [{"Key": "b", "Value": "2"}]
ANN, BOB = iam("CreateUser", UserName="ann"), iam("CreateUser", UserName="bob", Path="/team/")
STAFF, GUESTS = iam("CreateGroup", GroupName="staff"), iam("CreateGroup", GroupName="guests", Path="/team/")
READER = iam("CreateRole", RoleName="reader", AssumeRolePolicyDocument=TRUST)
WRITER = iam("CreateRole", RoleName="writer", AssumeRolePolicyDocument=TRUST, Path="/team/")
BOX = iam("CreateInstanceProfile", InstanceProfileName="box")
CRATE = iam("CreateInstanceProfile", InstanceProfileName="crate", Path="/team/")
FILLED = iam("AddRoleToInstanceProfile", InstanceProfileName="box", RoleName="reader")
ONE = iam("CreatePolicy", PolicyName="one", PolicyDocument=document("s3:Get*"))
TWO = iam("CreatePolicy", PolicyName="two", PolicyDocument=document("s3:Put*"), Path="/team/")
SECOND = iam("CreatePolicyVersion", PolicyArn=ARN + "policy/one", PolicyDocument=document("s3:List*"))
KEY = iam("CreateAccessKey", UserName="ann").keep(key="AccessKey.AccessKeyId")
KEY_TWO = iam("CreateAccessKey", UserName="ann").keep(key_two="AccessKey.AccessKeyId")
ONE_ARN, TWO_ARN = ARN + "policy/one", ARN + "policy/team/two"

# Another value of names that only say which thing is meant.
OTHER = {"UserName": "other", "GroupName": "other", "RoleName": "other", "InstanceProfileName": "other", "PolicyName": "other",
         "PolicyArn": ARN + "policy/other"}


def paged(call, given=()):
    """MaxItems cuts, Marker goes on; both on a list of at least two."""
    first = iam(call.operation, **call.input, MaxItems=1).keep(next="Marker")
    return {"MaxItems": but(1, given=given),
            "Marker": but("<next>", given=(*given, first), base={"MaxItems": 1})}


def lists(call, given, members=None):
    recipe(call, given=given, members={**paged(call), **(members or {})})


# Users
SEE_ANN = (iam("GetUser", UserName="ann"), iam("ListUserTags", UserName="ann"))
recipe(iam("CreateUser", UserName="ann"), see=SEE_ANN, members={
    "Path": "/team/", "PermissionsBoundary": READ_ONLY, "Tags": TAGS,
    "Tags.Key": but("c", base={"Tags": TAGS}), "Tags.Value": but("c", base={"Tags": TAGS})})
recipe(iam("GetUser", UserName="ann"), given=(ANN, BOB), members={"UserName": "bob"})
recipe(iam("UpdateUser", UserName="ann"), given=(ANN, BOB), see=(iam("ListUsers"),), members={
    "NewPath": "/team/", "NewUserName": "anna"})
recipe(iam("DeleteUser", UserName="ann"), given=(ANN, BOB), see=(iam("ListUsers"),), members={"UserName": "bob"})
lists(iam("ListUsers"), (ANN, BOB), {"PathPrefix": "/team/"})

# Access keys
recipe(iam("CreateAccessKey", UserName="ann"), given=(ANN, BOB), see=(iam("ListAccessKeys", UserName="ann"),), members={"UserName": "bob"})
recipe(iam("DeleteAccessKey", UserName="ann", AccessKeyId="<key>"), given=(ANN, KEY), see=(iam("ListAccessKeys", UserName="ann"),),
       members={"AccessKeyId": "AKIAAAAAAAAAAAAAAAAA"})
recipe(iam("UpdateAccessKey", UserName="ann", AccessKeyId="<key>", Status="Inactive"), given=(ANN, KEY),
       see=(iam("ListAccessKeys", UserName="ann"),), members={"AccessKeyId": "AKIAAAAAAAAAAAAAAAAA", "Status": "Active"})
recipe(iam("GetAccessKeyLastUsed", AccessKeyId="<key>"), given=(ANN, KEY),
       members={"AccessKeyId": "AKIAAAAAAAAAAAAAAAAA"})
lists(iam("ListAccessKeys", UserName="ann"), (ANN, KEY, KEY_TWO))

# Groups
recipe(iam("CreateGroup", GroupName="staff"), see=(iam("ListGroups"),), members={"Path": "/team/"})
recipe(iam("UpdateGroup", GroupName="staff"), given=(STAFF,), see=(iam("ListGroups"),), members={
    "NewPath": "/team/", "NewGroupName": "crew"})
recipe(iam("DeleteGroup", GroupName="staff"), given=(STAFF, GUESTS), see=(iam("ListGroups"),), members={"GroupName": "guests"})
IN_STAFF = iam("AddUserToGroup", GroupName="staff", UserName="ann")
BOB_IN_STAFF = iam("AddUserToGroup", GroupName="staff", UserName="bob")
IN_GUESTS = iam("AddUserToGroup", GroupName="guests", UserName="ann")
SEE_STAFF = (iam("GetGroup", GroupName="staff"),)
lists(iam("GetGroup", GroupName="staff"), (STAFF, ANN, BOB, IN_STAFF, BOB_IN_STAFF))
lists(iam("ListGroups"), (STAFF, GUESTS), {"PathPrefix": "/team/"})
lists(iam("ListGroupsForUser", UserName="ann"), (STAFF, GUESTS, ANN, IN_STAFF, IN_GUESTS))
recipe(iam("AddUserToGroup", GroupName="staff", UserName="ann"), given=(STAFF, GUESTS, ANN, BOB), see=SEE_STAFF, members={
    "UserName": "bob", "GroupName": "guests"})
recipe(iam("RemoveUserFromGroup", GroupName="staff", UserName="ann"), given=(STAFF, GUESTS, ANN, BOB, IN_STAFF, BOB_IN_STAFF, IN_GUESTS),
       see=SEE_STAFF, members={"UserName": "bob", "GroupName": "guests"})

# Roles
SEE_READER = (iam("GetRole", RoleName="reader"), iam("ListRoleTags", RoleName="reader"))
recipe(iam("CreateRole", RoleName="reader", AssumeRolePolicyDocument=TRUST), see=SEE_READER, members={
    "Path": "/team/", "AssumeRolePolicyDocument": OTHER_TRUST, "Description": "d", "MaxSessionDuration": 7200,
    "PermissionsBoundary": READ_ONLY, "Tags": TAGS,
    "Tags.Key": but("c", base={"Tags": TAGS}), "Tags.Value": but("c", base={"Tags": TAGS})})
recipe(iam("GetRole", RoleName="reader"), given=(READER,))
recipe(iam("UpdateRole", RoleName="reader"), given=(READER,), see=SEE_READER, members={"Description": "d", "MaxSessionDuration": 7200})
recipe(iam("UpdateRoleDescription", RoleName="reader", Description="d"), given=(READER,), see=SEE_READER, members={"Description": "e"})
recipe(iam("UpdateAssumeRolePolicy", RoleName="reader", PolicyDocument=TRUST), given=(READER,), see=SEE_READER,
       members={"PolicyDocument": OTHER_TRUST})
recipe(iam("DeleteRole", RoleName="reader"), given=(READER, WRITER), see=(iam("ListRoles"),), members={"RoleName": "writer"})
lists(iam("ListRoles"), (READER, WRITER), {"PathPrefix": "/team/"})

# Instance profiles
SEE_BOX = (iam("GetInstanceProfile", InstanceProfileName="box"),)
recipe(iam("CreateInstanceProfile", InstanceProfileName="box"), see=SEE_BOX, members={
    "Path": "/team/", "Tags": TAGS, "Tags.Key": but("c", base={"Tags": TAGS}), "Tags.Value": but("c", base={"Tags": TAGS})})
recipe(iam("GetInstanceProfile", InstanceProfileName="box"), given=(BOX,))
recipe(iam("DeleteInstanceProfile", InstanceProfileName="box"), given=(BOX, CRATE), see=(iam("ListInstanceProfiles"),),
       members={"InstanceProfileName": "crate"})
recipe(iam("AddRoleToInstanceProfile", InstanceProfileName="box", RoleName="reader"), given=(READER, WRITER, BOX, CRATE), see=SEE_BOX,
       members={"InstanceProfileName": "crate", "RoleName": "writer"})
recipe(iam("RemoveRoleFromInstanceProfile", InstanceProfileName="box", RoleName="reader"), given=(READER, BOX, FILLED), see=SEE_BOX)
lists(iam("ListInstanceProfiles"), (BOX, CRATE), {"PathPrefix": "/team/"})
lists(iam("ListInstanceProfilesForRole", RoleName="reader"),
      (READER, BOX, CRATE, FILLED, iam("AddRoleToInstanceProfile", InstanceProfileName="crate", RoleName="reader")))

# Managed policies
SEE_ONE = (iam("GetPolicy", PolicyArn=ONE_ARN), iam("GetPolicyVersion", PolicyArn=ONE_ARN, VersionId="v1"), iam("ListPolicyTags", PolicyArn=ONE_ARN))
recipe(iam("CreatePolicy", PolicyName="one", PolicyDocument=document("s3:Get*")), see=SEE_ONE, members={
    "Path": but("/team/", see=(iam("ListPolicies", Scope="Local"),)), "PolicyDocument": document("s3:Put*"), "Description": "d", "Tags": TAGS,
    "Tags.Key": but("c", base={"Tags": TAGS}), "Tags.Value": but("c", base={"Tags": TAGS})})
recipe(iam("GetPolicy", PolicyArn=ONE_ARN), given=(ONE,))
recipe(iam("DeletePolicy", PolicyArn=ONE_ARN), given=(ONE,), see=(iam("ListPolicies", Scope="Local"),))
USED = (ANN, ONE, TWO, iam("AttachUserPolicy", UserName="ann", PolicyArn=ONE_ARN), iam("PutUserPermissionsBoundary", UserName="ann",
                                                                                      PermissionsBoundary=TWO_ARN))
LOCAL = iam("ListPolicies", Scope="Local")
lists(iam("ListPolicies", Scope="Local"), USED, {
    "Scope": "AWS", "OnlyAttached": True, "PathPrefix": "/team/", "PolicyUsageFilter": "PermissionsBoundary"})
ENTITIES = (ANN, BOB, READER, ONE, TWO, iam("AttachUserPolicy", UserName="ann", PolicyArn=ONE_ARN),
            iam("AttachUserPolicy", UserName="bob", PolicyArn=ONE_ARN), iam("AttachRolePolicy", RoleName="reader", PolicyArn=ONE_ARN),
            iam("PutUserPermissionsBoundary", UserName="ann", PermissionsBoundary=ONE_ARN))
lists(iam("ListEntitiesForPolicy", PolicyArn=ONE_ARN), ENTITIES, {
    "EntityFilter": "Role", "PathPrefix": "/team/", "PolicyUsageFilter": "PermissionsBoundary"})
SEE_VERSIONS = (iam("ListPolicyVersions", PolicyArn=ONE_ARN), iam("GetPolicyVersion", PolicyArn=ONE_ARN, VersionId="v2"))
recipe(iam("CreatePolicyVersion", PolicyArn=ONE_ARN, PolicyDocument=document("s3:List*")), given=(ONE,), see=SEE_VERSIONS, members={
    "PolicyDocument": document("s3:Put*"), "SetAsDefault": True})
recipe(iam("GetPolicyVersion", PolicyArn=ONE_ARN, VersionId="v1"), given=(ONE, SECOND), members={"VersionId": "v2"})
THIRD = iam("CreatePolicyVersion", PolicyArn=ONE_ARN, PolicyDocument=document("s3:Copy*"))
recipe(iam("DeletePolicyVersion", PolicyArn=ONE_ARN, VersionId="v2"), given=(ONE, SECOND, THIRD),
       see=(iam("ListPolicyVersions", PolicyArn=ONE_ARN),), members={"VersionId": "v3"})
lists(iam("ListPolicyVersions", PolicyArn=ONE_ARN), (ONE, SECOND))
recipe(iam("SetDefaultPolicyVersion", PolicyArn=ONE_ARN, VersionId="v2"), given=(ONE, SECOND, THIRD),
       see=(iam("GetPolicy", PolicyArn=ONE_ARN),), members={"VersionId": "v3"})

# Policies of users, groups and roles: inline, attached, boundaries
for kind, entity, made in (("User", "ann", (ANN,)), ("Group", "staff", (STAFF,)), ("Role", "reader", (READER,))):
    who = {f"{kind}Name": entity}
    put_one = iam(f"Put{kind}Policy", **who, PolicyName="p", PolicyDocument=document("s3:Get*"))
    put_two = iam(f"Put{kind}Policy", **who, PolicyName="q", PolicyDocument=document("s3:Put*"))
    plural = iam(f"List{kind}Policies", **who)
    recipe(put_one, given=made, see=(plural, iam(f"Get{kind}Policy", **who, PolicyName="p")), members={"PolicyDocument": document("s3:List*")})
    recipe(iam(f"Get{kind}Policy", **who, PolicyName="p"), given=(*made, put_one))
    recipe(iam(f"Delete{kind}Policy", **who, PolicyName="p"), given=(*made, put_one, put_two), see=(plural,), members={"PolicyName": "q"})
    lists(plural, (*made, put_one, put_two))
    attach_one, attach_two = (iam(f"Attach{kind}Policy", **who, PolicyArn=arn) for arn in (ONE_ARN, TWO_ARN))
    attached = iam(f"ListAttached{kind}Policies", **who)
    recipe(attach_one, given=(*made, ONE, TWO), see=(attached,), members={"PolicyArn": TWO_ARN})
    recipe(iam(f"Detach{kind}Policy", **who, PolicyArn=ONE_ARN), given=(*made, ONE, TWO, attach_one, attach_two), see=(attached,),
           members={"PolicyArn": TWO_ARN})
    lists(attached, (*made, ONE, TWO, attach_one, attach_two), {"PathPrefix": "/team/"})
    if kind != "Group":
        put = iam(f"Put{kind}PermissionsBoundary", **who, PermissionsBoundary=READ_ONLY)
        see = (iam(f"Get{kind}", **who),)
        recipe(put, given=made, see=see, members={"PermissionsBoundary": POWER})
        recipe(iam(f"Delete{kind}PermissionsBoundary", **who), given=(*made, put), see=see)

# Tags
for kind, who, made in (("User", {"UserName": "ann"}, (ANN,)), ("Role", {"RoleName": "reader"}, (READER,)),
                        ("Policy", {"PolicyArn": ONE_ARN}, (ONE,)), ("InstanceProfile", {"InstanceProfileName": "box"}, (BOX,))):
    tag, tags = iam(f"Tag{kind}", **who, Tags=TWO_TAGS), iam(f"List{kind}Tags", **who)
    recipe(iam(f"Tag{kind}", **who, Tags=TAGS), given=made, see=(tags,), members={"Tags": TWO_TAGS, "Tags.Key": "c", "Tags.Value": "c"})
    recipe(iam(f"Untag{kind}", **who, TagKeys=["a"]), given=(*made, tag), see=(tags,), members={"TagKeys": ["b"]})
    lists(tags, (*made, tag))

recipe(iam("GetAccountSummary"))

"""How each member of STS's operations is seen to act (see members.py)."""

import json

import botocore.exceptions

from members import but, recipe, service

sts, iam = service("sts"), service("iam")

OTHER = {}
ROLE = "arn:aws:iam::<account>:role/"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
TAGS = [{"Key": "a", "Value": "1"}]


def trust(**condition):
    statement = {"Effect": "Allow", "Principal": {"AWS": "<account>"}, "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(action, resource="*", **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}]})


def role(name, document=None, *policies):
    return (iam("CreateRole", RoleName=name, AssumeRolePolicyDocument=document or trust(), MaxSessionDuration=7200),
            *(iam("PutRolePolicy", RoleName=name, PolicyName="p", PolicyDocument=p) for p in policies))


ASSUME = sts("AssumeRole", RoleArn=ROLE + "reader", RoleSessionName="one")


def session(service, operation, **values):
    """What the session of an AssumeRole may do: the last answer's credentials are used."""
    def look(world):
        credentials = world.answer["Credentials"]
        try:
            return world.call(service, operation, values, (credentials["AccessKeyId"], credentials["SecretAccessKey"],
                                                           credentials["SessionToken"]))
        except botocore.exceptions.ClientError as error:
            return {"Error": error.response["Error"]}
    return look


def lasts(world):
    """How long the session is good for, in rounded minutes."""
    import datetime
    left = world.answer["Credentials"]["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    return round(left.total_seconds() / 60)


def token_is_long(world):
    return len(world.answer["Credentials"]["SessionToken"]) >= 3000


USERS = session("iam", "ListUsers")
WIDE = allow(["iam:*", "sts:*"])
TAGGED = allow("iam:ListUsers", Condition={"StringEquals": {"aws:PrincipalTag/a": "1"}})
WITH_ID = trust(StringEquals={"sts:ExternalId": "42"})
BY_SOURCE = allow("iam:ListUsers", Condition={"StringEquals": {"aws:SourceIdentity": "ann"}})
# A session that passes its tags on may not be given them again.
AGAIN = session("sts", "AssumeRole", RoleArn=ROLE + "second", RoleSessionName="again")
BY_TAG = trust(StringEquals={"aws:RequestTag/a": "1"})

recipe(ASSUME, given=role("reader", None, WIDE), members={
    "RoleArn": but(ROLE + "writer", given=role("writer")),
    "RoleSessionName": "two",
    "PolicyArns": but([{"arn": "arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess"}], see=(session("iam", "CreateUser", UserName="x"),)),
    "PolicyArns.arn": but("arn:aws:iam::aws:policy/AdministratorAccess", base={"PolicyArns": [{"arn": READ_ONLY}]},
                          see=(session("iam", "CreateUser", UserName="x"),)),
    "Policy": but(allow("s3:*"), see=(USERS,)),
    "DurationSeconds": but(1800, see=(lasts,)),
    "Tags": but(TAGS, given=role("tagged", None, TAGGED), base={"RoleArn": ROLE + "tagged"}, see=(USERS,)),
    "Tags.Key": but("b", given=role("tagged", None, TAGGED), base={"RoleArn": ROLE + "tagged", "Tags": TAGS}, see=(USERS,)),
    "Tags.Value": but("2", given=role("tagged", None, TAGGED), base={"RoleArn": ROLE + "tagged", "Tags": TAGS}, see=(USERS,)),
    "TransitiveTagKeys": but(["a"], base={"Tags": TAGS}, given=role("second", BY_TAG), see=(AGAIN,)),
    "ExternalId": but("43", base={"RoleArn": ROLE + "outside", "ExternalId": "42"}, given=role("outside", WITH_ID), error="AccessDenied"),
    "SerialNumber": but("arn:aws:iam::<account>:mfa/m", error="AccessDenied"),
    "TokenCode": but("123456", error="AccessDenied"),
    "SourceIdentity": but("ann", given=role("sourced", None, BY_SOURCE), base={"RoleArn": ROLE + "sourced"}, see=(USERS,)),
    "ProvidedContexts": but([{"ProviderArn": "arn:aws:iam::aws:contextProvider/IdentityCenter", "ContextAssertion": "assertion"}],
                            error="InvalidParameterValue"),
    "ProvidedContexts.ProviderArn": but("arn:aws:iam::aws:contextProvider/IdentityCenter", error="InvalidParameterValue"),
    "ProvidedContexts.ContextAssertion": but("assertion", error="InvalidParameterValue"),
    "MinimumSessionTokenSize": but(3000, see=(token_is_long,)),
})
recipe(sts("GetSessionToken"), members={
    "DurationSeconds": but(900, see=(lasts,)),
    "SerialNumber": but("arn:aws:iam::<account>:mfa/m", error="AccessDenied"),
    "TokenCode": but("123456", error="AccessDenied"),
    "MinimumSessionTokenSize": but(3000, see=(token_is_long,)),
})
recipe(sts("GetCallerIdentity"))
ANN = iam("CreateUser", UserName="ann")
KEY = iam("CreateAccessKey", UserName="ann").keep(key="AccessKey.AccessKeyId")
recipe(sts("GetAccessKeyInfo", AccessKeyId="<key>"), given=(ANN, KEY), members={"AccessKeyId": but("ASIA0000000000000000", error="ValidationError")})

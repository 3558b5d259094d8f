"""Who is asking: keys are verified and policies enforced; the owner's convenience has its limits."""

import datetime
import http.client
import json
import os
import subprocess
from unittest import mock

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest

from cloud import ACCOUNT, REGION, TRUST, Functions

NOW = botocore.auth.get_current_datetime


def fails(code, call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == code, error.value.response
    return error.value.response["Error"]["Message"]


@pytest.fixture
def user(cloud):
    iam = cloud.client("iam")
    name = f"user-{os.urandom(4).hex()}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return name, key["AccessKeyId"], key["SecretAccessKey"]


def allow(cloud, name, action, resource="*", effect="Allow", policy="p", **more):
    cloud.client("iam").put_user_policy(UserName=name, PolicyName=policy, PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}]}))


def test_owner_convenience_is_the_accounts_administrator(cloud):
    me = cloud.client("sts").get_caller_identity()
    assert (me["Account"], me["Arn"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
    assert cloud.client("sts", key="123456789012").get_caller_identity()["Account"] == "123456789012"
    assert cloud.client("sts", key="anything").get_caller_identity()["Account"] == ACCOUNT


def test_a_known_key_is_verified(cloud, user):
    name, key, secret = user
    assert cloud.client("sts", key, secret).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{name}"
    fails("SignatureDoesNotMatch", cloud.client("sts", key, "wrong").get_caller_identity)
    fails("InvalidSignatureException", cloud.client("logs", key, "wrong").describe_log_groups)


def test_policies_are_enforced_and_denials_say_why(cloud, user):
    name, key, secret = user
    api = cloud.client("lambda", key, secret)
    words = fails("AccessDeniedException", api.list_functions)
    assert words == (f"User: arn:aws:iam::{ACCOUNT}:user/{name} is not authorized to perform: lambda:ListFunctions "
                     f"on resource: * because no identity-based policy allows the lambda:ListFunctions action")
    allow(cloud, name, "lambda:List*")
    api.list_functions()
    allow(cloud, name, "lambda:ListFunctions", effect="Deny", policy="no")
    assert "with an explicit deny in an identity-based policy" in fails("AccessDeniedException", api.list_functions)


def test_deactivated_and_deleted_keys_stop_working(cloud, user):
    name, key, secret = user
    iam, me = cloud.client("iam"), cloud.client("sts", key, secret)
    iam.update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")
    fails("InvalidClientTokenId", me.get_caller_identity)
    iam.update_access_key(UserName=name, AccessKeyId=key, Status="Active")
    assert me.get_caller_identity()["Account"] == ACCOUNT


def test_assumed_role_has_the_roles_rights_only(cloud, user):
    name, key, secret = user
    iam = cloud.client("iam")
    role = f"role-{os.urandom(4).hex()}"
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{name}"}, "Action": "sts:AssumeRole",
         "Condition": {"StringEquals": {"sts:ExternalId": "e1"}}}]}))["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": "*"}]}))
    sts = cloud.client("sts", key, secret)
    fails("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="session")
    session = sts.assume_role(RoleArn=arn, RoleSessionName="session", ExternalId="e1")
    assert session["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session"
    keys = session["Credentials"]
    temporary = (keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    cloud.client("logs", *temporary).describe_log_groups()
    fails("AccessDeniedException", cloud.client("lambda", *temporary).list_functions)
    narrowed = sts.assume_role(RoleArn=arn, RoleSessionName="session", ExternalId="e1", Policy=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:ListLogGroups", "Resource": "*"}]}))["Credentials"]
    fails("AccessDeniedException", cloud.client("logs", narrowed["AccessKeyId"], narrowed["SecretAccessKey"],
                                                narrowed["SessionToken"]).describe_log_groups)
    fails("InvalidClientTokenId", cloud.client("sts", temporary[0], temporary[1], "x" + temporary[2]).get_caller_identity)


def test_permissions_boundary_cuts(cloud, user):
    name, key, secret = user
    iam = cloud.client("iam")
    boundary = iam.create_policy(PolicyName=f"b-{os.urandom(4).hex()}", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}))["Policy"]["Arn"]
    allow(cloud, name, "*")
    cloud.client("lambda", key, secret).list_functions()
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=boundary)
    words = fails("AccessDeniedException", cloud.client("lambda", key, secret).list_functions)
    assert "because no permissions boundary allows the lambda:ListFunctions action" in words
    cloud.client("logs", key, secret).describe_log_groups()


def test_iam_records_and_errors(cloud):
    iam = cloud.client("iam")
    name = f"r-{os.urandom(4).hex()}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Path="/team/", Tags=[{"Key": "a", "Value": "b"}])["Role"]
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/team/{name}" and role["RoleId"].startswith("AROA")
    assert role["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert iam.get_role(RoleName=name)["Role"]["Tags"] == [{"Key": "a", "Value": "b"}]
    fails("EntityAlreadyExists", iam.create_role, RoleName=name, AssumeRolePolicyDocument=TRUST)
    fails("MalformedPolicyDocument", iam.create_role, RoleName="x", AssumeRolePolicyDocument="{")
    fails("NoSuchEntity", iam.get_user, UserName="nobody")
    fails("ValidationError", iam.create_user, UserName="bad name!")
    policy = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}))["Policy"]
    iam.attach_role_policy(RoleName=name, PolicyArn=policy["Arn"])
    assert iam.get_policy(PolicyArn=policy["Arn"])["Policy"]["AttachmentCount"] == 1
    fails("DeleteConflict", iam.delete_role, RoleName=name)
    fails("DeleteConflict", iam.delete_policy, PolicyArn=policy["Arn"])
    iam.detach_role_policy(RoleName=name, PolicyArn=policy["Arn"])
    iam.delete_role(RoleName=name)
    iam.delete_policy(PolicyArn=policy["Arn"])
    fails("NoSuchEntity", iam.get_role, RoleName=name)


def test_iam_paginates(cloud):
    iam = cloud.client("iam", key="222222222222")
    for i in range(5):
        iam.create_user(UserName=f"u{i}")
    names = [u["UserName"] for p in iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 2}) for u in p["Users"]]
    assert names == [f"u{i}" for i in range(5)]


# Requests no SDK would make.

def raw(cloud, headers=None, body=b"", method="POST", path="/"):
    connection = http.client.HTTPConnection(cloud.address, timeout=20)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def signed(cloud, key, secret, service="sts", when=None, body="Action=GetCallerIdentity&Version=2011-06-15"):
    request = botocore.awsrequest.AWSRequest(method="POST", url=cloud.url + "/", data=body,
                                             headers={"Content-Type": "application/x-www-form-urlencoded"})
    signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(key, secret), service, REGION)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda *a, **k: when or NOW()):
        signer.add_auth(request)
    return dict(request.headers), body.encode()


def test_unsigned_call_is_refused(cloud):
    status, _, body = raw(cloud, {"Content-Type": "application/x-www-form-urlencoded"},
                          b"Action=GetCallerIdentity&Version=2011-06-15")
    assert status == 403 and b"<Code>MissingAuthenticationToken</Code>" in body


def test_expired_signature_is_refused(cloud, user):
    _, key, secret = user
    headers, body = signed(cloud, key, secret, when=NOW() - datetime.timedelta(minutes=20))
    status, _, answer = raw(cloud, headers, body)
    assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in answer and b"Signature expired: " in answer


def test_tampered_body_is_refused(cloud, user):
    _, key, secret = user
    headers, body = signed(cloud, key, secret)
    assert raw(cloud, headers, body)[0] == 200
    assert raw(cloud, headers, body + b"&x=1")[0] == 403


def test_web_pages_cannot_drive_it(cloud):
    headers, body = signed(cloud, ACCOUNT, "x")
    assert raw(cloud, headers, body)[0] == 200
    assert raw(cloud, {**headers, "Origin": "https://evil.example"}, body)[0] == 403
    assert raw(cloud, {**headers, "Host": "evil.example"}, body)[0] == 403
    assert raw(cloud, {"Origin": "https://evil.example"}, b"", path="/_pileus/reset")[0] == 403


def test_other_users_of_the_machine_are_not_the_owner(cloud):
    if os.geteuid() != 0:
        pytest.skip("needs root, to ask as another user")
    headers, body = signed(cloud, ACCOUNT, "x")
    arguments = sum((["-H", f"{k}: {v}"] for k, v in headers.items()), [])
    answer = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "curl", "-s", "-d", body.decode(), *arguments, cloud.url],
                            capture_output=True, text=True)
    assert "InvalidClientTokenId" in answer.stdout
    refused = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
                              "-X", "POST", cloud.url + "/_pileus/reset"], capture_output=True, text=True)
    assert refused.stdout == "403"


def test_a_quota_is_told_as_aws_tells_it(cloud):
    iam = cloud.client("iam")
    user = f"u-{os.urandom(4).hex()}"
    iam.create_user(UserName=user)
    for _ in range(2):
        iam.create_access_key(UserName=user)
    with pytest.raises(iam.exceptions.LimitExceededException) as error:
        iam.create_access_key(UserName=user)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409


def test_an_arn_of_another_account_is_not_ones_own(cloud):
    functions = Functions(cloud)
    name = functions.create("def handler(e, c): return 1\n")
    arn = functions.api.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    stranger = cloud.client("lambda", key="111111111111")
    for call in (stranger.get_function, stranger.get_function_configuration, stranger.delete_function):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            call(FunctionName=arn)
        assert error.value.response["Error"]["Code"] == "AccessDeniedException"

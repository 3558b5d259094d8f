"""Resource policies: who else may call a function, and that it is they and nobody else."""

import json
import os

import botocore.exceptions
import pytest

from cloud import ACCOUNT, REGION

OTHER, THIRD = "222222222222", "333333333333"


def fails(code, call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == code, error.value.response
    return error.value.response["Error"]["Message"]


@pytest.fixture
def name(functions):
    return functions.create("def handler(e, c): return 'called'\n", Publish=True)


def arn_of(name, qualifier=""):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}" + (f":{qualifier}" if qualifier else "")


def add(api, name, sid="s", action="lambda:InvokeFunction", principal="s3.amazonaws.com", **more):
    return json.loads(api.add_permission(FunctionName=name, StatementId=sid, Action=action, Principal=principal, **more)["Statement"])


def test_statements_are_made_as_aws_makes_them(functions, name):
    api = functions.api
    fails("ResourceNotFoundException", api.get_policy, FunctionName=name)
    assert add(api, name, "bucket", SourceArn="arn:aws:s3:::bucket", SourceAccount=ACCOUNT) == {
        "Sid": "bucket", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:InvokeFunction",
        "Resource": arn_of(name),
        "Condition": {"StringEquals": {"AWS:SourceAccount": ACCOUNT}, "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}}}
    assert add(api, name, "account", principal=OTHER)["Principal"] == {"AWS": f"arn:aws:iam::{OTHER}:root"}
    role = f"arn:aws:iam::{OTHER}:role/r"
    assert add(api, name, "role", principal=role)["Principal"] == {"AWS": role}
    assert add(api, name, "org", principal="*", PrincipalOrgID="o-abcdefghij") == {
        "Sid": "org", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": arn_of(name),
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}}
    url = add(api, name, "url", "lambda:InvokeFunctionUrl", "*", FunctionUrlAuthType="NONE")
    assert url["Condition"] == {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}
    via = add(api, name, "via", principal="*", InvokedViaFunctionUrl=True)
    assert via["Condition"] == {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}
    skill = add(api, name, "skill", principal="alexa-connectedhome.amazon.com", EventSourceToken="amzn1.ask.skill.1")
    assert skill["Condition"] == {"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill.1"}}
    policy = api.get_policy(FunctionName=name)
    document = json.loads(policy["Policy"])
    assert (document["Version"], document["Id"]) == ("2012-10-17", "default")
    assert [s["Sid"] for s in document["Statement"]] == ["bucket", "account", "role", "org", "url", "via", "skill"]
    api.remove_permission(FunctionName=name, StatementId="role", RevisionId=policy["RevisionId"])
    assert len(json.loads(api.get_policy(FunctionName=name)["Policy"])["Statement"]) == 6


def test_bad_permissions_change_nothing(functions, name):
    api = functions.api
    add(api, name, "s")
    revision = api.get_policy(FunctionName=name)["RevisionId"]
    words = fails("ResourceConflictException", api.add_permission, FunctionName=name, StatementId="s", Action="lambda:GetFunction",
                  Principal=OTHER)
    assert words == "The statement id (s) provided already exists. Please provide a new statement id, or remove the existing statement."
    base = dict(FunctionName=name, StatementId="t", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
    for change in [{"Principal": "nonsense"}, {"Principal": "arn:aws:iam::1:root"}, {"Principal": "arn:aws:iam::222222222222:role/*"},
                   {"Qualifier": "$LATEST"}, {"FunctionUrlAuthType": "NONE"}]:
        fails("InvalidParameterValueException", api.add_permission, **{**base, **change})
    fails("PreconditionFailedException", api.add_permission, **base, RevisionId="stale")
    fails("ResourceNotFoundException", api.add_permission, **{**base, "FunctionName": "missing"})
    fails("ResourceNotFoundException", api.add_permission, **base, Qualifier="9")
    fails("ResourceNotFoundException", api.add_permission, **base, Qualifier="nobody")
    fails("ResourceNotFoundException", api.remove_permission, FunctionName=name, StatementId="other")
    fails("ResourceNotFoundException", api.remove_permission, FunctionName=name, StatementId="s", Qualifier="1")
    fails("PreconditionFailedException", api.remove_permission, FunctionName=name, StatementId="s", RevisionId="stale")
    assert api.get_policy(FunctionName=name)["RevisionId"] == revision
    api.remove_permission(FunctionName=name, StatementId="s")
    fails("ResourceNotFoundException", api.get_policy, FunctionName=name)


def test_a_policy_has_a_limit(functions, name):
    api = functions.api
    with pytest.raises(botocore.exceptions.ClientError) as error:
        for n in range(200):
            add(api, name, f"statement-{n:060}", SourceArn="arn:aws:s3:::" + "b" * 60)
    assert error.value.response["Error"]["Code"] == "PolicyLengthExceededException"
    assert len(api.get_policy(FunctionName=name)["Policy"]) <= 20480


def test_another_account_calls_only_what_both_sides_allow(cloud, functions, name):
    api, theirs = functions.api, cloud.client("lambda", key=OTHER)
    arn = arn_of(name)
    words = fails("AccessDeniedException", theirs.invoke, FunctionName=arn)
    assert "no resource-based policy allows the lambda:InvokeFunction action" in words
    for call in (theirs.get_function, theirs.get_policy, theirs.delete_function, theirs.list_aliases, theirs.publish_version):
        fails("AccessDeniedException", call, FunctionName=arn)
    fails("ResourceNotFoundException", theirs.invoke, FunctionName=name)
    functions.invoke(name)
    add(api, name, "call", principal=OTHER)
    for named in (arn, f"{ACCOUNT}:function:{name}"):
        assert json.loads(theirs.invoke(FunctionName=named)["Payload"].read()) == "called"
    fails("AccessDeniedException", theirs.invoke, FunctionName=arn, Qualifier="1")
    fails("AccessDeniedException", theirs.get_function, FunctionName=arn)
    fails("AccessDeniedException", cloud.client("lambda", key=THIRD).invoke, FunctionName=arn)
    add(api, name, "see", "lambda:GetFunction", OTHER)
    assert theirs.get_function(FunctionName=arn)["Configuration"]["FunctionArn"] == arn
    assert theirs.invoke(FunctionName=arn, InvocationType="DryRun")["StatusCode"] == 204
    # Their own side: a user of theirs without a policy may not, one with may.
    iam = cloud.client("iam", key=OTHER)
    user = f"user-{os.urandom(4).hex()}"
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    as_user = cloud.client("lambda", key["AccessKeyId"], key["SecretAccessKey"])
    assert "identity-based policy" in fails("AccessDeniedException", as_user.invoke, FunctionName=arn)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn}]}))
    assert as_user.invoke(FunctionName=arn)["StatusCode"] == 200
    api.remove_permission(FunctionName=name, StatementId="call")
    fails("AccessDeniedException", as_user.invoke, FunctionName=arn)
    fails("AccessDeniedException", theirs.invoke, FunctionName=arn)


def test_policies_of_versions_and_aliases_are_their_own_and_go_with_them(cloud, functions, name):
    api, theirs = functions.api, cloud.client("lambda", key=OTHER)
    api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert add(api, name, principal=OTHER, Qualifier="live")["Resource"] == arn_of(name, "live")
    assert add(api, name, principal=OTHER, Qualifier="1")["Resource"] == arn_of(name, "1")
    fails("AccessDeniedException", theirs.invoke, FunctionName=arn_of(name))
    for qualifier in ("live", "1"):
        assert theirs.invoke(FunctionName=arn_of(name, qualifier))["ExecutedVersion"] == "1"
    fails("ResourceNotFoundException", api.get_policy, FunctionName=name)
    api.delete_alias(FunctionName=name, Name="live")
    api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    fails("ResourceNotFoundException", api.get_policy, FunctionName=name, Qualifier="live")
    fails("AccessDeniedException", theirs.invoke, FunctionName=arn_of(name, "live"))
    add(api, name, principal=OTHER)
    add(api, name, principal=OTHER, Qualifier="live")
    api.delete_function(FunctionName=name)
    functions.create("def handler(e, c): return 'new'\n", name=name, Publish=True)
    api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for qualifier in ("", "1", "live"):
        fails("AccessDeniedException", theirs.invoke, FunctionName=arn_of(name, qualifier))
        fails("ResourceNotFoundException", api.get_policy, FunctionName=arn_of(name, qualifier))


def test_a_policy_grants_within_the_account_and_a_deny_wins(cloud, functions, name):
    user = f"user-{os.urandom(4).hex()}"
    functions.iam.create_user(UserName=user)
    key = functions.iam.create_access_key(UserName=user)["AccessKey"]
    api = cloud.client("lambda", key["AccessKeyId"], key["SecretAccessKey"])
    fails("AccessDeniedException", api.invoke, FunctionName=name)
    add(functions.api, name, principal=f"arn:aws:iam::{ACCOUNT}:user/{user}")
    assert api.invoke(FunctionName=name)["StatusCode"] == 200
    deny = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{user}"}, "Action": "lambda:InvokeFunction",
         "Resource": arn_of(name)}]}
    functions.api.put_resource_policy(ResourceArn=arn_of(name), Policy=json.dumps(deny))
    assert "explicit deny in a resource-based policy" in fails("AccessDeniedException", api.invoke, FunctionName=name)
    functions.invoke(name)


def test_whole_policies_replace_are_read_and_deleted(functions, name):
    api, arn = functions.api, arn_of(name)
    add(api, name, "old")
    statement = {"Sid": "new", "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "lambda:InvokeFunction",
                 "Resource": arn, "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    fails("PreconditionFailedException", api.put_resource_policy, ResourceArn=arn, Policy=text,
          RevisionId="00000000-0000-4000-8000-000000000000")
    put = api.put_resource_policy(ResourceArn=arn, Policy=text)
    assert json.loads(put["Policy"]) == json.loads(text)
    read = api.get_resource_policy(ResourceArn=arn)
    assert (read["Policy"], read["RevisionId"]) == (put["Policy"], put["RevisionId"])
    assert api.get_policy(FunctionName=name)["RevisionId"] == put["RevisionId"]
    assert add(api, name, "more")["Sid"] == "more"

    def whole(**change):
        return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **change}]})
    fails("PublicPolicyException", api.put_resource_policy, ResourceArn=arn, Policy=whole(Principal="*", Condition={}))
    api.put_resource_policy(ResourceArn=arn, Policy=whole(Principal="*"))
    for bad in ["{", json.dumps({"Version": "2012-10-17"}), whole(Resource=arn + "x"), whole(Action="s3:GetObject"),
                whole(Effect="Maybe"), whole(Principal={"Service": 1})]:
        fails("InvalidParameterValueException", api.put_resource_policy, ResourceArn=arn, Policy=bad)
    fails("ResourceNotFoundException", api.put_resource_policy, ResourceArn=arn_of("missing"), Policy=text.replace(name, "missing"))
    api.delete_resource_policy(ResourceArn=arn)
    fails("ResourceNotFoundException", api.get_resource_policy, ResourceArn=arn)
    fails("ResourceNotFoundException", api.delete_resource_policy, ResourceArn=arn)


def test_who_may_grant_is_decided_by_principal_and_tags(cloud, functions, name):
    user = f"user-{os.urandom(4).hex()}"
    functions.iam.create_user(UserName=user)
    key = functions.iam.create_access_key(UserName=user)["AccessKey"]
    functions.iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["lambda:AddPermission", "lambda:RemovePermission"], "Resource": "*",
         "Condition": {"StringEquals": {"lambda:Principal": "s3.amazonaws.com"}}},
        {"Effect": "Allow", "Action": "lambda:GetFunction", "Resource": "*",
         "Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}]}))
    api = cloud.client("lambda", key["AccessKeyId"], key["SecretAccessKey"])
    fails("AccessDeniedException", api.add_permission, FunctionName=name, StatementId="x", Action="lambda:InvokeFunction", Principal=OTHER)
    add(api, name, "mine")
    api.remove_permission(FunctionName=name, StatementId="mine")
    fails("AccessDeniedException", api.get_function, FunctionName=name)
    functions.api.tag_resource(Resource=arn_of(name), Tags={"team": "a"})
    shown = api.get_function(FunctionName=name)
    assert "Tags" not in shown and shown["TagsError"]["ErrorCode"] == "AccessDeniedException"
    assert functions.api.get_function(FunctionName=name)["Tags"] == {"team": "a"}
    functions.api.untag_resource(Resource=arn_of(name), TagKeys=["team"])
    fails("AccessDeniedException", api.get_function, FunctionName=name)

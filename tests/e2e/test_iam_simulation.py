"""The policy simulator, and `pileus iam explain` that asks it."""

import json
import subprocess

import pytest

from cloud import ACCOUNT, BINARY, TRUST
from iam_tools import document, fails, new_name, new_user, statement

ONE = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}'


def custom(iam, policies, action, **more):
    return iam.simulate_custom_policy(PolicyInputList=policies, ActionNames=[action], **more)["EvaluationResults"][0]


def test_aws_own_example(cloud):
    """The example of the CLI's reference: `aws iam simulate-custom-policy`."""
    assert custom(cloud.client("iam"), [ONE], "dynamodb:CreateBackup") == {
        "EvalActionName": "dynamodb:CreateBackup", "EvalResourceName": "*", "EvalDecision": "allowed",
        "MatchedStatements": [{"SourcePolicyId": "PolicyInputList.1", "SourcePolicyType": "none",
                               "StartPosition": {"Line": 1, "Column": 38}, "EndPosition": {"Line": 1, "Column": 167}}],
        "MissingContextValues": []}


def test_decisions_and_what_matched(cloud):
    iam = cloud.client("iam")
    allow, deny = document(statement("s3:Get*")), document(statement("s3:*", effect="Deny"), statement("sqs:*"))
    assert custom(iam, [allow], "s3:PutObject")["EvalDecision"] == "implicitDeny"
    assert custom(iam, [allow], "s3:PutObject")["MatchedStatements"] == []
    denied = custom(iam, [allow, deny], "s3:GetObject")
    assert denied["EvalDecision"] == "explicitDeny"
    assert [it["SourcePolicyId"] for it in denied["MatchedStatements"]] == ["PolicyInputList.2"]
    both = custom(iam, [allow, document(statement("*"))], "s3:GetObject")
    assert len(both["MatchedStatements"]) == 2


def test_each_resource_has_a_result(cloud):
    iam = cloud.client("iam")
    policy = document(statement("s3:GetObject", "arn:aws:s3:::a/*"))
    result = custom(iam, [policy], "s3:GetObject", ResourceArns=["arn:aws:s3:::a/1", "arn:aws:s3:::b/1"])
    assert result["EvalDecision"] == "implicitDeny"
    assert [(it["EvalResourceName"], it["EvalResourceDecision"]) for it in result["ResourceSpecificResults"]] == [
        ("arn:aws:s3:::a/1", "allowed"), ("arn:aws:s3:::b/1", "implicitDeny")]


def test_missing_context_is_told_and_given_context_decides(cloud):
    iam = cloud.client("iam")
    policy = document(statement("s3:GetObject", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), statement("sqs:*"))
    result = custom(iam, [policy], "s3:GetObject")
    assert (result["EvalDecision"], result["MissingContextValues"]) == ("implicitDeny", ["aws:SourceIp"])
    assert custom(iam, [policy], "sqs:SendMessage")["MissingContextValues"] == []
    given = [{"ContextKeyName": "aws:SourceIp", "ContextKeyValues": ["10.1.2.3"], "ContextKeyType": "ip"}]
    assert custom(iam, [policy], "s3:GetObject", ContextEntries=given)["EvalDecision"] == "allowed"
    specific = custom(iam, [policy], "s3:GetObject", ResourceArns=["arn:aws:s3:::a/1"])
    assert (specific["MissingContextValues"], specific["ResourceSpecificResults"][0]["MissingContextValues"]) == ([], ["aws:SourceIp"])
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[policy, document(statement("s3:*", "arn:aws:s3:::b/${aws:username}"))])
    assert keys["ContextKeyNames"] == ["aws:SourceIp", "aws:username"]


def test_boundary_organization_and_resource_policy(cloud):
    iam = cloud.client("iam")
    allow = document(statement("s3:*"))
    cut = custom(iam, [allow], "s3:GetObject", PermissionsBoundaryPolicyInputList=[document(statement("sqs:*"))])
    assert (cut["EvalDecision"], cut["PermissionsBoundaryDecisionDetail"]) == ("implicitDeny", {"AllowedByPermissionsBoundary": False})
    level = [{"ServiceControlPolicyInputList": [document(statement("ec2:*"))]}]
    cut = custom(iam, [allow], "s3:GetObject", OrderedOrganizationPolicyInputList=level)
    assert (cut["EvalDecision"], cut["OrganizationsDecisionDetail"]) == ("implicitDeny", {"AllowedByOrganizations": False})
    caller = f"arn:aws:iam::{ACCOUNT}:user/ann"
    bucket = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": caller}, "Action": "s3:GetObject", "Resource": "*"}})
    granted = dict(ResourcePolicy=bucket, ResourceArns=["arn:aws:s3:::a/1"])
    nothing = document(statement("sqs:*"))
    fails("InvalidInput", iam.simulate_custom_policy, PolicyInputList=[nothing], ActionNames=["s3:GetObject"], **granted)
    result = custom(iam, [nothing], "s3:GetObject", CallerArn=caller, **granted)
    assert result["EvalDecision"] == "allowed"
    assert result["MatchedStatements"][0]["SourcePolicyType"] == "resource"
    across = custom(iam, [nothing], "s3:GetObject", CallerArn=caller, ResourceOwner="arn:aws:iam::111122223333:root", **granted)
    assert (across["EvalDecision"], across["EvalDecisionDetails"]) == ("implicitDeny", {"IAM Policy": "implicitDeny", "Resource Policy": "allowed"})


def test_a_principals_policies_are_simulated(cloud):
    iam = cloud.client("iam")
    user, _ = new_user(cloud)
    arn, group = iam.get_user(UserName=user)["User"]["Arn"], new_name("group")
    iam.create_group(GroupName=group)
    iam.add_user_to_group(GroupName=group, UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="mine", PolicyDocument=document(statement("s3:Get*", "arn:aws:s3:::home/${aws:username}/*")))
    iam.put_group_policy(GroupName=group, PolicyName="ours", PolicyDocument=document(statement("sqs:*")))
    iam.attach_group_policy(GroupName=group, PolicyArn="arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess")

    def source(action, resource="*", **more):
        result = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=[action], ResourceArns=[resource], **more)["EvaluationResults"][0]
        return result["EvalDecision"], [(it["SourcePolicyType"], it["SourcePolicyId"]) for it in result["MatchedStatements"]]

    assert source("s3:GetObject", f"arn:aws:s3:::home/{user}/x") == ("allowed", [("user", "mine")])
    assert source("s3:GetObject", "arn:aws:s3:::home/bob/x") == ("implicitDeny", [])
    assert source("sqs:SendMessage") == ("allowed", [("group", "ours")])
    assert source("lambda:ListFunctions") == ("allowed", [("aws-managed", "AWSLambda_ReadOnlyAccess")])
    deny = document(statement("sqs:*", effect="Deny"))
    assert source("sqs:SendMessage", PolicyInputList=[deny]) == ("explicitDeny", [("none", "PolicyInputList.1")])
    assert source("sqs:SendMessage", PolicyExclusionList=[{"PolicyType": "inline"}]) == ("implicitDeny", [])
    keys = iam.get_context_keys_for_principal_policy(PolicySourceArn=arn)["ContextKeyNames"]
    assert keys == ["aws:username"]
    pages = list(iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=arn, ActionNames=[f"sqs:Action{i}" for i in range(5)], PaginationConfig={"PageSize": 2}))
    assert [it["EvalActionName"] for page in pages for it in page["EvaluationResults"]] == [f"sqs:Action{i}" for i in range(5)]
    assert "does not clearly define" in fails("InvalidInput", iam.simulate_principal_policy, PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:root", ActionNames=["s3:GetObject"])
    fails("NoSuchEntity", iam.simulate_principal_policy, PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/nobody", ActionNames=["s3:GetObject"])
    for bad in ("nothing", "s3:Get*"):
        fails("InvalidInput", iam.simulate_principal_policy, PolicySourceArn=arn, ActionNames=[bad])
    fails("InvalidInput", iam.simulate_custom_policy, PolicyInputList=["{}"], ActionNames=["s3:GetObject"])


@pytest.fixture
def explain(cloud):
    def run(*arguments):
        answer = subprocess.run([BINARY, "iam", "explain", "--listen", cloud.address, *arguments], capture_output=True, text=True, timeout=30)
        return answer.returncode, answer.stdout, answer.stderr
    return run


def test_explain_shows_the_statement_that_decides(cloud, explain):
    iam = cloud.client("iam")
    user, _ = new_user(cloud)
    arn = iam.get_user(UserName=user)["User"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "Reading", "Effect": "Allow", "Action": "s3:Get*", "Resource": "*"},
        {"Sid": "Secrets", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::secret/*"}]}, indent=2)
    iam.put_user_policy(UserName=user, PolicyName="shelf", PolicyDocument=policy)
    status, words, _ = explain(arn, "s3:GetObject", "arn:aws:s3:::open/a")
    assert status == 0 and "✓ allowed" in words and "inline user policy shelf" in words
    assert '"Sid": "Reading"' in words and "Secrets" not in words and "\x1b" not in words
    status, words, _ = explain(arn, "s3:GetObject", "arn:aws:s3:::secret/a")
    assert status == 1 and "✗ denied" in words and '"Sid": "Secrets"' in words and "Reading" not in words
    status, words, _ = explain(arn, "sqs:SendMessage")
    assert status == 1 and "No policy allows it" in words
    status, _, words = explain(f"arn:aws:iam::{ACCOUNT}:user/nobody", "s3:GetObject")
    assert status == 2 and "cannot be found" in words


def test_explain_takes_sessions_and_context(cloud, explain):
    iam = cloud.client("iam")
    role = new_name("role")
    iam.create_role(RoleName=role, Path="/apps/", AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document(
        statement("s3:*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})))
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/me"
    status, words, _ = explain(session, "s3:GetObject")
    assert status == 1 and "aws:SourceIp" in words
    status, words, _ = explain(session, "s3:GetObject", "--context", "aws:SourceIp=10.0.0.1")
    assert status == 0 and f"role/apps/{role}" in words

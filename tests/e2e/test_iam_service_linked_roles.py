"""Service-linked roles: a service's own, so that nobody else changes them."""

import time

from cloud import ACCOUNT
from iam_tools import document, fails, statement


def test_a_service_linked_role_lives(cloud):
    iam = cloud.client("iam", key="444455556666")
    role = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]
    name = "AWSServiceRoleForECS"
    assert (role["RoleName"], role["Path"]) == (name, "/aws-service-role/ecs.amazonaws.com/")
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "ecs.amazonaws.com"}
    assert "has been taken in this account" in fails("InvalidInput", iam.create_service_linked_role, AWSServiceName="ecs.amazonaws.com")
    words = f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
    everything = document(statement("*"))
    policy = "arn:aws:iam::aws:policy/AdministratorAccess"
    for call, arguments in [(iam.attach_role_policy, dict(PolicyArn=policy)), (iam.detach_role_policy, dict(PolicyArn=policy)),
                            (iam.put_role_policy, dict(PolicyName="p", PolicyDocument=everything)),
                            (iam.delete_role_policy, dict(PolicyName="p")), (iam.delete_role, {}),
                            (iam.put_role_permissions_boundary, dict(PermissionsBoundary=policy)),
                            (iam.update_role, dict(MaxSessionDuration=7200))]:
        assert fails("UnmodifiableEntity", call, RoleName=name, **arguments) == words
    assert iam.update_role_description(RoleName=name, Description="ours")["Role"]["Description"] == "ours"
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    assert task.startswith(f"task/aws-service-role/ecs.amazonaws.com/{name}/")
    for _ in range(50):
        status = iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"]
        if status != "IN_PROGRESS":
            break
        time.sleep(0.1)
    assert status == "SUCCEEDED"
    fails("NoSuchEntity", iam.get_role, RoleName=name)
    fails("NoSuchEntity", iam.get_service_linked_role_deletion_status, DeletionTaskId=task[:-1] + "0x")


def test_suffixes_are_for_services_that_have_several_roles(cloud):
    iam = cloud.client("iam", key="444455556666")
    role = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="blue")["Role"]
    assert role["RoleName"] == "AWSServiceRoleForAutoScaling_blue"
    assert fails("InvalidInput", iam.create_service_linked_role, AWSServiceName="es.amazonaws.com", CustomSuffix="x") == (
        "Custom suffix is not allowed for es.amazonaws.com")
    fails("AccessDenied", iam.create_service_linked_role, AWSServiceName="nothing.amazonaws.com")
    iam.delete_service_linked_role(RoleName=role["RoleName"])

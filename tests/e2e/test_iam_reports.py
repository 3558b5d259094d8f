"""What IAM tells about a whole account."""

import csv
import io

from cloud import TRUST
from iam_tools import document, fails, new_name, new_user, statement


def test_authorization_details_page_through_everything(fresh):
    cloud = fresh()
    iam = cloud.client("iam")
    users = sorted(new_name() for _ in range(3))
    for user in users:
        iam.create_user(UserName=user, Tags=[{"Key": "a", "Value": "b"}])
    iam.put_user_policy(UserName=users[0], PolicyName="p", PolicyDocument=document(statement("s3:*")))
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName=users[0])
    iam.attach_group_policy(GroupName="g", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    iam.create_policy(PolicyName="own", PolicyDocument=document(statement("sqs:*")))
    details = iam.get_account_authorization_details()
    assert [it["UserName"] for it in details["UserDetailList"]] == users
    assert details["UserDetailList"][0]["UserPolicyList"][0]["PolicyDocument"]["Statement"][0]["Action"] == "s3:*"
    assert details["UserDetailList"][0]["GroupList"] == ["g"]
    assert details["GroupDetailList"][0]["AttachedManagedPolicies"][0]["PolicyName"] == "ReadOnlyAccess"
    assert details["RoleDetailList"][0]["AssumeRolePolicyDocument"]["Version"] == "2012-10-17"
    assert {it["PolicyName"] for it in details["Policies"]} == {"own", "ReadOnlyAccess"}
    pages = list(iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 2}))
    assert len(pages) == 4
    assert [it["UserName"] for page in pages for it in page["UserDetailList"]] == users
    assert {it["PolicyName"] for page in pages for it in page["Policies"]} == {"own", "ReadOnlyAccess"}
    roles = iam.get_account_authorization_details(Filter=["Role"])
    assert [it["RoleName"] for it in roles["RoleDetailList"]] == ["r"] and roles["UserDetailList"] == []


def test_the_credential_report(fresh):
    cloud = fresh("--clock", "manual")
    iam = cloud.client("iam")
    fails("ReportNotPresent", iam.get_credential_report)
    user, client = new_user(cloud)
    iam.update_account_password_policy(MaxPasswordAge=10)
    iam.create_login_profile(UserName=user, Password="Secret-123")
    client("sts").get_caller_identity()
    assert iam.generate_credential_report()["State"] == "STARTED"
    assert iam.generate_credential_report()["State"] == "COMPLETE"
    report = iam.get_credential_report()
    assert report["ReportFormat"] == "text/csv"
    rows = {row["user"]: row for row in csv.DictReader(io.StringIO(report["Content"].decode()))}
    assert rows["<root_account>"]["password_enabled"] == "not_supported"
    row = rows[user]
    assert (row["password_enabled"], row["mfa_active"], row["access_key_1_active"], row["access_key_2_active"]) == ("true", "false", "true", "false")
    assert (row["access_key_1_last_used_service"], row["access_key_1_last_used_region"]) == ("sts", "us-east-1")
    assert row["password_next_rotation"] > row["password_last_changed"] and row["cert_1_last_rotated"] == "N/A"
    cloud.admin("POST", "clock", {"by_us": 5 * 3600 * 1000000})
    fails("ReportExpired", iam.get_credential_report)
    assert iam.generate_credential_report()["State"] == "STARTED"


def test_services_last_accessed(cloud):
    iam = cloud.client("iam")
    user, client = new_user(cloud)
    arn = iam.get_user(UserName=user)["User"]["Arn"]
    policy = iam.create_policy(PolicyName=new_name("p"), PolicyDocument=document(statement(["lambda:*", "logs:Describe*"])))["Policy"]["Arn"]
    iam.attach_user_policy(UserName=user, PolicyArn=policy)
    client("logs").describe_log_groups()
    job = iam.generate_service_last_accessed_details(Arn=arn)["JobId"]
    report = iam.get_service_last_accessed_details(JobId=job)
    assert (report["JobStatus"], report["JobType"]) == ("COMPLETED", "SERVICE_LEVEL")
    services = {it["ServiceNamespace"]: it for it in report["ServicesLastAccessed"]}
    assert sorted(services) == ["lambda", "logs"]
    assert services["logs"]["LastAuthenticatedEntity"] == arn and services["logs"]["TotalAuthenticatedEntities"] == 1
    assert "LastAuthenticated" not in services["lambda"]
    job = iam.generate_service_last_accessed_details(Arn=policy)["JobId"]
    entities = iam.get_service_last_accessed_details_with_entities(JobId=job, ServiceNamespace="logs")["EntityDetailsList"]
    assert [(it["EntityInfo"]["Name"], it["EntityInfo"]["Type"]) for it in entities] == [(user, "USER")]
    assert entities[0]["LastAuthenticated"]
    fails("NoSuchEntity", iam.get_service_last_accessed_details, JobId="00000000-0000-0000-0000-000000000000")
    granting = iam.list_policies_granting_service_access(Arn=arn, ServiceNamespaces=["lambda", "s3"])["PoliciesGrantingServiceAccess"]
    assert {it["ServiceNamespace"]: [p["PolicyArn"] for p in it["Policies"]] for it in granting} == {"lambda": [policy], "s3": []}


def test_the_summary_counts_and_preferences_are_kept(fresh):
    iam = fresh().client("iam")
    before = iam.get_account_summary()["SummaryMap"]
    assert (before["GlobalEndpointTokenVersion"], before["MFADevices"], before["ServerCertificatesQuota"]) == (1, 0, 2147483647)
    iam.set_security_token_service_preferences(GlobalEndpointTokenVersion="v2Token")
    iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")
    after = iam.get_account_summary()["SummaryMap"]
    assert (after["GlobalEndpointTokenVersion"], after["MFADevices"]) == (2, 1)


def test_outbound_federation_is_switched(fresh):
    iam = fresh().client("iam")
    fails("FeatureDisabled", iam.get_outbound_web_identity_federation_info)
    issuer = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    assert issuer.startswith("https://")
    fails("FeatureEnabled", iam.enable_outbound_web_identity_federation)
    info = iam.get_outbound_web_identity_federation_info()
    assert (info["IssuerIdentifier"], info["JwtVendingEnabled"]) == (issuer, True)
    iam.disable_outbound_web_identity_federation()
    fails("FeatureDisabled", iam.disable_outbound_web_identity_federation)
    assert iam.enable_outbound_web_identity_federation()["IssuerIdentifier"] == issuer


def test_no_account_is_in_an_organization(cloud):
    iam = cloud.client("iam")
    for call in (iam.list_organizations_features, iam.enable_organizations_root_sessions, iam.disable_organizations_root_sessions,
                 iam.enable_organizations_root_credentials_management, iam.disable_organizations_root_credentials_management):
        fails("OrganizationNotFoundException", call)
    fails("NoSuchEntity", iam.get_organizations_access_report, JobId="00000000-0000-0000-0000-000000000000")


def test_nobody_is_onboarded_to_ask_for_delegation_or_publishes_templates(cloud):
    iam = cloud.client("iam")
    assert iam.list_delegation_requests()["DelegationRequests"] == []
    permissions = {"PolicyTemplateArn": "arn:aws:iam::aws:delegation-template/none"}
    fails("AccessDenied", iam.create_delegation_request, Description="d", Permissions=permissions, RequestorWorkflowId="flow-1",
          NotificationChannel="arn:aws:sns:us-east-1:000000000000:t", SessionDuration=300)
    for call in (iam.get_delegation_request, iam.accept_delegation_request, iam.reject_delegation_request, iam.update_delegation_request,
                 iam.associate_delegation_request, iam.send_delegation_token):
        fails("NoSuchEntity", call, DelegationRequestId="delegation-request-1")
    template = "arn:aws:iam::aws:role-template/none"
    fails("NoSuchEntity", iam.get_role_template_version, TemplateArn=template)
    fails("NoSuchEntity", iam.acquire_role, TemplateArn=template)

"""MFA devices: made, enabled by two codes, asked for by sts, and in the way of deleting their user."""

import json

import pytest

from cloud import ACCOUNT
from iam_tools import document, fails, new_name, new_user, statement, steps, totp


@pytest.fixture
def device(cloud):
    iam = cloud.client("iam")
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName=new_name("mfa"), Path="/phones/")["VirtualMFADevice"]
    yield made["SerialNumber"], made["Base32StringSeed"].decode()


def enable(iam, user, device, at=0):
    serial, seed = device
    now = steps() + at
    iam.enable_mfa_device(UserName=user, SerialNumber=serial, AuthenticationCode1=totp(seed, now - 1),
                          AuthenticationCode2=totp(seed, now))
    return now


def test_a_device_is_a_seed_and_a_qr_code(cloud):
    iam = cloud.client("iam")
    name = new_name("mfa")
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName=name, Tags=[{"Key": "a", "Value": "b"}])["VirtualMFADevice"]
    assert made["SerialNumber"] == f"arn:aws:iam::{ACCOUNT}:mfa/{name}"
    assert len(made["Base32StringSeed"]) == 64
    assert made["QRCodePNG"].startswith(b"\x89PNG\r\n\x1a\n")
    assert fails("EntityAlreadyExists", iam.create_virtual_mfa_device, VirtualMFADeviceName=name) == (
        "MFADevice entity at the same path and name already exists.")
    serial = made["SerialNumber"]
    iam.tag_mfa_device(SerialNumber=serial, Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_mfa_device(SerialNumber=serial, TagKeys=["a"])
    assert iam.list_mfa_device_tags(SerialNumber=serial)["Tags"] == [{"Key": "c", "Value": "d"}]
    iam.delete_virtual_mfa_device(SerialNumber=serial)
    assert "doesn't exist" in fails("NoSuchEntity", iam.delete_virtual_mfa_device, SerialNumber=serial)


def test_two_consecutive_codes_enable_it(cloud, device):
    iam = cloud.client("iam")
    user, _ = new_user(cloud)
    serial, seed = device
    now = steps()
    wrong = dict(UserName=user, SerialNumber=serial)
    assert fails("InvalidAuthenticationCode", iam.enable_mfa_device, **wrong, AuthenticationCode1=totp(seed, now),
                 AuthenticationCode2=totp(seed, now)) == "Authentication code for device is not valid."
    fails("InvalidAuthenticationCode", iam.enable_mfa_device, **wrong, AuthenticationCode1=totp(seed, now),
          AuthenticationCode2=totp(seed, now - 1))
    unassigned = iam.list_virtual_mfa_devices(AssignmentStatus="Unassigned")["VirtualMFADevices"]
    assert serial in [it["SerialNumber"] for it in unassigned]
    enable(iam, user, device)
    assert [it["SerialNumber"] for it in iam.list_mfa_devices(UserName=user)["MFADevices"]] == [serial]
    assigned = iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]
    assert [it["User"]["UserName"] for it in assigned if it["SerialNumber"] == serial] == [user]
    assert iam.get_mfa_device(SerialNumber=serial, UserName=user)["EnableDate"]
    assert iam.get_account_summary()["SummaryMap"]["MFADevicesInUse"] >= 1
    fails("EntityAlreadyExists", iam.enable_mfa_device, UserName=user, SerialNumber=serial,
          AuthenticationCode1=totp(seed, now + 1), AuthenticationCode2=totp(seed, now + 2))
    assert fails("DeleteConflict", iam.delete_virtual_mfa_device, SerialNumber=serial) == (
        "MFA VirtualDevice in use. Must deactivate first.")
    renamed = new_name()
    iam.update_user(UserName=user, NewUserName=renamed)
    assert iam.list_mfa_devices(UserName=renamed)["MFADevices"][0]["UserName"] == renamed
    iam.delete_access_key(UserName=renamed, AccessKeyId=iam.list_access_keys(UserName=renamed)["AccessKeyMetadata"][0]["AccessKeyId"])
    fails("DeleteConflict", iam.delete_user, UserName=renamed)
    iam.deactivate_mfa_device(UserName=renamed, SerialNumber=serial)
    iam.delete_virtual_mfa_device(SerialNumber=serial)
    iam.delete_user(UserName=renamed)


def test_a_device_whose_clock_is_off_is_resynchronized(cloud, device):
    iam = cloud.client("iam")
    user, client = new_user(cloud)
    serial, seed = device
    enable(iam, user, device)
    later = steps() + 100
    fails("AccessDenied", client("sts").get_session_token, SerialNumber=serial, TokenCode=totp(seed, later))
    iam.resync_mfa_device(UserName=user, SerialNumber=serial, AuthenticationCode1=totp(seed, later),
                          AuthenticationCode2=totp(seed, later + 1))
    assert client("sts").get_session_token(SerialNumber=serial, TokenCode=totp(seed, later + 2))["Credentials"]


def test_a_session_with_a_code_may_call_iam_and_a_code_counts_once(cloud, device):
    iam = cloud.client("iam")
    user, client = new_user(cloud)
    serial, seed = device
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document(
        statement("iam:ListUsers", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})))
    # Codes of before now, so that the one for sts is not used up.
    now = enable(iam, user, device, at=-1)
    fails("AccessDenied", client("iam").list_users)
    code = totp(seed, now + 1)
    session = client("sts").get_session_token(SerialNumber=serial, TokenCode=code)["Credentials"]
    with_mfa = cloud.client("iam", session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
    assert with_mfa.list_users()["Users"]
    assert fails("AccessDenied", client("sts").get_session_token, SerialNumber=serial, TokenCode=code) == (
        "MultiFactorAuthentication failed with invalid MFA one time pass code.")


def test_a_trust_policy_may_ask_for_the_factor(cloud, device):
    iam = cloud.client("iam")
    user, client = new_user(cloud)
    serial, seed = device
    role = new_name("role")
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{user}"}, "Action": "sts:AssumeRole",
         "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}]}
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    now = enable(iam, user, device, at=-1)
    sts = client("sts")
    fails("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="me")
    assert sts.assume_role(RoleArn=arn, RoleSessionName="me", SerialNumber=serial, TokenCode=totp(seed, now + 1))["Credentials"]

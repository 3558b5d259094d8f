"""Login profiles and the account's password policy; account aliases."""

import pytest

from iam_tools import fails, new_name, new_user

FULL = dict(MinimumPasswordLength=10, RequireSymbols=True, RequireNumbers=True, RequireUppercaseCharacters=True,
            RequireLowercaseCharacters=True, AllowUsersToChangePassword=True, MaxPasswordAge=90,
            PasswordReusePrevention=2, HardExpiry=True)


@pytest.fixture
def own(fresh):
    """A server of its own: the policy is the account's."""
    return fresh()


def test_the_policy_has_all_its_members_and_defaults(own):
    iam = own.client("iam")
    assert "cannot be found" in fails("NoSuchEntity", iam.get_account_password_policy)
    iam.update_account_password_policy(**FULL)
    assert iam.get_account_password_policy()["PasswordPolicy"] == {**FULL, "ExpirePasswords": True}
    iam.update_account_password_policy()
    policy = iam.get_account_password_policy()["PasswordPolicy"]
    assert (policy["MinimumPasswordLength"], policy["ExpirePasswords"], policy["RequireNumbers"]) == (6, False, False)
    iam.delete_account_password_policy()
    fails("NoSuchEntity", iam.delete_account_password_policy)


def test_a_login_profile_lives(own):
    iam = own.client("iam")
    user, _ = new_user(own)
    assert fails("NoSuchEntity", iam.get_login_profile, UserName=user) == f"Login Profile for User {user} cannot be found."
    made = iam.create_login_profile(UserName=user, Password="Secret-123", PasswordResetRequired=True)["LoginProfile"]
    assert (made["UserName"], made["PasswordResetRequired"]) == (user, True)
    assert fails("EntityAlreadyExists", iam.create_login_profile, UserName=user, Password="Secret-123") == (
        f"Login Profile for user {user} already exists.")
    iam.update_login_profile(UserName=user, PasswordResetRequired=False)
    assert iam.get_login_profile(UserName=user)["LoginProfile"]["PasswordResetRequired"] is False
    key = iam.list_access_keys(UserName=user)["AccessKeyMetadata"][0]["AccessKeyId"]
    iam.delete_access_key(UserName=user, AccessKeyId=key)
    assert fails("DeleteConflict", iam.delete_user, UserName=user) == "Cannot delete entity, must delete login profile first."
    iam.delete_login_profile(UserName=user)
    iam.delete_user(UserName=user)


@pytest.mark.parametrize("password,words", [
    ("Aa1!", "minimum length of 10"), ("abcdefgh1!", "uppercase"), ("ABCDEFGH1!", "lowercase"),
    ("Abcdefghi!", "number"), ("Abcdefghi1", "symbol")])
def test_the_policy_is_checked(cloud, own, password, words):
    iam = own.client("iam")
    iam.update_account_password_policy(**FULL)
    user, _ = new_user(own)
    assert words in fails("PasswordPolicyViolation", iam.create_login_profile, UserName=user, Password=password)


def test_users_change_their_own_password_and_do_not_reuse_it(own):
    iam = own.client("iam")
    user, client = new_user(own)
    mine = client("iam")
    iam.create_login_profile(UserName=user, Password="First-Pass-1")
    change = lambda old, new: dict(OldPassword=old, NewPassword=new)
    fails("AccessDenied", mine.change_password, **change("First-Pass-1", "Second-Pass-2"))
    iam.update_account_password_policy(**FULL)
    assert fails("AccessDenied", mine.change_password, **change("wrong", "Second-Pass-2")) == "The old password was incorrect."
    mine.change_password(**change("First-Pass-1", "Second-Pass-2"))
    for old in ("First-Pass-1", "Second-Pass-2"):
        assert "reuse" in fails("PasswordPolicyViolation", mine.change_password, **change("Second-Pass-2", old))
    mine.change_password(**change("Second-Pass-2", "Third-Pass-3"))
    mine.change_password(**change("Third-Pass-3", "First-Pass-1"))
    fails("InvalidUserType", iam.change_password, **change("x", "Second-Pass-2"))
    assert mine.get_account_password_policy()["PasswordPolicy"]["HardExpiry"]


def test_an_alias_is_one_and_unique_among_accounts(own):
    iam, other = own.client("iam"), own.client("iam", key="111122223333")
    assert iam.list_account_aliases()["AccountAliases"] == []
    alias, second = new_name("corp"), new_name("corp")
    iam.create_account_alias(AccountAlias=alias)
    assert fails("EntityAlreadyExists", other.create_account_alias, AccountAlias=alias) == (
        f"The account alias {alias} already exists.")
    iam.create_account_alias(AccountAlias=second)
    assert iam.list_account_aliases()["AccountAliases"] == [second]
    other.create_account_alias(AccountAlias=alias)
    fails("NoSuchEntity", iam.delete_account_alias, AccountAlias=alias)
    iam.delete_account_alias(AccountAlias=second)
    assert iam.list_account_aliases()["AccountAliases"] == []
    fails("ValidationError", iam.create_account_alias, AccountAlias="Not--allowed")

"""How each member of the operations for people from elsewhere is seen to act: identity providers in IAM, and STS (see members.py)."""

import base64
import hashlib
import json
import time

from identity_providers import Issuer, Key, SamlIdp, encoded
from members import but, recipe, service
from members_sts import ROLE, TAGS, USERS, allow, lasts, session, token_is_long

iam, sts = service("iam"), service("sts")

OTHER = {}
ARN = "arn:aws:iam::<account>:"
TWO_TAGS = TAGS + [{"Key": "b", "Value": "2"}]



def tagged(kind, arn, given):
    """Tag…, Untag… and List…Tags of one kind of provider."""
    name = kind + "Arn"
    two, see = iam(f"Tag{kind}", **{name: arn}, Tags=TWO_TAGS), (iam(f"List{kind}Tags", **{name: arn}),)
    recipe(iam(f"Tag{kind}", **{name: arn}, Tags=TAGS), given=given, see=see, members={
        name: arn + "x", "Tags.Key": "c", "Tags.Value": "c"})
    recipe(iam(f"Untag{kind}", **{name: arn}, TagKeys=["a"]), given=(*given, two), see=see, members={name: arn + "x", "TagKeys": ["b"]})
    call = iam(f"List{kind}Tags", **{name: arn})
    first = iam(call.operation, **call.input, MaxItems=1).keep(next="Marker")
    recipe(call, given=(*given, two), members={
        name: arn + "x", "MaxItems": 1, "Marker": but("<next>", given=(first,), base={"MaxItems": 1})})


# OpenID Connect providers
OIDC = ARN + "oidc-provider/one.example.com"
ONE, TWO = (iam("CreateOpenIDConnectProvider", Url=f"https://{name}.example.com", ClientIDList=["app"]) for name in ("one", "two"))
SEE_ONE = (iam("GetOpenIDConnectProvider", OpenIDConnectProviderArn=OIDC),)
PRINTS = ["a" * 40], ["b" * 40]
named = {"OpenIDConnectProviderArn": OIDC.replace("one", "two")}
recipe(iam("CreateOpenIDConnectProvider", Url="https://one.example.com"), see=(iam("ListOpenIDConnectProviders"), *SEE_ONE), members={
    "Url": "https://two.example.com", "ClientIDList": ["app"], "ThumbprintList": PRINTS[0], "Tags": TAGS,
    "Tags.Key": but("c", base={"Tags": TAGS}), "Tags.Value": but("c", base={"Tags": TAGS})})
recipe(iam("GetOpenIDConnectProvider", OpenIDConnectProviderArn=OIDC), given=(ONE, TWO), members=named)
recipe(iam("ListOpenIDConnectProviders"), given=(ONE, TWO))
recipe(iam("DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=OIDC), given=(ONE, TWO), see=(iam("ListOpenIDConnectProviders"),),
       members=named)
recipe(iam("AddClientIDToOpenIDConnectProvider", OpenIDConnectProviderArn=OIDC, ClientID="web"), given=(ONE, TWO), see=SEE_ONE,
       members={**named, "ClientID": "cli"})
recipe(iam("RemoveClientIDFromOpenIDConnectProvider", OpenIDConnectProviderArn=OIDC, ClientID="app"), given=(ONE, TWO), see=SEE_ONE,
       members={**named, "ClientID": "cli"})
recipe(iam("UpdateOpenIDConnectProviderThumbprint", OpenIDConnectProviderArn=OIDC, ThumbprintList=PRINTS[0]), given=(ONE, TWO),
       see=SEE_ONE, members={**named, "ThumbprintList": PRINTS[1]})
tagged("OpenIDConnectProvider", OIDC, (ONE,))

# SAML providers
IDP, STRANGER = SamlIdp(), Key()
SAML = ARN + "saml-provider/corp"
DOCUMENTS = IDP.metadata(), IDP.metadata(STRANGER)
CORP, OTHER_CORP = (iam("CreateSAMLProvider", Name=name, SAMLMetadataDocument=DOCUMENTS[0]) for name in ("corp", "corp2"))


def see_corp(world):
    return {k: v for k, v in world.call("iam", "GetSAMLProvider", {"SAMLProviderArn": SAML}).items() if k != "SAMLProviderUUID"}


def see_providers(world):
    return world.call("iam", "ListSAMLProviders")


renamed = {"SAMLProviderArn": SAML + "2"}
recipe(iam("CreateSAMLProvider", Name="corp", SAMLMetadataDocument=DOCUMENTS[0]), see=(see_providers, see_corp), members={
    "Name": "corp2", "SAMLMetadataDocument": DOCUMENTS[1], "Tags": TAGS,
    "Tags.Key": but("c", base={"Tags": TAGS}), "Tags.Value": but("c", base={"Tags": TAGS})})
recipe(iam("GetSAMLProvider", SAMLProviderArn=SAML), given=(CORP,), members={"SAMLProviderArn": SAML + "3"})
recipe(iam("ListSAMLProviders"), given=(CORP, OTHER_CORP))
recipe(iam("UpdateSAMLProvider", SAMLProviderArn=SAML, SAMLMetadataDocument=DOCUMENTS[1]), given=(CORP, OTHER_CORP), see=(see_corp,),
       members={**renamed, "SAMLMetadataDocument": DOCUMENTS[0], "RemovePrivateKey": "A" * 22})
recipe(iam("DeleteSAMLProvider", SAMLProviderArn=SAML), given=(CORP, OTHER_CORP), see=(see_providers,), members=renamed)
tagged("SAMLProvider", SAML, (CORP,))


# Sessions
def trusting(name, principal, action):
    statement = {"Effect": "Allow", "Principal": {"Federated": principal}, "Action": [action, "sts:TagSession"]}
    return (iam("CreateRole", RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
                MaxSessionDuration=7200),
            iam("PutRolePolicy", RoleName=name, PolicyName="p", PolicyDocument=allow("iam:*")))


CREATES = session("iam", "CreateUser", UserName="x")
READS = [{"arn": "arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess"}]
COMMON = {
    "PolicyArns": but(READS, see=(CREATES,)),
    "PolicyArns.arn": but("arn:aws:iam::aws:policy/AdministratorAccess", base={"PolicyArns": READS}, see=(CREATES,)),
    "Policy": but(allow("s3:*"), see=(USERS,)),
    "DurationSeconds": but(1800, see=(lasts,)),
    "MinimumSessionTokenSize": but(3000, see=(token_is_long,)),
}

ISSUER = Issuer()
LATER = int(time.time()) + 12 * 3600
TOKENS = [ISSUER.token(exp=LATER, sub=subject) for subject in ("alice@idp", "bob@idp")]
WEB = (iam("CreateOpenIDConnectProvider", Url=ISSUER.url, ClientIDList=["sts.amazonaws.com"]),
       *(step for name in ("reader", "writer")
         for step in trusting(name, f"{ARN}oidc-provider/{ISSUER.name}", "sts:AssumeRoleWithWebIdentity")))
recipe(sts("AssumeRoleWithWebIdentity", RoleArn=ROLE + "reader", RoleSessionName="one", WebIdentityToken=TOKENS[0]), given=WEB, members={
    "RoleArn": ROLE + "writer", "RoleSessionName": "two", "WebIdentityToken": TOKENS[1], **COMMON})


def assertion(subject="alice"):
    """Made when it is needed: it is good for five minutes."""
    return lambda world: encoded(IDP.signed({
        IDP.ATTRIBUTES + "Role": [f"arn:aws:iam::{world.account}:role/{name},arn:aws:iam::{world.account}:saml-provider/{provider}"
                                  for name in ("reader", "writer") for provider in ("corp", "corp2")],
        IDP.ATTRIBUTES + "RoleSessionName": ["one"]}, subject=subject))


def told(world):
    return {k: v for k, v in world.answer.items() if k not in ("NameQualifier", "Credentials")}


def qualifier_differs(world):
    """By the provider's name; the account is in it too, so only whether it is the one of corp."""
    text = f"{IDP.ENTITY}{world.account}/corp"
    return world.answer["NameQualifier"] == base64.b64encode(hashlib.sha1(text.encode()).digest()).decode()


BOTH = [SAML, SAML + "2"]
ASSERTED = (CORP, OTHER_CORP, *(step for name in ("reader", "writer") for step in trusting(name, BOTH, "sts:AssumeRoleWithSAML")))
recipe(sts("AssumeRoleWithSAML", RoleArn=ROLE + "reader", PrincipalArn=SAML, SAMLAssertion=assertion()), given=ASSERTED, see=(told,),
       members={"RoleArn": ROLE + "writer", "PrincipalArn": but(SAML + "2", see=(qualifier_differs,)), "SAMLAssertion": assertion("bob"), **COMMON})

FEDERATED = allow("lambda:*")
LISTS = session("lambda", "ListFunctions")
recipe(sts("GetFederationToken", Name="bob", Policy=FEDERATED), members={
    "Name": "carol",
    "Policy": but(allow("s3:*"), see=(LISTS,)),
    "PolicyArns": but([{"arn": "arn:aws:iam::aws:policy/CloudWatchLogsReadOnlyAccess"}], base={"Policy": None}, see=(session("logs", "DescribeLogGroups"),)),
    "PolicyArns.arn": but("arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess", see=(LISTS,), base={
        "Policy": None, "PolicyArns": [{"arn": "arn:aws:iam::aws:policy/CloudWatchLogsReadOnlyAccess"}]}),
    "DurationSeconds": but(1800, see=(lasts,)),
    "Tags": but(TAGS, base={"Policy": allow("lambda:*", Condition={"StringEquals": {"aws:PrincipalTag/a": "1"}})}, see=(LISTS,)),
    "Tags.Key": but("b", base={"Tags": TAGS, "Policy": allow("lambda:*", Condition={"StringEquals": {"aws:PrincipalTag/a": "1"}})}, see=(LISTS,)),
    "Tags.Value": but("2", base={"Tags": TAGS, "Policy": allow("lambda:*", Condition={"StringEquals": {"aws:PrincipalTag/a": "1"}})}, see=(LISTS,)),
    "MinimumSessionTokenSize": but(3000, see=(token_is_long,)),
})
# EC2's denials carry such messages; no room here makes one yet (src/aws/authorization_messages.h).
recipe(sts("DecodeAuthorizationMessage", EncodedMessage="abc"), error="InvalidAuthorizationMessageException",
       members={"EncodedMessage": but("a" * 10241, error="ValidationError")})

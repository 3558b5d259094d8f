"""People and programs from elsewhere: OpenID Connect tokens, SAML assertions, federated users, encoded denials."""

import json
import os
import subprocess
import sys
import time

import botocore
import botocore.config
import boto3
import pytest

from cloud import ACCOUNT, REGION
from identity_providers import Issuer, Key, SamlIdp, encoded
from test_identity import fails


def document(action, effect="Allow", resource="*"):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource}]})


def role(cloud, principal, actions, condition=None, policy=None, **settings):
    name = f"federated-{os.urandom(4).hex()}"
    statement = {"Effect": "Allow", "Principal": principal, "Action": actions}
    if condition:
        statement["Condition"] = condition
    iam = cloud.client("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [statement]}), **settings)["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy or document("logs:*"))
    return made["Arn"]


def anonymous(cloud):
    return boto3.client("sts", endpoint_url=cloud.url, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x",
                        config=botocore.config.Config(signature_version=botocore.UNSIGNED, retries={"max_attempts": 0}))


def acting(cloud, service, answer):
    keys = answer["Credentials"]
    return cloud.client(service, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


@pytest.fixture
def issuer(cloud):
    made = Issuer()
    made.arn = cloud.client("iam").create_open_id_connect_provider(
        Url=made.url, ClientIDList=["sts.amazonaws.com"])["OpenIDConnectProviderArn"]
    yield made
    made.close()


WEB = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"]


def test_a_token_buys_a_session(cloud, issuer):
    assert issuer.arn == f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer.name}"
    arn = role(cloud, {"Federated": issuer.arn}, WEB, {
        "StringEquals": {f"{issuer.name}:aud": "sts.amazonaws.com"}, "StringLike": {f"{issuer.name}:sub": "repo:team/*"}})
    sts = anonymous(cloud)
    answer = sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="ci", WebIdentityToken=issuer.token())
    assert answer["SubjectFromWebIdentityToken"] == "repo:team/app"
    assert (answer["Audience"], answer["Provider"]) == ("sts.amazonaws.com", issuer.url)
    assert answer["AssumedRoleUser"]["Arn"] == arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/ci"
    assert "PackedPolicySize" not in answer
    assert acting(cloud, "sts", answer).get_caller_identity()["Arn"] == answer["AssumedRoleUser"]["Arn"]
    acting(cloud, "logs", answer).describe_log_groups()
    fails("AccessDeniedException", acting(cloud, "lambda", answer).list_functions)
    words = fails("AccessDenied", sts.assume_role_with_web_identity, RoleArn=arn, RoleSessionName="ci",
                  WebIdentityToken=issuer.token(sub="repo:other/app"))
    assert words == "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    assert len(issuer.requests) == 2, "the keys are kept"


def test_tokens_are_verified(cloud, issuer):
    arn = role(cloud, {"Federated": issuer.arn}, WEB)
    now = int(time.time())

    def refused(code, token=None, **claims):
        return fails(code, anonymous(cloud).assume_role_with_web_identity, RoleArn=arn, RoleSessionName="ci",
                     WebIdentityToken=token or issuer.token(**claims))

    assert refused("InvalidIdentityToken", aud="other") == "Incorrect token audience"
    assert refused("InvalidIdentityToken", sub=None) == "Missing a required claim: sub"
    assert refused("InvalidIdentityToken", exp=None) == "Missing a required claim: exp"
    assert refused("InvalidIdentityToken", iss="https://elsewhere.example.com") == (
        "No OpenIDConnect provider found in your account for https://elsewhere.example.com")
    assert refused("ExpiredTokenException", exp=now - 1).startswith("Token expired: current date/time ")
    assert refused("ExpiredTokenException", iat=now - 90000).startswith("Token too old: ")
    refused("InvalidIdentityToken", nbf=now + 1000)
    refused("InvalidIdentityToken", iat=now + 1000)
    refused("InvalidIdentityToken", exp=str(now + 100))
    refused("InvalidIdentityToken", token="not.a.token")
    forged = Key(kid="key-1")
    assert refused("InvalidIdentityToken", key=forged) == "Token signature is invalid"
    head, _, signature = issuer.token().split(".")
    refused("InvalidIdentityToken", token=f"{head}.{issuer.token(sub='root').split('.')[1]}.{signature}")
    none = issuer.token(header={"alg": "none"}).rsplit(".", 1)[0]
    refused("InvalidIdentityToken", token=none + ".")
    refused("InvalidIdentityToken", token=none + ".AAAA")
    refused("InvalidIdentityToken", header={"alg": "HS256"})
    refused("InvalidIdentityToken", header={"kid": "unknown"})


@pytest.mark.parametrize("kind, algorithm", [("RSA", "RS384"), ("RSA", "RS512"), ("P-256", "ES256"), ("P-384", "ES384"), ("P-521", "ES512")])
def test_algorithms(cloud, issuer, kind, algorithm):
    arn = role(cloud, {"Federated": issuer.arn}, WEB)
    key = Key(kind, "other")
    issuer.keys = [Key("P-256", "first"), key]
    anonymous(cloud).assume_role_with_web_identity(RoleArn=arn, RoleSessionName="ci",
                                                   WebIdentityToken=issuer.token(key, algorithm))


def test_keys_rotate_and_an_issuer_is_not_asked_too_often(cloud, issuer):
    arn = role(cloud, {"Federated": issuer.arn}, WEB)

    def assume(token):
        return anonymous(cloud).assume_role_with_web_identity(RoleArn=arn, RoleSessionName="ci", WebIdentityToken=token)

    assume(issuer.token())
    issuer.keys = [Key(kid="key-2")]
    assume(issuer.token())
    for _ in range(6):
        fails("InvalidIdentityToken", assume, token=issuer.token(header={"kid": os.urandom(4).hex()}))
    assert issuer.requests.count("/keys") == 5


def test_an_issuer_that_is_away_or_says_nonsense(cloud, issuer):
    arn = role(cloud, {"Federated": issuer.arn}, WEB)
    arguments = {"RoleArn": arn, "RoleSessionName": "ci", "WebIdentityToken": issuer.token()}
    issuer.answer = lambda path: json.dumps({"issuer": "http://other", "jwks_uri": f"{issuer.url}/keys"}).encode()
    assert fails("InvalidIdentityToken", anonymous(cloud).assume_role_with_web_identity, **arguments).startswith(
        "Couldn't retrieve verification key from your identity provider,")
    issuer.close()
    fails("IDPCommunicationError", anonymous(cloud).assume_role_with_web_identity, **arguments)


def test_https_needs_a_trusted_authority_or_a_thumbprint(cloud):
    issuer = Issuer(tls=True)
    iam = cloud.client("iam")
    provider = iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["sts.amazonaws.com"])["OpenIDConnectProviderArn"]
    arn = role(cloud, {"Federated": provider}, WEB)
    arguments = {"RoleArn": arn, "RoleSessionName": "ci", "WebIdentityToken": issuer.token()}
    assert fails("InvalidIdentityToken", anonymous(cloud).assume_role_with_web_identity, **arguments) == (
        "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=provider, ThumbprintList=[issuer.thumbprint])
    anonymous(cloud).assume_role_with_web_identity(**arguments)
    issuer.close()


def test_tags_source_identity_and_keys_of_the_token_stay_with_the_session(cloud, issuer):
    arn = role(cloud, {"Federated": issuer.arn}, WEB, {"StringEquals": {
        "aws:RequestTag/Team": "red", "sts:SourceIdentity": "alice", "sts:RoleSessionName": "ci"}}, json.dumps(
            {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": "*", "Condition": {"StringEquals": {
                    "aws:PrincipalTag/Team": "red", "aws:SourceIdentity": "alice", "aws:FederatedProvider": issuer.arn,
                    f"{issuer.name}:sub": "repo:team/app"}, "Bool": {"aws:MultiFactorAuthPresent": "false"},
                    "DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:00Z"}}},
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}))
    claims = {"https://aws.amazon.com/tags": {"principal_tags": {"Team": ["red"]}, "transitive_tag_keys": ["Team"]},
              "https://aws.amazon.com/source_identity": "alice"}
    answer = anonymous(cloud).assume_role_with_web_identity(RoleArn=arn, RoleSessionName="ci",
                                                            WebIdentityToken=issuer.token(**claims))
    assert answer["SourceIdentity"] == "alice" and answer["PackedPolicySize"] >= 1
    acting(cloud, "logs", answer).describe_log_groups()
    fails("AccessDenied", anonymous(cloud).assume_role_with_web_identity, RoleArn=arn, RoleSessionName="ci",
          WebIdentityToken=issuer.token())
    fails("AccessDenied", anonymous(cloud).assume_role_with_web_identity, RoleArn=arn, RoleSessionName="other",
          WebIdentityToken=issuer.token(**claims))
    # Chained: the transitive tag and the source identity go on, for an hour at most.
    following = role(cloud, {"AWS": arn}, ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
                     {"StringEquals": {"aws:RequestTag/Team": "red", "sts:SourceIdentity": "alice"}}, MaxSessionDuration=43200)
    chained = acting(cloud, "sts", answer).assume_role(RoleArn=following, RoleSessionName="next")
    assert chained["SourceIdentity"] == "alice"
    assert fails("ValidationError", acting(cloud, "sts", answer).assume_role, RoleArn=following, RoleSessionName="next",
                 DurationSeconds=3601).startswith("The requested DurationSeconds exceeds the 1 hour session limit")


def test_session_policies_and_durations(cloud, issuer):
    arn = role(cloud, {"Federated": issuer.arn}, WEB)
    sts = anonymous(cloud)
    arguments = {"RoleArn": arn, "RoleSessionName": "ci"}
    answer = sts.assume_role_with_web_identity(**arguments, WebIdentityToken=issuer.token(), Policy=document("logs:ListLogGroups"))
    fails("AccessDeniedException", acting(cloud, "logs", answer).describe_log_groups)
    assert fails("ValidationError", sts.assume_role_with_web_identity, **arguments, WebIdentityToken=issuer.token(),
                 DurationSeconds=7200) == "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    fails("MalformedPolicyDocument", sts.assume_role_with_web_identity, **arguments, WebIdentityToken=issuer.token(), Policy="{")
    assert fails("ValidationError", sts.assume_role_with_web_identity, RoleArn="arn:aws:iam::1:user/abcdefgh", RoleSessionName="ci",
                 WebIdentityToken=issuer.token()) == "Request ARN is invalid"


def test_stock_clients_find_their_token_in_a_file(cloud, issuer, tmp_path):
    arn = role(cloud, {"Federated": issuer.arn}, WEB)
    file = tmp_path / "token"
    file.write_text(issuer.token())
    environment = {name: value for name, value in cloud.environment().items() if not name.startswith("AWS_ACCESS_KEY")
                   and name != "AWS_SECRET_ACCESS_KEY"}
    environment.update(AWS_WEB_IDENTITY_TOKEN_FILE=str(file), AWS_ROLE_ARN=arn, AWS_ROLE_SESSION_NAME="pod",
                       AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_EC2_METADATA_DISABLED="true")
    program = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn']); boto3.client('logs').describe_log_groups()"
    for command in ([sys.executable, "-c", program], ["aws", "sts", "get-caller-identity", "--query", "Arn", "--output", "text"]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.stdout.strip().endswith("/pod"), done.stderr


@pytest.fixture
def idp(cloud):
    made = SamlIdp()
    made.arn = cloud.client("iam").create_saml_provider(
        Name=f"corp-{os.urandom(4).hex()}", SAMLMetadataDocument=made.metadata())["SAMLProviderArn"]
    return made


SAML = ["sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity"]


def names(idp, arn, **more):
    return {idp.ATTRIBUTES + name: values for name, values in
            {"Role": [f"{arn},{idp.arn}"], "RoleSessionName": ["alice@corp"], **more}.items()}


def assume_with_saml(cloud, idp, arn, text, **more):
    return anonymous(cloud).assume_role_with_saml(RoleArn=arn, PrincipalArn=idp.arn, SAMLAssertion=encoded(text), **more)


def test_an_assertion_buys_a_session(cloud, idp):
    arn = role(cloud, {"Federated": idp.arn}, SAML, {"StringEquals": {
        "SAML:aud": idp.SIGN_IN, "SAML:iss": idp.ENTITY, "SAML:sub_type": "persistent", "aws:RequestTag/Team": "red"}}, json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*", "Condition": {
                "StringEquals": {"aws:PrincipalTag/Team": "red", "saml:sub": "alice", "aws:FederatedProvider": idp.arn}}}]}))
    attributes = names(idp, arn, **{"PrincipalTag:Team": ["red"], "TransitiveTagKeys": ["Team"], "SourceIdentity": ["alice"]})
    answer = assume_with_saml(cloud, idp, arn, idp.signed(attributes))
    assert answer["AssumedRoleUser"]["Arn"].endswith("/alice@corp")
    assert (answer["Subject"], answer["SubjectType"], answer["Issuer"]) == ("alice", "persistent", idp.ENTITY)
    assert (answer["Audience"], answer["SourceIdentity"]) == (idp.SIGN_IN, "alice")
    assert len(answer["NameQualifier"]) == 28
    acting(cloud, "logs", answer).describe_log_groups()
    # The response may be signed instead of the assertion.
    content = idp.assertion(attributes)
    plain = idp.response(content)
    assume_with_saml(cloud, idp, arn, idp.response(content, signature=idp.signature(plain, "_r1")))


def test_assertions_are_verified(cloud, idp):
    arn = role(cloud, {"Federated": idp.arn}, SAML)
    good = names(idp, arn)

    def refused(code, text=None, attributes=good, **settings):
        return fails(code, assume_with_saml, cloud=cloud, idp=idp, arn=arn, text=text or idp.signed(attributes, **settings))

    assume_with_saml(cloud, idp, arn, idp.signed(good))
    bad = "Response signature invalid"
    assert refused("InvalidIdentityToken", key=Key()) == bad
    assert refused("InvalidIdentityToken", idp.signed(good).replace(">alice<", ">mallory<")) == bad
    assert refused("InvalidIdentityToken", idp.response(idp.assertion(good))) == bad
    assert refused("InvalidIdentityToken", digest="sha1") == bad
    assert refused("InvalidIdentityToken", "<!DOCTYPE a>" + idp.signed(good)) == bad
    assert refused("InvalidIdentityToken", "<a>") == bad
    # Wrapping: a forged assertion beside, or around, the one that was signed.
    signed = idp.signed(good)
    inner = signed[signed.index("<saml:Assertion"):signed.index("</samlp:Response>")]
    forged = idp.assertion(good, identifier="_evil", subject="mallory")
    assert refused("InvalidIdentityToken", idp.response(forged + inner)) == bad
    assert refused("InvalidIdentityToken", idp.response(inner + forged)) == bad
    hidden = forged.replace("</saml:Assertion>", f"<saml:Advice>{inner}</saml:Advice></saml:Assertion>")
    assert refused("InvalidIdentityToken", idp.response(hidden)) == bad
    original = idp.assertion(good)
    object_ = idp.signature(original, "_a1").replace("</ds:Signature>", f"<ds:Object>{original}</ds:Object></ds:Signature>")
    assert refused("InvalidIdentityToken", idp.response(idp.put(idp.assertion(good, identifier="_evil", subject="mallory"), object_))) == bad
    assert refused("InvalidIdentityToken", idp.response(idp.put(idp.assertion(good, subject="mallory"), object_))) == bad
    # A comment does not cut a name short: canonical text has none.
    assert assume_with_saml(cloud, idp, arn, idp.signed(good, subject="alice.admin").replace(
        "alice.admin", "alice<!-- -->.admin"))["Subject"] == "alice.admin"

    assert refused("ExpiredTokenException", issued=-301) == "Token must be redeemed within 5 minutes of issuance"
    refused("ExpiredTokenException", issued=-60, until=-1)
    refused("InvalidIdentityToken", issued=1000, until=2000)
    assert refused("InvalidIdentityToken", audience="https://elsewhere") == "Response does not contain the required audience."
    assert refused("InvalidIdentityToken", recipient="https://elsewhere") == "Response does not contain the required audience."
    assert refused("InvalidIdentityToken", issuer="https://elsewhere") == "Issuer not present in specified provider"
    assert refused("InvalidIdentityToken", attributes=names(idp, arn, RoleSessionName=[])) == "RoleSessionName is required in AuthnResponse"
    assert refused("InvalidIdentityToken", attributes=names(idp, arn, RoleSessionName=["a b"])).startswith(
        "RoleSessionName in AuthnResponse must match")
    assert refused("AccessDenied", attributes=names(idp, arn, Role=[f"{arn}x,{idp.arn}"])) == (
        "Not authorized to perform sts:AssumeRoleWithSAML")
    assert fails("InvalidIdentityToken", anonymous(cloud).assume_role_with_saml, RoleArn=arn, PrincipalArn=idp.arn,
                 SAMLAssertion="####") == "Invalid base64 SAMLResponse"
    assert fails("InvalidIdentityToken", anonymous(cloud).assume_role_with_saml, RoleArn=arn, PrincipalArn=idp.arn + "x",
                 SAMLAssertion=encoded(signed)) == "Specified provider doesn't exist"


def test_saml_sessions_last_as_long_as_the_shortest_says(cloud, idp):
    arn = role(cloud, {"Federated": idp.arn}, SAML, MaxSessionDuration=7200)

    def seconds(attributes=(), session_until=None, **more):
        text = idp.signed(names(idp, arn, **dict(attributes)), session_until=session_until)
        return assume_with_saml(cloud, idp, arn, text, **more)["Credentials"]["Expiration"].timestamp() - time.time()

    assert abs(seconds() - 3600) < 10
    assert abs(seconds({"SessionDuration": ["1800"]}) - 1800) < 10
    assert abs(seconds({"SessionDuration": ["1800"]}, DurationSeconds=7200) - 7200) < 10
    assert abs(seconds(session_until=600, DurationSeconds=7200) - 600) < 10


@pytest.fixture
def broker(cloud):
    iam = cloud.client("iam")
    name = f"broker-{os.urandom(4).hex()}"
    iam.create_user(UserName=name, Tags=[{"Key": "Team", "Value": "blue"}, {"Key": "Env", "Value": "test"}])
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(
        ["sts:GetFederationToken", "sts:TagSession", "sts:AssumeRole", "logs:*", "iam:*"]))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return name, cloud.client("sts", key["AccessKeyId"], key["SecretAccessKey"])


def test_federated_users_have_what_user_and_session_policy_allow(cloud, broker):
    name, sts = broker
    answer = sts.get_federation_token(Name="bob", Policy=document(["logs:DescribeLogGroups", "lambda:*", "iam:*", "sts:*"]))
    assert answer["FederatedUser"] == {"FederatedUserId": f"{ACCOUNT}:bob", "Arn": f"arn:aws:sts::{ACCOUNT}:federated-user/bob"}
    assert abs(answer["Credentials"]["Expiration"].timestamp() - time.time() - 43200) < 10
    me = acting(cloud, "sts", answer).get_caller_identity()
    assert (me["UserId"], me["Arn"]) == (f"{ACCOUNT}:bob", f"arn:aws:sts::{ACCOUNT}:federated-user/bob")
    acting(cloud, "logs", answer).describe_log_groups()
    fails("AccessDeniedException", acting(cloud, "lambda", answer).list_functions)  # the user may not
    fails("InvalidClientTokenId", acting(cloud, "iam", answer).list_users)
    assert "Cannot call GetFederationToken with session credentials" in fails(
        "AccessDenied", acting(cloud, "sts", answer).get_federation_token, Name="eve")
    fails("AccessDenied", acting(cloud, "sts", answer).decode_authorization_message, EncodedMessage="x")
    nothing = sts.get_federation_token(Name="bob")
    assert "no session policy allows" in fails("AccessDeniedException", acting(cloud, "logs", nothing).describe_log_groups)
    # It ends with the user behind it, and what that user may do is looked up anew.
    cloud.client("iam").put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document("sts:*"))
    fails("AccessDeniedException", acting(cloud, "logs", answer).describe_log_groups)


def test_federated_users_have_tags(cloud, broker):
    _, sts = broker
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*", "Condition": {
        "StringEquals": {"aws:PrincipalTag/Team": "red", "aws:PrincipalTag/Env": "test"}}}]})
    tagged = sts.get_federation_token(Name="bob", Policy=policy, Tags=[{"Key": "team", "Value": "red"}])
    acting(cloud, "logs", tagged).describe_log_groups()
    fails("AccessDeniedException", acting(cloud, "logs", sts.get_federation_token(Name="bob", Policy=policy)).describe_log_groups)
    fails("InvalidParameterValue", sts.get_federation_token, Name="bob", Tags=[{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}])
    fails("ValidationError", sts.get_federation_token, Name="bob", DurationSeconds=129601)
    fails("PackedPolicyTooLarge", sts.get_federation_token, Name="bob", Tags=[
        {"Key": f"k{i}", "Value": os.urandom(64).hex()} for i in range(50)])


def test_the_roots_federated_users_last_an_hour(cloud):
    answer = cloud.client("sts").get_federation_token(Name="carol", DurationSeconds=7200, PolicyArns=[
        {"arn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}])
    # The owner's convenience key is the root.
    assert abs(answer["Credentials"]["Expiration"].timestamp() - time.time() - 3600) < 10
    acting(cloud, "logs", answer).create_log_group(logGroupName=f"g-{os.urandom(4).hex()}")
    fails("AccessDeniedException", acting(cloud, "logs", answer).describe_log_groups)


def test_encoded_messages_are_opened_for_those_who_may(cloud, broker):
    _, sts = broker
    fails("AccessDenied", sts.decode_authorization_message, EncodedMessage="abc")
    fails("InvalidAuthorizationMessageException", cloud.client("sts").decode_authorization_message, EncodedMessage="abc")


def test_anonymous_callers_reach_nothing_else(cloud):
    fails("MissingAuthenticationToken", anonymous(cloud).get_caller_identity)
    fails("MissingAuthenticationToken", anonymous(cloud).get_federation_token, Name="bob")

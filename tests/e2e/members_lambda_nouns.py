"""How each member is seen to act (see members.py): layers, resource policies, code signing, versions of runtimes."""

import json

from cloud import REGION, zipped
from members import but, recipe, service
from members_lambda import ARN, CREATE_TWO, MADE, PUBLISH, STALE, VERSIONS, paged

fn = service("lambda")
OTHER = {}
MISSING = "arn:aws:lambda:us-east-1:<account>:"

# Layers
LAYER, NEWER = zipped(a="1"), zipped(a="22")
BASE = fn("PublishLayerVersion", LayerName="base", Content={"ZipFile": LAYER})
BASE_TWO = fn("PublishLayerVersion", LayerName="base", Content={"ZipFile": NEWER}, Description="two")
TOP = fn("PublishLayerVersion", LayerName="top", Content={"ZipFile": NEWER}, CompatibleRuntimes=["nodejs20.x"], CompatibleArchitectures=["arm64"])
LAYERS = (BASE, BASE_TWO, TOP)
ONE, TWO, THREE = ({"LayerName": name, "VersionNumber": number} for name, number in (("base", 1), ("base", 2), ("top", 1)))
ALL_VERSIONS = (fn("ListLayers"), fn("ListLayerVersions", LayerName="base"), fn("ListLayerVersions", LayerName="top"))
recipe(BASE, see=(*ALL_VERSIONS, fn("GetLayerVersion", **ONE)), members={
    "LayerName": "top", "Description": "d", "Content.ZipFile": NEWER, "CompatibleArchitectures": ["arm64"],
    "CompatibleRuntimes": ["nodejs20.x"], "LicenseInfo": "MIT"})
recipe(fn("GetLayerVersion", **ONE), given=LAYERS, members={"LayerName": "top", "VersionNumber": 2})
recipe(fn("GetLayerVersionByArn", Arn=MISSING + "layer:base:1"), given=LAYERS, members={"Arn": MISSING + "layer:base:2"})
recipe(fn("ListLayers"), given=LAYERS, members={
    **paged(fn("ListLayers")), "CompatibleArchitecture": "arm64", "CompatibleRuntime": "nodejs20.x"})
LIST = fn("ListLayerVersions", LayerName="base")
recipe(LIST, given=LAYERS, members={
    **paged(LIST), "LayerName": "top", "CompatibleArchitecture": "arm64", "CompatibleRuntime": "nodejs20.x"})
recipe(fn("DeleteLayerVersion", **ONE), given=LAYERS, see=ALL_VERSIONS, members={"LayerName": "top", "VersionNumber": 2})


def lend(version, statement):
    return fn("AddLayerVersionPermission", **version, StatementId=statement, Action="lambda:GetLayerVersion", Principal="*")


LENT = (*LAYERS, lend(ONE, "a"), lend(ONE, "b"), lend(TWO, "a"), lend(THREE, "a"))
LAYER_POLICIES = tuple(fn("GetLayerVersionPolicy", **version) for version in (ONE, TWO, THREE))
recipe(lend(ONE, "a"), given=LAYERS, see=LAYER_POLICIES, members={
    "LayerName": "top", "VersionNumber": 2, "StatementId": "b", "Action": but("lambda:GetLayer", error="ValidationException"),
    "Principal": "111111111111", "OrganizationId": "o-abcdefghij", "RevisionId": STALE})
recipe(fn("RemoveLayerVersionPermission", **ONE, StatementId="a"), given=LENT, see=LAYER_POLICIES, members={
    "LayerName": "top", "VersionNumber": 2, "StatementId": "b", "RevisionId": STALE})
recipe(fn("GetLayerVersionPolicy", **ONE), given=LENT, members={"LayerName": "top", "VersionNumber": 2})

# Resource policies
BOTH = (*VERSIONS, CREATE_TWO)
POLICIES = (fn("GetPolicy", FunctionName="probe"), fn("GetPolicy", FunctionName="probe", Qualifier="1"), fn("GetPolicy", FunctionName="rover"))


def permit(statement="s", name="probe", **more):
    return fn("AddPermission", FunctionName=name, StatementId=statement, Action="lambda:InvokeFunction", Principal="s3.amazonaws.com", **more)


def whole(principal, name="probe"):
    return json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": principal}, "Action": "lambda:InvokeFunction", "Resource": ARN + name}]})


PERMITTED = (*BOTH, permit(), permit("t"), permit(Qualifier="1"), permit(name="rover"))
recipe(permit(), given=BOTH, see=POLICIES, members={
    "FunctionName": "rover", "StatementId": "t", "Action": "lambda:GetFunction", "Principal": "111111111111",
    "SourceArn": "arn:aws:s3:::bucket", "SourceAccount": "111111111111", "EventSourceToken": "token", "PrincipalOrgID": "o-abcdefghij",
    "FunctionUrlAuthType": but("NONE", base={"Action": "lambda:InvokeFunctionUrl"}), "InvokedViaFunctionUrl": True,
    "Qualifier": "1", "RevisionId": STALE})
recipe(fn("RemovePermission", FunctionName="probe", StatementId="s"), given=PERMITTED, see=POLICIES, members={
    "FunctionName": "rover", "StatementId": "t", "Qualifier": "1", "RevisionId": STALE})
recipe(fn("GetPolicy", FunctionName="probe"), given=PERMITTED, members={"FunctionName": "rover", "Qualifier": "1"})
recipe(fn("PutResourcePolicy", ResourceArn=ARN + "probe", Policy=whole("s3.amazonaws.com")), given=BOTH, see=POLICIES, members={
    "ResourceArn": but(ARN + "rover", error="InvalidParameterValueException"), "Policy": whole("sns.amazonaws.com"), "RevisionId": STALE})
recipe(fn("GetResourcePolicy", ResourceArn=ARN + "probe"), given=PERMITTED, members={"ResourceArn": ARN + "rover"})
recipe(fn("DeleteResourcePolicy", ResourceArn=ARN + "probe"), given=PERMITTED, see=POLICIES, members={
    "ResourceArn": ARN + "rover", "RevisionId": STALE})

# Code signing. Their ids are generated: which one is meant is told by its description.
PROFILE = f"arn:aws:signer:{REGION}:000000000000:/signing-profiles/profile/"


def signing(name):
    return fn("CreateCodeSigningConfig", AllowedPublishers={"SigningProfileVersionArns": [PROFILE + "one"]}, Description=name,
              CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"}).keep(**{name: "CodeSigningConfig.CodeSigningConfigArn"})


FIRST, SECOND = signing("first"), signing("second")


def sign(name, config):
    return fn("PutFunctionCodeSigningConfig", FunctionName=name, CodeSigningConfigArn=config)


def signed(world):
    """Which configurations the functions have."""
    seen = []
    for name in ("probe", "rover"):
        arn = world.call("lambda", "GetFunctionCodeSigningConfig", {"FunctionName": name})["CodeSigningConfigArn"]
        seen.append(arn and world.call("lambda", "GetCodeSigningConfig", {"CodeSigningConfigArn": arn})["CodeSigningConfig"]["Description"])
    return seen


def all_signing(world):
    listed = world.call("lambda", "ListCodeSigningConfigs")["CodeSigningConfigs"]
    return sorted((json.dumps({k: v for k, v in c.items() if k not in ("CodeSigningConfigId", "CodeSigningConfigArn", "LastModified")}) for c in listed))


def tags_of_answer(world):
    return world.call("lambda", "ListTags", {"Resource": world.answer["CodeSigningConfig"]["CodeSigningConfigArn"]})["Tags"]


CONTENT = {"AllowedPublishers.SigningProfileVersionArns": [PROFILE + "two"], "Description": "d",
           "CodeSigningPolicies.UntrustedArtifactOnDeployment": "Enforce"}
recipe(fn("CreateCodeSigningConfig", AllowedPublishers={"SigningProfileVersionArns": [PROFILE + "one"]}), see=(all_signing,), members={
    **CONTENT, "Tags": but({"a": "1"}, see=(tags_of_answer,))})
recipe(fn("UpdateCodeSigningConfig", CodeSigningConfigArn="<first>"), given=(FIRST, SECOND), see=(all_signing,), members={
    **CONTENT, "CodeSigningConfigArn": but("<second>", base={"Description": "changed"})})
recipe(fn("GetCodeSigningConfig", CodeSigningConfigArn="<first>"), given=(FIRST, SECOND), members={"CodeSigningConfigArn": "<second>"})
recipe(fn("DeleteCodeSigningConfig", CodeSigningConfigArn="<first>"), given=(FIRST, SECOND), see=(all_signing,), members={
    "CodeSigningConfigArn": "<second>"})
recipe(fn("ListCodeSigningConfigs"), given=(FIRST, SECOND), members=paged(fn("ListCodeSigningConfigs")))
PAIR = (*MADE, CREATE_TWO, FIRST, SECOND)
LIST = fn("ListFunctionsByCodeSigningConfig", CodeSigningConfigArn="<first>")
recipe(LIST, given=(*PAIR, sign("probe", "<first>"), sign("rover", "<first>")), members={**paged(LIST), "CodeSigningConfigArn": "<second>"})
recipe(sign("probe", "<first>"), given=PAIR, see=(signed,), members={"FunctionName": "rover", "CodeSigningConfigArn": "<second>"})
SIGNED = (*PAIR, sign("probe", "<first>"))
recipe(fn("GetFunctionCodeSigningConfig", FunctionName="probe"), given=SIGNED, members={"FunctionName": "rover"})
recipe(fn("DeleteFunctionCodeSigningConfig", FunctionName="probe"), given=(*SIGNED, sign("rover", "<second>")), see=(signed,), members={
    "FunctionName": "rover"})

# Versions of runtimes
RUNTIMES = tuple(fn("GetRuntimeManagementConfig", FunctionName="probe", **more) for more in ({}, {"Qualifier": "1"}))
AUTO = fn("PutRuntimeManagementConfig", FunctionName="probe", UpdateRuntimeOn="FunctionUpdate")
recipe(AUTO, given=(*MADE, PUBLISH), see=RUNTIMES, members={
    "FunctionName": "other", "UpdateRuntimeOn": "Auto", "Qualifier": "1",
    "RuntimeVersionArn": but(f"arn:aws:lambda:{REGION}::runtime:" + "0" * 64, error="InvalidParameterValueException")})
recipe(fn("GetRuntimeManagementConfig", FunctionName="probe"), given=(*MADE, PUBLISH, AUTO), members={
    "FunctionName": "other", "Qualifier": "1"})

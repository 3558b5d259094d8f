"""How each member of Lambda's operations is seen to act (see members.py). Settings are seen from inside a function."""

import base64
import json
import time

import botocore.exceptions

from cloud import LOGS_POLICY, NODE_RUNTIME, TRUST, zipped
from members import but, recipe, service

fn, iam, logs = service("lambda"), service("iam"), service("logs")

OTHER = {"FunctionName": "other"}
ARN = "arn:aws:lambda:us-east-1:<account>:function:"
ROLE = "arn:aws:iam::<account>:role/"
PROBE = """
import logging, math, os, platform
def handler(event, context, handler="handler"):
    logging.getLogger().info("an info line")
    logging.getLogger().error("an error line")
    disk = os.statvfs("/tmp")
    client = context.client_context
    layer = open("/opt/layer").read() if os.path.exists("/opt/layer") else None
    return {"layer": layer, "event": event, "seconds": math.ceil(context.get_remaining_time_in_millis() / 1000), "memory": int(context.memory_limit_in_mb),
            "tmp": round(disk.f_blocks * disk.f_frsize / 2**20), "handler": handler, "variable": os.environ.get("COLOUR"), "edition": "EDITION",
            "version": context.function_version, "client": client.custom if client else None, "language": "python"}
def second(event, context):
    return handler(event, context, "second")
"""
NODE = "export const handler = async () => ({language: 'node'});"


def package(edition="first"):
    return zipped(app__py=PROBE.replace("EDITION", edition), app__mjs=NODE)


FIRST, SECOND = package(), package("second")
READER = iam("CreateRole", RoleName="runner", AssumeRolePolicyDocument=TRUST)
LOGGED = iam("AttachRolePolicy", RoleName="runner", PolicyArn=LOGS_POLICY)
STRANGER = iam("CreateRole", RoleName="stranger", AssumeRolePolicyDocument=TRUST.replace("lambda", "ec2"))
SETTINGS = {"Role": ROLE + "runner", "Runtime": "python3.11", "Handler": "app.handler", "Code": {"ZipFile": FIRST}}
CREATE = fn("CreateFunction", FunctionName="probe", **SETTINGS)
CREATE_TWO = fn("CreateFunction", FunctionName="rover", **SETTINGS)
JSON_LOGS = fn("UpdateFunctionConfiguration", FunctionName="probe", LoggingConfig={"LogFormat": "JSON"})
TAGGED = fn("TagResource", Resource=ARN + "probe", Tags={"a": "1", "b": "2"})
EDITION_TWO = fn("UpdateFunctionCode", FunctionName="probe", ZipFile=SECOND)
PUBLISH = fn("PublishVersion", FunctionName="probe")
PUBLISH_TWO = fn("PublishVersion", FunctionName="probe", Description="second")
MADE = (READER, LOGGED, CREATE)
VERSIONS = (*MADE, PUBLISH, EDITION_TWO, PUBLISH_TWO)
LIVE = fn("CreateAlias", FunctionName="probe", Name="live", FunctionVersion="1")
NEXT = fn("CreateAlias", FunctionName="probe", Name="next", FunctionVersion="2")


def run(qualifier=None, **event):
    """What the probe says of itself."""
    def look(world):
        answer = world.call("lambda", "Invoke", {"FunctionName": "probe", "Payload": json.dumps(event), "Qualifier": qualifier})
        return json.loads(answer["Payload"]), answer.get("ExecutedVersion")
    return look


def tail(world):
    """What kinds of lines an invocation logs, in which form."""
    answer = world.call("lambda", "Invoke", {"FunctionName": "probe", "Payload": "{}", "LogType": "Tail"})
    kinds = set()
    for line in base64.b64decode(answer["LogResult"]).decode().splitlines():
        if line.startswith("{"):
            entry = json.loads(line)
            kinds.add(("json", entry.get("type"), entry.get("level"), str(entry.get("message"))))
        elif line:
            kinds.add(("text", line.split()[0]))
    return sorted(map(str, kinds))


def where_logs_go(world):
    """The group that the probe's lines arrive in."""
    world.call("lambda", "Invoke", {"FunctionName": "probe", "Payload": "{}"})
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for group in world.call("logs", "DescribeLogGroups")["logGroups"]:
            if world.call("logs", "FilterLogEvents", {"logGroupName": group["logGroupName"]})["events"]:
                return group["logGroupName"]
        time.sleep(0.05)
    raise AssertionError("no logs")


def configuration(world):
    return world.call("lambda", "GetFunctionConfiguration", {"FunctionName": "probe"})


ALLOWED_TO_LOG = iam("PutRolePolicy", RoleName="runner", PolicyName="logs", PolicyDocument=json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}))
COLOURED = fn("PublishLayerVersion", LayerName="coloured", Content={"ZipFile": zipped(layer="red")}).keep(layer="LayerVersionArn")
STRICT = fn("CreateCodeSigningConfig", CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"}, AllowedPublishers={
    "SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/v"]}).keep(strict="CodeSigningConfig.CodeSigningConfigArn")
JSON_FORMAT = {"LoggingConfig": {"LogFormat": "JSON"}}
SEEN_WITHIN = {
    "Role": but(ROLE + "stranger", given=(STRANGER,), error="InvalidParameterValueException"),
    "Runtime": NODE_RUNTIME, "Handler": "app.second", "Timeout": 30, "MemorySize": 512,
    "Description": but("d", see=(configuration,)),
    "Environment.Variables": {"COLOUR": "red"}, "EphemeralStorage.Size": 1024,
    "Layers": but(["<layer>"], given=(COLOURED,)),
    "LoggingConfig.LogFormat": but("JSON", see=(tail,)),
    "LoggingConfig.ApplicationLogLevel": but("ERROR", base=JSON_FORMAT, see=(tail,)),
    "LoggingConfig.SystemLogLevel": but("WARN", base=JSON_FORMAT, see=(tail,)),
    "LoggingConfig.LogGroup": but("custom", given=(ALLOWED_TO_LOG,), see=(where_logs_go,)),
}
ELSEWHERE = but(["arm64"], error="InvalidParameterValueException")
STALE = but("11111111-1111-1111-1111-111111111111", error="PreconditionFailedException")


def paged(call, given=(), start=None):
    """MaxItems cuts, Marker goes on; both on a list of at least two."""
    first = fn(call.operation, **call.input, MaxItems=1).keep(next="NextMarker")
    return {"MaxItems": but(1, given=given), "Marker": but("<next>", given=(*given, first), base={"MaxItems": 1})}


# Functions
recipe(CREATE, given=(READER, LOGGED), see=(run(),), members={
    **SEEN_WITHIN, "Code.ZipFile": SECOND, "Architectures": ELSEWHERE,
    "CodeSigningConfigArn": but("<strict>", given=(STRICT,), error="CodeVerificationFailedException"),
    "Publish": but(True, see=(fn("ListVersionsByFunction", FunctionName="probe"),)),
    "Tags": but({"a": "1"}, see=(fn("ListTags", Resource=ARN + "probe"),))})
recipe(fn("UpdateFunctionConfiguration", FunctionName="probe"), given=MADE, see=(run(),), members={**SEEN_WITHIN, "RevisionId": STALE})
recipe(fn("UpdateFunctionCode", FunctionName="probe", ZipFile=SECOND), given=MADE, see=(run(),), members={
    "ZipFile": package("third"), "Architectures": ELSEWHERE, "RevisionId": STALE, "DryRun": True,
    "Publish": but(True, see=(fn("ListVersionsByFunction", FunctionName="probe"),))})
recipe(fn("GetFunction", FunctionName="probe"), given=VERSIONS, members={"Qualifier": "1"})
recipe(fn("GetFunctionConfiguration", FunctionName="probe"), given=VERSIONS, members={"Qualifier": "1"})
recipe(fn("DeleteFunction", FunctionName="probe"), given=(*VERSIONS, CREATE_TWO), see=(fn("ListFunctions", FunctionVersion="ALL"),), members={
    "FunctionName": "rover", "Qualifier": "1"})
LIST = fn("ListFunctions")
recipe(LIST, given=(*VERSIONS, CREATE_TWO), members={**paged(LIST), "FunctionVersion": "ALL"})
recipe(fn("GetAccountSettings"))

# Invocations
recipe(fn("Invoke", FunctionName="probe"), given=VERSIONS, members={
    "InvocationType": "Event", "LogType": but("Tail", see=(lambda world: "LogResult" in world.answer,)),
    "ClientContext": base64.b64encode(b'{"custom": {"a": "1"}}').decode(), "Payload": b'{"a": 1}', "Qualifier": "1"})

# Versions and aliases
recipe(PUBLISH, given=MADE, see=(fn("ListVersionsByFunction", FunctionName="probe"),), members={
    "CodeSha256": but("x" * 43 + "=", error="InvalidParameterValueException"), "Description": "d", "RevisionId": STALE})
LIST = fn("ListVersionsByFunction", FunctionName="probe")
recipe(LIST, given=VERSIONS, members=paged(LIST))
recipe(LIVE, given=VERSIONS, see=(run("live"), fn("GetAlias", FunctionName="probe", Name="live")), members={
    "Name": "next", "FunctionVersion": "2", "Description": "d",
    "RoutingConfig.AdditionalVersionWeights": but({"2": 1.0}, see=(run("live"),))})
recipe(fn("UpdateAlias", FunctionName="probe", Name="live"), given=(*VERSIONS, LIVE, NEXT),
       see=(run("live"), fn("GetAlias", FunctionName="probe", Name="live")), members={
           "Name": "missing", "FunctionVersion": "2", "Description": "d", "RevisionId": STALE,
           "RoutingConfig.AdditionalVersionWeights": but({"2": 1.0}, see=(run("live"),))})
recipe(fn("GetAlias", FunctionName="probe", Name="live"), given=(*VERSIONS, LIVE, NEXT), members={"Name": "next"})
recipe(fn("DeleteAlias", FunctionName="probe", Name="live"), given=(*VERSIONS, LIVE, NEXT),
       see=(fn("ListAliases", FunctionName="probe"),), members={"Name": "next"})
LIST = fn("ListAliases", FunctionName="probe")
recipe(LIST, given=(*VERSIONS, LIVE, NEXT), members={**paged(LIST), "FunctionVersion": "1"})

# Tags
SEE_TAGS = (fn("ListTags", Resource=ARN + "probe"), fn("ListTags", Resource=ARN + "rover"))
recipe(fn("TagResource", Resource=ARN + "probe", Tags={"c": "3"}), given=(*MADE, CREATE_TWO), see=SEE_TAGS, members={
    "Resource": ARN + "rover", "Tags": {"d": "3"}})
recipe(fn("UntagResource", Resource=ARN + "probe", TagKeys=["a"]), given=(*MADE, CREATE_TWO, TAGGED), see=SEE_TAGS, members={
    "Resource": ARN + "rover", "TagKeys": ["b"]})
recipe(fn("ListTags", Resource=ARN + "probe"), given=(*MADE, CREATE_TWO, TAGGED), members={"Resource": ARN + "rover"})

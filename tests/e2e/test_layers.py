"""Layers: published, read, shared, and merged into /opt of the functions that use them."""

import base64
import hashlib
import io
import json
import os
import re
import urllib.request
import zipfile

import botocore.exceptions
import pytest

from cloud import ACCOUNT, NODE_RUNTIME, REGION, Functions, zipped

OTHER = "222222222222"


def fails(code, call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == code, error.value.response
    return error.value.response["Error"]["Message"]


def packed(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, (content, mode) in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def layer(api, files, name=None, **settings):
    name = name or f"layer-{os.urandom(4).hex()}"
    package = packed({path: (content, 0o644) if isinstance(content, str) else content for path, content in files.items()})
    return api.publish_layer_version(LayerName=name, Content={"ZipFile": package}, **settings)


def test_a_version_is_published_with_all_that_is_said_of_it(functions):
    api = functions.api
    package = packed({"python/one.py": ("x = 1\n", 0o644)})
    made = api.publish_layer_version(LayerName="told", Content={"ZipFile": package}, Description="first", LicenseInfo="MIT",
                                     CompatibleRuntimes=["python3.11", "python3.12"], CompatibleArchitectures=["x86_64"])
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:told"
    assert (made["LayerArn"], made["LayerVersionArn"], made["Version"]) == (arn, arn + ":1", 1)
    assert made["Content"]["CodeSize"] == len(package)
    assert made["Content"]["CodeSha256"] == base64.b64encode(hashlib.sha256(package).digest()).decode()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", made["CreatedDate"])
    assert made["CompatibleRuntimes"] == ["python3.11", "python3.12"] and made["CompatibleArchitectures"] == ["x86_64"]
    for read in (api.get_layer_version(LayerName="told", VersionNumber=1), api.get_layer_version(LayerName=arn, VersionNumber=1),
                 api.get_layer_version_by_arn(Arn=arn + ":1")):
        assert read["Description"] == "first" and read["LicenseInfo"] == "MIT" and read["Version"] == 1
        assert urllib.request.urlopen(read["Content"]["Location"]).read() == package
    plain = layer(api, {"a": "b"}, name="told")
    assert plain["Version"] == 2 and plain["Description"] == "" and "CompatibleRuntimes" not in plain and "LicenseInfo" not in plain


def test_lists_are_filtered_and_paged_newest_first(functions):
    api = functions.api
    prefix = f"list-{os.urandom(3).hex()}"
    for number, runtime in enumerate(["python3.11", "nodejs20.x", "python3.11"]):
        layer(api, {"a": str(number)}, name=prefix, CompatibleRuntimes=[runtime], CompatibleArchitectures=["arm64"])
    versions = [v["Version"] for v in api.list_layer_versions(LayerName=prefix)["LayerVersions"]]
    assert versions == [3, 2, 1]
    pages = api.get_paginator("list_layer_versions").paginate(LayerName=prefix, PaginationConfig={"PageSize": 1})
    assert [v["Version"] for page in pages for v in page["LayerVersions"]] == [3, 2, 1]
    assert [v["Version"] for v in api.list_layer_versions(LayerName=prefix, CompatibleRuntime="nodejs20.x")["LayerVersions"]] == [2]
    assert api.list_layer_versions(LayerName=prefix, CompatibleArchitecture="x86_64")["LayerVersions"] == []
    assert api.list_layer_versions(LayerName="never-made")["LayerVersions"] == []
    pages = api.get_paginator("list_layers").paginate(CompatibleRuntime="nodejs20.x", PaginationConfig={"PageSize": 1})
    mine = [item for page in pages for item in page["Layers"] if item["LayerName"] == prefix]
    assert [item["LatestMatchingVersion"]["Version"] for item in mine] == [2]
    api.delete_layer_version(LayerName=prefix, VersionNumber=3)
    api.delete_layer_version(LayerName=prefix, VersionNumber=3)
    fails("ResourceNotFoundException", api.get_layer_version, LayerName=prefix, VersionNumber=3)
    assert layer(api, {"a": "b"}, name=prefix)["Version"] == 4, "a number is never given twice"


def test_layers_are_merged_into_opt_and_later_ones_win(functions):
    api = functions.api
    first = layer(api, {"python/shared.py": "name = 'first'\n", "python/lib/python3.11/site-packages/only_first.py": "y = 1\n",
                        "bin/tool": ("#!/bin/sh\necho from the tool\n", 0o755)})["LayerVersionArn"]
    second = layer(api, {"python/shared.py": "name = 'second'\n", "python/only_second.py": "z = 2\n"})["LayerVersionArn"]
    source = ("import only_first, only_second, os, shared, subprocess\n"
              "def handler(e, c):\n"
              "    try: open('/opt/new', 'w'); wrote = True\n"
              "    except OSError: wrote = False\n"
              "    return [shared.name, only_first.y, only_second.z, wrote, subprocess.getoutput('tool')]\n")
    name = functions.create(source, Layers=[first, second])
    shown = api.get_function_configuration(FunctionName=name)["Layers"]
    assert [item["Arn"] for item in shown] == [first, second] and all(item["CodeSize"] > 0 for item in shown)
    assert functions.invoke(name)[1] == ["second", 1, 2, False, "from the tool"]
    version = api.publish_version(FunctionName=name)["Version"]
    api.update_function_configuration(FunctionName=name, Layers=[second, first])
    assert functions.invoke(name)[1] == ["first", 1, 2, False, "from the tool"]
    assert functions.invoke(name, Qualifier=version)[1] == ["second", 1, 2, False, "from the tool"]
    listed = {f["FunctionName"]: f for page in api.get_paginator("list_functions").paginate() for f in page["Functions"]}
    assert [item["Arn"] for item in listed[name]["Layers"]] == [second, first]
    assert "Layers" not in api.update_function_configuration(FunctionName=name, Layers=[])
    answer, payload = functions.invoke(name)
    assert payload["errorType"] == "Runtime.ImportModuleError"


def test_a_node_function_finds_the_packages_of_a_layer(functions):
    major = NODE_RUNTIME[6:-2]
    arn = layer(functions.api, {f"nodejs/node{major}/node_modules/exact/index.js": "module.exports = 'exact';\n",
                                "nodejs/node_modules/any/index.js": "module.exports = 'any';\n"})["LayerVersionArn"]
    package = zipped(index__js="exports.handler = async () => [require('exact'), require('any')];\n")
    name = functions.create(runtime=NODE_RUNTIME, handler="index.handler", package=package, Layers=[arn])
    assert functions.invoke(name)[1] == ["exact", "any"]


def test_a_function_keeps_a_deleted_layer_over_a_crash(fresh):
    server = fresh()
    functions = Functions(server)
    made = layer(functions.api, {"python/kept.py": "x = 'kept'\n"}, name="kept")
    name = functions.create("import kept\ndef handler(e, c): return kept.x\n", Layers=[made["LayerVersionArn"]])
    functions.api.delete_layer_version(LayerName="kept", VersionNumber=1)
    assert functions.invoke(name)[1] == "kept"
    server.kill()
    server.start()
    again = Functions(server)
    assert again.invoke(name)[1] == "kept"
    assert again.api.get_function_configuration(FunctionName=name)["Layers"][0]["Arn"] == made["LayerVersionArn"]
    fails("InvalidParameterValueException", again.api.update_function_configuration, FunctionName=name,
          Layers=[made["LayerVersionArn"]])
    again.api.delete_function(FunctionName=name)
    assert again.api.get_account_settings()["AccountUsage"]["TotalCodeSize"] == 0
    assert layer(again.api, {"python/kept.py": "x = 'kept'\n"}, name="kept")["Version"] == 2


def test_what_cannot_be_a_layer_or_be_used_is_refused(functions):
    api = functions.api
    name = functions.create("def handler(e, c): return 1\n")
    good = [layer(api, {"a": str(n)})["LayerVersionArn"] for n in range(6)]
    again = layer(api, {"a": "newer"}, name=good[0].split(":")[6])["LayerVersionArn"]
    before = api.get_function_configuration(FunctionName=name)

    def refused(layers):
        return fails("InvalidParameterValueException", api.update_function_configuration, FunctionName=name, Layers=layers)
    assert "more than 5 layers" in refused(good)
    assert "Two different versions of the same layer" in refused([good[0], again])
    missing = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:missing:1"
    assert refused([missing]) == f"Layer version {missing} does not exist."
    assert "same region" in refused([f"arn:aws:lambda:eu-west-1:{ACCOUNT}:layer:missing:1"])
    assert api.get_function_configuration(FunctionName=name)["RevisionId"] == before["RevisionId"]
    assert "unzip" in fails("InvalidParameterValueException", api.publish_layer_version, LayerName="x", Content={"ZipFile": b"no zip"})
    fails("InvalidParameterValueException", api.publish_layer_version, LayerName="x", Content={"S3Bucket": "bucket", "S3Key": "k"})
    fails("InvalidParameterValueException", api.publish_layer_version, LayerName="x", Content={})
    fails("ResourceNotFoundException", api.get_layer_version, LayerName="x", VersionNumber=1)
    fails("InvalidParameterValueException", api.get_layer_version, LayerName="x", VersionNumber=0)
    assert api.list_layer_versions(LayerName="x")["LayerVersions"] == []


def test_code_and_layers_share_a_limit(functions):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\0" * (130 << 20))
    big = buffer.getvalue()
    arns = [functions.api.publish_layer_version(LayerName=f"big{n}", Content={"ZipFile": big})["LayerVersionArn"] for n in (1, 2)]
    words = fails("InvalidParameterValueException", functions.create, source="def handler(e, c): return 1\n", Layers=arns)
    assert "exceeds the maximum allowed size of 262144000 bytes" in words
    functions.create("def handler(e, c): return 1\n", Layers=arns[:1])


def test_another_account_uses_a_layer_only_when_it_may(cloud, functions):
    api = functions.api
    made = layer(api, {"python/lent.py": "x = 'lent'\n"})
    name, arn = made["LayerArn"], made["LayerVersionArn"]
    fails("ResourceNotFoundException", api.get_layer_version_policy, LayerName=name, VersionNumber=1)
    theirs = Functions(cloud)
    theirs.iam, theirs.api = cloud.client("iam", key=OTHER), cloud.client("lambda", key=OTHER)
    fails("AccessDeniedException", theirs.api.get_layer_version_by_arn, Arn=arn)
    fails("AccessDeniedException", theirs.create, source="def handler(e, c): return 1\n", Layers=[arn])
    fails("AccessDeniedException", theirs.api.delete_layer_version, LayerName=name, VersionNumber=1)
    fails("AccessDeniedException", theirs.api.publish_layer_version, LayerName=name, Content={"ZipFile": packed({"a": ("b", 0o644)})})
    added = api.add_layer_version_permission(LayerName=name, VersionNumber=1, StatementId="lend", Action="lambda:GetLayerVersion",
                                             Principal=OTHER)
    assert json.loads(added["Statement"]) == {
        "Sid": "lend", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
        "Action": "lambda:GetLayerVersion", "Resource": arn}
    user = theirs.create("import lent\ndef handler(e, c): return lent.x\n", Layers=[arn])
    assert theirs.invoke(user)[1] == "lent"
    fails("ResourceConflictException", api.add_layer_version_permission, LayerName=name, VersionNumber=1, StatementId="lend",
          Action="lambda:GetLayerVersion", Principal="*")
    policy = api.get_layer_version_policy(LayerName=name, VersionNumber=1)
    assert policy["RevisionId"] == added["RevisionId"]
    assert json.loads(policy["Policy"])["Statement"] == [json.loads(added["Statement"])]
    fails("PreconditionFailedException", api.remove_layer_version_permission, LayerName=name, VersionNumber=1, StatementId="lend",
          RevisionId="stale")
    fails("ResourceNotFoundException", api.remove_layer_version_permission, LayerName=name, VersionNumber=1, StatementId="other")
    api.remove_layer_version_permission(LayerName=name, VersionNumber=1, StatementId="lend", RevisionId=policy["RevisionId"])
    fails("AccessDeniedException", theirs.api.get_layer_version_by_arn, Arn=arn)
    assert theirs.invoke(user)[1] == "lent", "a function that has it goes on"
    org = api.add_layer_version_permission(LayerName=name, VersionNumber=1, StatementId="org", Action="lambda:GetLayerVersion",
                                           Principal="*", OrganizationId="o-abcdefghij")
    assert json.loads(org["Statement"])["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}
    fails("AccessDeniedException", theirs.api.get_layer_version_by_arn, Arn=arn)
    api.add_layer_version_permission(LayerName=name, VersionNumber=1, StatementId="all", Action="lambda:GetLayerVersion", Principal="*")
    assert theirs.api.get_layer_version_by_arn(Arn=arn)["Version"] == 1


def test_a_user_may_be_bound_to_layers_by_condition(cloud, functions):
    allowed, other = (layer(functions.api, {"a": str(n)})["LayerVersionArn"] for n in (1, 2))
    role = functions.role()
    user = f"user-{os.urandom(4).hex()}"
    functions.iam.create_user(UserName=user)
    key = functions.iam.create_access_key(UserName=user)["AccessKey"]
    functions.iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["lambda:GetLayerVersion", "iam:PassRole"], "Resource": "*"},
        {"Effect": "Allow", "Action": "lambda:CreateFunction", "Resource": "*",
         "Condition": {"ForAllValues:StringEquals": {"lambda:Layer": [allowed]}}}]}))
    api = cloud.client("lambda", key["AccessKeyId"], key["SecretAccessKey"])
    make = dict(Runtime="python3.11", Handler="app.handler", Role=role, Code={"ZipFile": zipped(app__py="")})
    fails("AccessDeniedException", api.create_function, FunctionName=f"f-{user}", Layers=[other], **make)
    api.create_function(FunctionName=f"f-{user}", Layers=[allowed], **make)

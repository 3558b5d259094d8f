"""Code signing configurations, and the versions of runtimes that functions keep to."""

import json
import re

import botocore.exceptions
import pytest

from cloud import ACCOUNT, REGION, ROOT, Functions, zipped

PROFILE = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/profile/abcdefgh"
SOURCE = "def handler(e, c): return 1\n"


def fails(code, call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == code, error.value.response
    return error.value.response["Error"]["Message"]


def config(api, policy=None, **more):
    settings = {"CodeSigningPolicies": {"UntrustedArtifactOnDeployment": policy}} if policy else {}
    return api.create_code_signing_config(AllowedPublishers={"SigningProfileVersionArns": [PROFILE]}, **settings,
                                          **more)["CodeSigningConfig"]


def test_configurations_are_made_changed_listed_and_deleted(functions):
    api = functions.api
    made = config(api, Description="d", Tags={"a": "1"})
    arn = made["CodeSigningConfigArn"]
    assert re.fullmatch(rf"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-[a-z0-9]{{17}}", arn)
    assert arn.endswith(made["CodeSigningConfigId"]) and made["Description"] == "d"
    assert made["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}
    assert api.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"] == made
    changed = api.update_code_signing_config(CodeSigningConfigArn=arn, Description="new",
                                             CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"})["CodeSigningConfig"]
    assert changed["Description"] == "new" and changed["AllowedPublishers"] == made["AllowedPublishers"]
    assert changed["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Enforce"}
    others = [config(api)["CodeSigningConfigArn"] for _ in range(2)]
    pages = api.get_paginator("list_code_signing_configs").paginate(PaginationConfig={"PageSize": 1})
    assert {arn, *others} <= {item["CodeSigningConfigArn"] for page in pages for item in page["CodeSigningConfigs"]}
    assert api.list_tags(Resource=arn)["Tags"] == {"a": "1"}
    api.tag_resource(Resource=arn, Tags={"b": "2"})
    api.untag_resource(Resource=arn, TagKeys=["a"])
    assert api.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    api.delete_code_signing_config(CodeSigningConfigArn=arn)
    for call in (api.get_code_signing_config, api.delete_code_signing_config, api.list_functions_by_code_signing_config):
        fails("ResourceNotFoundException", call, CodeSigningConfigArn=arn)
    fails("ResourceNotFoundException", api.list_tags, Resource=arn)
    fails("InvalidParameterValueException", api.create_code_signing_config,
          AllowedPublishers={"SigningProfileVersionArns": ["arn:aws:s3:::bucket"]})


def test_enforce_refuses_code_and_warn_takes_it(functions):
    api = functions.api
    enforce, warn = config(api, "Enforce")["CodeSigningConfigArn"], config(api, "Warn")["CodeSigningConfigArn"]
    words = fails("CodeVerificationFailedException", functions.create, source=SOURCE, CodeSigningConfigArn=enforce)
    assert "UntrustedArtifactOnDeployment" in words and "Warn" in words
    name = functions.create(SOURCE, CodeSigningConfigArn=warn)
    assert api.get_function_code_signing_config(FunctionName=name)["CodeSigningConfigArn"] == warn
    new = zipped(app__py=SOURCE + "# new\n")
    api.update_function_code(FunctionName=name, ZipFile=new)
    api.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=enforce)
    before = api.get_function_configuration(FunctionName=name)
    for settings in ({}, {"DryRun": True}, {"Publish": True}):
        fails("CodeVerificationFailedException", api.update_function_code, FunctionName=name, ZipFile=zipped(app__py=""), **settings)
    layer = api.publish_layer_version(LayerName="unsigned", Content={"ZipFile": zipped(a="b")})["LayerVersionArn"]
    fails("CodeVerificationFailedException", api.update_function_configuration, FunctionName=name, Layers=[layer])
    assert api.get_function_configuration(FunctionName=name)["RevisionId"] == before["RevisionId"]
    assert functions.invoke(name)[1] == 1, "what is there goes on"
    api.update_function_configuration(FunctionName=name, MemorySize=256)
    assert api.list_functions_by_code_signing_config(CodeSigningConfigArn=enforce)["FunctionArns"] == [before["FunctionArn"]]
    assert api.list_functions_by_code_signing_config(CodeSigningConfigArn=warn)["FunctionArns"] == []
    fails("ResourceConflictException", api.delete_code_signing_config, CodeSigningConfigArn=enforce)
    api.update_code_signing_config(CodeSigningConfigArn=enforce, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"})
    api.update_function_code(FunctionName=name, ZipFile=new)
    api.delete_function_code_signing_config(FunctionName=name)
    assert api.get_function_code_signing_config(FunctionName=name)["CodeSigningConfigArn"] == ""
    api.delete_code_signing_config(CodeSigningConfigArn=enforce)
    words = fails("CodeSigningConfigNotFoundException", api.put_function_code_signing_config, FunctionName=name,
                  CodeSigningConfigArn=enforce)
    assert enforce in words
    fails("CodeSigningConfigNotFoundException", functions.create, source=SOURCE, CodeSigningConfigArn=enforce)
    fails("ResourceNotFoundException", api.put_function_code_signing_config, FunctionName="missing", CodeSigningConfigArn=warn)


def test_a_function_keeps_to_a_version_of_its_runtime(functions):
    api = functions.api
    name = functions.create(SOURCE, Publish=True)
    newest = api.get_function_configuration(FunctionName=name)["RuntimeVersionConfig"]["RuntimeVersionArn"]
    assert api.get_runtime_management_config(FunctionName=name)["UpdateRuntimeOn"] == "Auto"
    put = api.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="Manual", RuntimeVersionArn=newest)
    assert put["UpdateRuntimeOn"] == "Manual" and put["RuntimeVersionArn"] == newest
    assert put["FunctionArn"].endswith(f":{name}:$LATEST")
    read = api.get_runtime_management_config(FunctionName=name)
    assert (read["UpdateRuntimeOn"], read["RuntimeVersionArn"]) == ("Manual", newest)
    assert api.get_runtime_management_config(FunctionName=name, Qualifier="1")["UpdateRuntimeOn"] == "Auto"
    assert functions.invoke(name)[1] == 1
    api.put_runtime_management_config(FunctionName=name, Qualifier="1", UpdateRuntimeOn="FunctionUpdate")
    read = api.get_runtime_management_config(FunctionName=name, Qualifier="1")
    assert read["UpdateRuntimeOn"] == "FunctionUpdate" and "RuntimeVersionArn" not in read
    assert functions.invoke(name, Qualifier="1")[1] == 1
    assert api.publish_version(FunctionName=name)["Version"] == "1", "a runtime setting is no change of the function"
    for settings in ({"UpdateRuntimeOn": "Manual"}, {"UpdateRuntimeOn": "Auto", "RuntimeVersionArn": newest},
                     {"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": newest[:-1] + ("0" if newest[-1] != "0" else "1")}):
        fails("InvalidParameterValueException", api.put_runtime_management_config, FunctionName=name, **settings)
    fails("ResourceNotFoundException", api.put_runtime_management_config, FunctionName=name, Qualifier="7", UpdateRuntimeOn="Auto")


def test_an_older_version_of_a_runtime_runs_while_it_is_there(fresh, tmp_path):
    """Two folders hold the same runtime; they differ in a variable that the function sees."""
    runtimes = tmp_path / "runtimes"
    origin = json.loads((ROOT / "build/runtimes/python3.11/manifest.json").read_text())

    def put(folder, era):
        (runtimes / folder).mkdir(parents=True, exist_ok=True)
        manifest = {**origin, "environment": {**origin["environment"], "ERA": era}}
        (runtimes / folder / "manifest.json").write_text(json.dumps(manifest))

    put("python3.11", "old")
    server = fresh("--runtimes", str(runtimes))
    functions = Functions(server)
    name = functions.create("import os\ndef handler(e, c): return os.environ['ERA']\n", Publish=True)
    old = functions.api.get_function_configuration(FunctionName=name)["RuntimeVersionConfig"]["RuntimeVersionArn"]
    functions.api.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="FunctionUpdate")
    functions.api.put_runtime_management_config(FunctionName=name, Qualifier="1", UpdateRuntimeOn="Manual", RuntimeVersionArn=old)
    put("python3.11", "new")
    put("python3.11-kept", "old")
    server.admin("GET", "runtimes")
    assert functions.invoke(name)[1] == "old", "kept to what was newest when the function was last updated"
    assert functions.invoke(name, Qualifier="1")[1] == "old"
    other = functions.create("import os\ndef handler(e, c): return os.environ['ERA']\n")
    assert functions.invoke(other)[1] == "new"
    changed = functions.api.update_function_configuration(FunctionName=name, MemorySize=256)
    assert changed["RuntimeVersionConfig"]["RuntimeVersionArn"] != old
    assert functions.invoke(name)[1] == "new"
    assert functions.invoke(name, Qualifier="1")[1] == "old"
    (runtimes / "python3.11-kept" / "manifest.json").unlink()
    server.stop()
    server.start()
    assert functions.invoke(name)[1] == "new"
    words = fails("InvalidRuntimeException", functions.api.invoke, FunctionName=name, Qualifier="1")
    assert "PutRuntimeManagementConfig" in words
    shown = functions.api.get_function_configuration(FunctionName=name, Qualifier="1")["RuntimeVersionConfig"]
    assert shown["RuntimeVersionArn"] == old and "not on this machine" in shown["Error"]["Message"]
    functions.api.put_runtime_management_config(FunctionName=name, Qualifier="1", UpdateRuntimeOn="Auto")
    assert functions.invoke(name, Qualifier="1")[1] == "new"

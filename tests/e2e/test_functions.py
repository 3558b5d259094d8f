"""The main job: a stock client creates functions and invokes them."""

import base64
import json
import re
import time

import botocore.exceptions
import pytest

from cloud import NODE_RUNTIME, zipped

ECHO = "def handler(event, context):\n    print('got', event)\n    return {'echo': event, 'name': context.function_name}\n"
NODE_ECHO = "export const handler = async (event, context) => { console.log('got', event); return {echo: event, name: context.functionName}; };\n"
REPORT = re.compile(r"^REPORT RequestId: (\S+)\tDuration: ([\d.]+) ms\tBilled Duration: (\d+) ms\t"
                    r"Memory Size: (\d+) MB\tMax Memory Used: (\d+) MB\t?(?:Init Duration: ([\d.]+) ms)?", re.M)


@pytest.fixture(scope="module")
def echo(functions):
    return functions.create(ECHO)


def code_of(error):
    return error.value.response["Error"]["Code"]


def test_python_function_answers_logs_and_reports(functions, echo):
    answer, payload = functions.invoke(echo, {"a": [1, "ü"]}, LogType="Tail")
    assert answer["StatusCode"] == 200 and "FunctionError" not in answer
    assert answer["ExecutedVersion"] == "$LATEST"
    assert payload == {"echo": {"a": [1, "ü"]}, "name": echo}
    tail = base64.b64decode(answer["LogResult"]).decode()
    request = answer["ResponseMetadata"]["RequestId"]
    assert f"START RequestId: {request} Version: $LATEST\n" in tail
    assert f"END RequestId: {request}\n" in tail
    report = REPORT.search(tail)
    assert report and report.group(1) == request and report.group(4) == "128"
    assert int(report.group(3)) >= float(report.group(2))
    messages = functions.messages(echo, 4)
    assert any("got {'a': [1, 'ü']}" in m for m in messages)


def test_node_function_answers(functions):
    name = functions.create(NODE_ECHO, runtime=NODE_RUNTIME)
    answer, payload = functions.invoke(name, {"b": 2})
    assert payload == {"echo": {"b": 2}, "name": name}
    assert any("got" in m for m in functions.messages(name, 4))


def test_second_invoke_is_warm(functions, echo):
    functions.invoke(echo)
    answer, _ = functions.invoke(echo, LogType="Tail")
    assert "Init Duration" not in base64.b64decode(answer["LogResult"]).decode()


def test_handler_error_is_the_runtimes_own(functions):
    name = functions.create("class Odd(Exception): pass\ndef handler(e, c):\n    raise Odd('no')\n")
    answer, payload = functions.invoke(name)
    assert answer["StatusCode"] == 200 and answer["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "Odd" and payload["errorMessage"] == "no"
    assert payload["requestId"] and "app.py" in payload["stackTrace"][0]


def test_timeout_is_reported_as_lambda_does(functions):
    name = functions.create("import time\ndef handler(e, c):\n    time.sleep(60)\n", Timeout=1)
    answer, payload = functions.invoke(name)
    request = answer["ResponseMetadata"]["RequestId"]
    assert answer["FunctionError"] == "Unhandled"
    assert payload == {"errorType": "Sandbox.Timedout",
                       "errorMessage": f"RequestId: {request} Error: Task timed out after 1.00 seconds"}
    assert any(f"{request} Task timed out after 1.00 seconds" in m for m in functions.messages(name, 4))


def test_memory_limit_binds(functions, echo):
    name = functions.create("def handler(e, c):\n    x = bytearray(2 << 30)\n    for i in range(0, len(x), 4096): x[i] = 1\n", Timeout=20)
    answer, payload = functions.invoke(name, LogType="Tail")
    assert answer["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "Runtime.ExitError"
    assert "signal: killed" in payload["errorMessage"]
    assert functions.invoke(echo, {"still": 1})[1]["echo"] == {"still": 1}


def test_exit_is_reported(functions):
    name = functions.create("import os\ndef handler(e, c):\n    os._exit(3)\n")
    answer, payload = functions.invoke(name)
    assert payload["errorType"] == "Runtime.ExitError"
    assert payload["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
    assert functions.invoke(name)[1]["errorType"] == "Runtime.ExitError"  # a new environment each time


@pytest.mark.parametrize("handler, source, error, words", [
    ("app.missing", ECHO, "Runtime.HandlerNotFound", "Handler 'missing' missing on module 'app'"),
    ("other.handler", ECHO, "Runtime.ImportModuleError", "Unable to import module 'other'"),
    ("app.handler", "def handler(:\n", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
    ("app.handler", "raise ValueError('at import')\n", "ValueError", "at import"),
])
def test_init_errors(functions, handler, source, error, words):
    name = functions.create(source, handler=handler)
    answer, payload = functions.invoke(name)
    assert answer["FunctionError"] == "Unhandled"
    assert payload["errorType"] == error and words in payload["errorMessage"]


def test_environment_and_credentials_reach_the_function(functions, cloud):
    source = """
import boto3, os
def handler(event, context):
    me = boto3.client('sts').get_caller_identity()['Arn']
    return {'me': me, 'mine': os.environ['MINE'], 'arn': context.invoked_function_arn, 'region': os.environ['AWS_REGION'],
            'memory': os.environ['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'], 'left': context.get_remaining_time_in_millis()}
"""
    role = functions.role()
    name = functions.create(source, Environment={"Variables": {"MINE": "yes"}}, MemorySize=512, Timeout=30, role=role)
    _, payload = functions.invoke(name)
    role_name = role.split("/")[-1]
    assert payload["me"] == f"arn:aws:sts::000000000000:assumed-role/{role_name}/{name}"
    assert payload["mine"] == "yes" and payload["region"] == "us-east-1" and payload["memory"] == "512"
    assert 20000 < payload["left"] <= 30000
    assert payload["arn"].endswith(f":function:{name}")


def test_role_without_a_permission_is_denied_with_the_reason(functions):
    source = """
import boto3, botocore
def handler(event, context):
    try:
        boto3.client('lambda').list_functions()
    except botocore.exceptions.ClientError as error:
        return error.response['Error']
"""
    name = functions.create(source, Timeout=30)
    _, payload = functions.invoke(name)
    assert payload["Code"] == "AccessDeniedException"
    assert f"/{name} is not authorized to perform: lambda:ListFunctions" in payload["Message"]
    assert "because no identity-based policy allows the lambda:ListFunctions action" in payload["Message"]


def test_without_log_permissions_nothing_arrives(functions):
    name = functions.create(ECHO, role=functions.role(managed=()))
    functions.invoke(name)
    time.sleep(0.5)  # the absence of an event has no event to wait for
    with pytest.raises(functions.logs.exceptions.ResourceNotFoundException):
        functions.logs.describe_log_streams(logGroupName=f"/aws/lambda/{name}")


def test_versions_and_aliases_keep_their_code(functions):
    name = functions.create("def handler(e, c): return 1\n")
    one = functions.api.publish_version(FunctionName=name)["Version"]
    functions.api.create_alias(FunctionName=name, Name="live", FunctionVersion=one)
    functions.api.update_function_code(FunctionName=name, ZipFile=zipped(app__py="def handler(e, c): return 2\n"))
    functions.api.get_waiter("function_updated_v2").wait(FunctionName=name)
    two = functions.api.publish_version(FunctionName=name)["Version"]
    assert (one, two) == ("1", "2")
    assert functions.invoke(name)[1] == 2
    assert functions.invoke(name, Qualifier="1")[1] == 1
    answer, payload = functions.invoke(name, Qualifier="live")
    assert payload == 1 and answer["ExecutedVersion"] == "1"
    functions.api.update_alias(FunctionName=name, Name="live", FunctionVersion=two,
                               RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}})
    seen = [functions.invoke(name, Qualifier="live")[1] for _ in range(60)]
    assert 10 <= seen.count(1) <= 50  # a fair coin fails this once in 10^7
    versions = [v["Version"] for p in functions.api.get_paginator("list_versions_by_function").paginate(FunctionName=name)
                for v in p["Versions"]]
    assert versions == ["$LATEST", "1", "2"]


def test_paginators_see_every_function_once(functions):
    role = functions.role()
    made = {functions.create(ECHO, role=role, wait=False) for _ in range(7)}
    pages = list(functions.api.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 3}))
    names = [f["FunctionName"] for p in pages for f in p["Functions"]]
    assert len(names) == len(set(names)) and made <= set(names) and len(pages) >= 3


def test_async_invoke_happens(functions):
    name = functions.create("def handler(e, c):\n    print('did', e['n'])\n")
    answer = functions.api.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"n": 42}))
    assert answer["StatusCode"] == 202
    assert any("did 42" in m for m in functions.messages(name, 3, timeout=20))


def test_dry_run(functions, echo):
    assert functions.api.invoke(FunctionName=echo, InvocationType="DryRun")["StatusCode"] == 204


def test_concurrent_invokes_scale_out(functions):
    from concurrent.futures import ThreadPoolExecutor
    name = functions.create("import time, os\ndef handler(e, c):\n    time.sleep(0.5)\n    return open('/proc/sys/kernel/random/boot_id').read() and os.environ['AWS_LAMBDA_LOG_STREAM_NAME']\n")
    with ThreadPoolExecutor(8) as pool:
        streams = list(pool.map(lambda _: functions.invoke(name)[1], range(8)))
    assert len(set(streams)) == 8  # one event per environment


def test_concurrent_writers_conflict_cleanly(functions, echo):
    with pytest.raises(functions.api.exceptions.ResourceConflictException) as error:
        functions.create(ECHO, name=echo)
    assert f"Function already exist: {echo}" == error.value.response["Error"]["Message"]


def test_unknown_function(functions):
    with pytest.raises(functions.api.exceptions.ResourceNotFoundException) as error:
        functions.invoke("nobody")
    assert error.value.response["Error"]["Message"] == \
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody"


def test_accounts_and_regions_are_apart(cloud, functions, echo):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        cloud.client("lambda", key="111111111111").get_function(FunctionName=echo)
    assert code_of(error) == "ResourceNotFoundException"
    with pytest.raises(botocore.exceptions.ClientError) as error:
        cloud.client("lambda", region="eu-west-1").get_function(FunctionName=echo)
    assert code_of(error) == "ResourceNotFoundException"


def test_delete_really_deletes(functions):
    name = functions.create(ECHO)
    functions.invoke(name)
    functions.api.delete_function(FunctionName=name)
    with pytest.raises(functions.api.exceptions.ResourceNotFoundException):
        functions.invoke(name)


def test_code_can_be_downloaded(functions, echo):
    import io, urllib.request, zipfile
    location = functions.api.get_function(FunctionName=echo)["Code"]["Location"]
    archive = zipfile.ZipFile(io.BytesIO(urllib.request.urlopen(location).read()))
    assert archive.read("app.py").decode() == ECHO

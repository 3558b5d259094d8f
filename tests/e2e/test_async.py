"""Events accepted for later: their settings, retries, destinations, and loops of calls."""

import json
import subprocess
import time

import botocore.exceptions
import pytest

from cloud import BINARY, Functions

COUNT = """
import json
def handler(event, context):
    print('got ' + json.dumps(event))
    if event.get('fail'): raise ValueError('no')
    return {'done': event}
"""
INVOKE_ANY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}]}


def code_of(error):
    return error.value.response["Error"]["Code"]


def eventually(done, timeout=20):
    deadline = time.monotonic() + timeout
    while not (found := done()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


def advance(cloud, seconds):
    subprocess.run([BINARY, "clock", "--listen", cloud.address, "advance", f"{seconds}s"], check=True, capture_output=True)


def got(functions, name, count=1):
    """What the function printed of its events."""
    return [json.loads(m.split("got ", 1)[1]) for m in functions.messages(name, count, pattern='"got "', timeout=20)]


@pytest.fixture
def manual(fresh):
    cloud = fresh("--clock", "manual")
    return cloud, Functions(cloud)


def later(functions, name, event, **settings):
    answer = functions.api.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event), **settings)
    assert answer["StatusCode"] == 202
    return answer["ResponseMetadata"]["RequestId"]


def test_settings(functions):
    api = functions.api
    role = functions.role(policy=INVOKE_ANY)
    name, target = functions.create(COUNT, role=role), functions.create(COUNT)
    arn = api.get_function(FunctionName=target)["Configuration"]["FunctionArn"]
    with pytest.raises(botocore.exceptions.ClientError) as error:
        api.get_function_event_invoke_config(FunctionName=name)
    assert code_of(error) == "ResourceNotFoundException"
    with pytest.raises(botocore.exceptions.ClientError) as error:
        api.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    assert code_of(error) == "ResourceNotFoundException"
    put = api.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0, MaximumEventAgeInSeconds=3600)
    assert put["FunctionArn"].endswith(f":function:{name}:$LATEST") and put["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    assert put["MaximumRetryAttempts"] == 0 and put["MaximumEventAgeInSeconds"] == 3600
    updated = api.update_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn}})
    assert updated["MaximumRetryAttempts"] == 0 and updated["DestinationConfig"]["OnSuccess"]["Destination"] == arn
    replaced = api.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    assert "MaximumEventAgeInSeconds" not in replaced and replaced["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    version = api.publish_version(FunctionName=name)["Version"]
    api.put_function_event_invoke_config(FunctionName=name, Qualifier=version, MaximumRetryAttempts=2)
    page = api.list_function_event_invoke_configs(FunctionName=name, MaxItems=1)
    rest = api.list_function_event_invoke_configs(FunctionName=name, Marker=page["NextMarker"])
    both = page["FunctionEventInvokeConfigs"] + rest["FunctionEventInvokeConfigs"]
    assert sorted(c["FunctionArn"].rsplit(":", 1)[1] for c in both) == ["$LATEST", version]
    api.delete_function_event_invoke_config(FunctionName=name)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        api.delete_function_event_invoke_config(FunctionName=name)
    assert code_of(error) == "ResourceNotFoundException"


def test_bad_settings(functions):
    api = functions.api
    name = functions.create(COUNT, role=functions.role(policy=INVOKE_ANY))
    poor = functions.create(COUNT)
    mine = api.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    bad = [{}, {"MaximumRetryAttempts": 3}, {"MaximumEventAgeInSeconds": 59}, {"MaximumEventAgeInSeconds": 21601}]
    bad += [{"DestinationConfig": {"OnSuccess": {"Destination": arn}}} for arn in (
        "arn:aws:sqs:us-east-1:000000000000:q", "arn:aws:iam::000000000000:role/r", mine, mine.replace(name, "nobody"))]
    for settings in bad:
        with pytest.raises((botocore.exceptions.ClientError, botocore.exceptions.ParamValidationError)) as error:
            api.put_function_event_invoke_config(FunctionName=name, **settings)
        if isinstance(error.value, botocore.exceptions.ClientError):
            assert code_of(error) in ("InvalidParameterValueException", "ValidationException"), settings
    with pytest.raises(botocore.exceptions.ClientError) as error:
        api.put_function_event_invoke_config(FunctionName=poor, DestinationConfig={"OnFailure": {"Destination": mine}})
    assert code_of(error) == "InvalidParameterValueException" and "does not have permissions to call InvokeFunction" in str(error.value)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        api.put_function_event_invoke_config(FunctionName="nobody", MaximumRetryAttempts=1)
    assert code_of(error) == "ResourceNotFoundException"


def test_invoke_async(functions):
    name = functions.create(COUNT)
    assert functions.api.invoke_async(FunctionName=name, InvokeArgs=b'{"old": 1}')["Status"] == 202
    assert got(functions, name) == [{"old": 1}]


def test_success_goes_to_its_destination(functions):
    role = functions.role(policy=INVOKE_ANY, managed=("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",))
    name, target = functions.create(COUNT, role=role), functions.create(COUNT)
    arn = functions.api.get_function(FunctionName=target)["Configuration"]["FunctionArn"]
    functions.api.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn}})
    request = later(functions, name, {"a": 1})
    record, = got(functions, target)
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "version": "1.0",
        "requestContext": {"requestId": request, "functionArn": arn.replace(target, name) + ":$LATEST", "condition": "Success",
                           "approximateInvokeCount": 1},
        "requestPayload": {"a": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": {"done": {"a": 1}}}


def test_retries_follow_the_configuration_and_end_at_the_destination(manual):
    cloud, functions = manual
    name, target = functions.create(COUNT, role=functions.role(policy=INVOKE_ANY)), functions.create(COUNT)
    arn = functions.api.get_function(FunctionName=target)["Configuration"]["FunctionArn"]
    functions.api.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1,
                                                   DestinationConfig={"OnFailure": {"Destination": arn}})
    request = later(functions, name, {"fail": 1})
    assert len(got(functions, name, 1)) == 1
    advance(cloud, 59)
    assert len(got(functions, name, 1)) == 1
    advance(cloud, 2)
    assert len(got(functions, name, 2)) == 2
    record, = got(functions, target)
    assert record["requestContext"] == {"requestId": request, "functionArn": arn.replace(target, name) + ":$LATEST",
                                        "condition": "RetriesExhausted", "approximateInvokeCount": 2}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert record["responsePayload"]["errorType"] == "ValueError" and record["requestPayload"] == {"fail": 1}


def test_old_events_are_given_up(manual):
    cloud, functions = manual
    name, target = functions.create(COUNT, role=functions.role(policy=INVOKE_ANY)), functions.create(COUNT)
    arn = functions.api.get_function(FunctionName=target)["Configuration"]["FunctionArn"]
    functions.api.put_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=60,
                                                   DestinationConfig={"OnFailure": {"Destination": arn}})
    later(functions, name, {"fail": 1})
    advance(cloud, 61)
    advance(cloud, 600)
    record, = got(functions, target)
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 2


def test_deliveries_and_retries_survive_a_kill(fresh):
    cloud = fresh("--clock", "manual")
    functions = Functions(cloud)
    role = functions.role(policy=INVOKE_ANY)
    name, target = functions.create(COUNT, role=role), functions.create(COUNT)
    arn = functions.api.get_function(FunctionName=target)["Configuration"]["FunctionArn"]
    functions.api.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1,
                                                   DestinationConfig={"OnFailure": {"Destination": arn}})
    later(functions, name, {"fail": 2})
    got(functions, name, 1)
    eventually(lambda: cloud.admin("GET", "status")["lambda"]["events retried"] == 1)
    cloud.kill()
    cloud.start()
    advance(cloud, 61)
    record, = got(functions, target)
    assert record["requestContext"]["condition"] == "RetriesExhausted"


LOOP = """
import boto3, json, os
def handler(event, context):
    count = event.get('count', 0) + 1
    print('got ' + json.dumps({'count': count}))
    if count > 40: return count
    api = boto3.client('lambda')
    try:
        answer = api.invoke(FunctionName=context.function_name, Payload=json.dumps({'count': count}), InvocationType=event.get('type', 'RequestResponse'))
    except Exception as error:
        return {'count': count, 'error': type(error).__name__}
    payload = answer['Payload'].read()
    return json.loads(payload) if payload else count
"""


def test_a_loop_of_calls_is_stopped(functions):
    name = functions.create(LOOP, role=functions.role(policy=INVOKE_ANY), Timeout=120, MemorySize=256)
    api = functions.api
    assert api.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Terminate"
    _, payload = functions.invoke(name)
    assert payload == {"count": 16, "error": "RecursiveInvocationException"}
    assert api.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")["RecursiveLoop"] == "Allow"
    assert api.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Allow"


def test_a_loop_of_events_is_stopped(functions):
    source = LOOP.replace("event.get('type', 'RequestResponse')", "'Event'")
    name, target = functions.create(source, role=functions.role(policy=INVOKE_ANY), Timeout=60), functions.create(COUNT)
    arn = functions.api.get_function(FunctionName=target)["Configuration"]["FunctionArn"]
    functions.api.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnFailure": {"Destination": arn}})
    functions.api.invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    record, = got(functions, target)
    assert record["responsePayload"]["errorType"] == "RecursiveInvocationException"
    assert record["requestPayload"] == {"count": 16}
    assert len(got(functions, name, 16)) == 16


def test_loops_through_destinations_are_stopped(functions):
    role = functions.role(policy=INVOKE_ANY)
    source = "def handler(event, context):\n    print('got 1')\n"
    a, b = functions.create(source, role=role), functions.create(source, role=role)
    arn = {f: functions.api.get_function(FunctionName=f)["Configuration"]["FunctionArn"] for f in (a, b)}
    for one, other in ((a, b), (b, a)):
        functions.api.put_function_event_invoke_config(FunctionName=one, DestinationConfig={"OnSuccess": {"Destination": arn[other]}})
    functions.api.invoke(FunctionName=a, InvocationType="Event", Payload=b"{}")
    assert len(got(functions, a, 16)) == 16
    time.sleep(1)
    assert len(got(functions, a, 16)) == 16

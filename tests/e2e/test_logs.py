"""CloudWatch Logs by boto3."""

import os
import time

import botocore.exceptions
import pytest


@pytest.fixture(scope="module")
def logs(cloud):
    return cloud.client("logs")


@pytest.fixture
def group(logs):
    name = f"g-{os.urandom(4).hex()}"
    logs.create_log_group(logGroupName=name, tags={"a": "b"})
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    return name


def put(logs, group, *messages, stream="s", start=None):
    start = start or int(time.time() * 1000) - 60_000
    return logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[
        {"timestamp": start + i, "message": m} for i, m in enumerate(messages)])


def test_put_get_and_tokens(logs, group):
    put(logs, group, *[f"m{i}" for i in range(25)])
    page = logs.get_log_events(logGroupName=group, logStreamName="s", startFromHead=True, limit=10)
    assert [e["message"] for e in page["events"]] == [f"m{i}" for i in range(10)]
    page = logs.get_log_events(logGroupName=group, logStreamName="s", limit=100, nextToken=page["nextForwardToken"])
    assert [e["message"] for e in page["events"]] == [f"m{i}" for i in range(10, 25)]
    end = logs.get_log_events(logGroupName=group, logStreamName="s", nextToken=page["nextForwardToken"])
    assert end["events"] == [] and end["nextForwardToken"] == page["nextForwardToken"]
    last = logs.get_log_events(logGroupName=group, logStreamName="s", limit=3)
    assert [e["message"] for e in last["events"]] == ["m22", "m23", "m24"]


@pytest.mark.parametrize("pattern, wanted", [
    ("ERROR", ["ERROR one", '{"level": "ERROR", "n": 5}']),
    ('"ERROR one"', ["ERROR one"]),
    ("-ERROR", ["all fine"]),
    ("?fine ?one", ["ERROR one", "all fine"]),
    ('{ $.level = "ERROR" && $.n > 4 }', ['{"level": "ERROR", "n": 5}']),
    ("{ $.n > 5 }", []),
    ("%^all%", ["all fine"]),
])
def test_filter_patterns(logs, group, pattern, wanted):
    put(logs, group, "ERROR one", "all fine", '{"level": "ERROR", "n": 5}')
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern=pattern)
    assert [e["message"] for p in pages for e in p["events"]] == wanted


def test_errors(logs, group):
    def code(call, **arguments):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            call(**arguments)
        return error.value.response["Error"]["Code"]
    assert code(logs.create_log_group, logGroupName=group) == "ResourceAlreadyExistsException"
    assert code(logs.create_log_stream, logGroupName="nobody", logStreamName="s") == "ResourceNotFoundException"
    assert code(logs.put_log_events, logGroupName=group, logStreamName="none", logEvents=[{"timestamp": 1, "message": "m"}]) in ("InvalidParameterException", "ResourceNotFoundException")
    assert code(logs.create_log_group, logGroupName="bad name?") == "InvalidParameterException"
    assert code(logs.put_retention_policy, logGroupName=group, retentionInDays=2) == "InvalidParameterException"
    now = int(time.time() * 1000)
    assert code(logs.put_log_events, logGroupName=group, logStreamName="s", logEvents=[
        {"timestamp": now, "message": "b"}, {"timestamp": now - 5, "message": "a"}]) == "InvalidParameterException"


def test_too_old_and_too_new_are_rejected(logs, group):
    old = put(logs, group, "x", start=int(time.time() * 1000) - 15 * 86_400_000)
    assert "tooOldLogEventEndIndex" in old["rejectedLogEventsInfo"]
    new = put(logs, group, "x", start=int(time.time() * 1000) + 3 * 3_600_000)
    assert new["rejectedLogEventsInfo"]["tooNewLogEventStartIndex"] == 0


def test_groups_streams_and_tags(logs, group):
    described = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert len(described) == 1 and described[0]["arn"].endswith(f":log-group:{group}:*")
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"] == 7
    assert logs.list_tags_for_resource(resourceArn=described[0]["logGroupArn"])["tags"] == {"a": "b"}
    for i in range(5):
        logs.create_log_stream(logGroupName=group, logStreamName=f"s{i}")
    names = [s["logStreamName"] for p in logs.get_paginator("describe_log_streams").paginate(
        logGroupName=group, PaginationConfig={"PageSize": 2}) for s in p["logStreams"]]
    assert names == ["s", "s0", "s1", "s2", "s3", "s4"]
    logs.delete_log_group(logGroupName=group)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []


def test_retention_follows_the_clock(fresh):
    cloud = fresh("--clock", "manual")
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    logs.put_retention_policy(logGroupName="g", retentionInDays=1)
    now = cloud.admin("GET", "clock")["now_ms"]
    put(logs, "g", "old", start=now)
    assert len(logs.get_log_events(logGroupName="g", logStreamName="s")["events"]) == 1
    cloud.admin("POST", "clock", {"by_us": 2 * 86_400_000_000})
    assert logs.get_log_events(logGroupName="g", logStreamName="s")["events"] == []

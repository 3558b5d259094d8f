"""How each member of CloudWatch Logs' operations is seen to act (see members.py)."""

import time

from members import as_aws, but, recipe, service

logs = service("logs")

OTHER = {"logGroupName": "other", "logStreamName": "other", "logGroupIdentifier": "other"}
ARN = "arn:aws:logs:us-east-1:<account>:log-group:"
NOW = int(time.time() * 1000)

GROUP, GROUP_TWO = logs("CreateLogGroup", logGroupName="app", tags={"a": "1"}), logs("CreateLogGroup", logGroupName="team/web", tags={"a": "2"})
STREAM, STREAM_TWO = (logs("CreateLogStream", logGroupName="app", logStreamName=n) for n in ("one", "two"))
KEPT = logs("PutRetentionPolicy", logGroupName="app", retentionInDays=7)


def put(stream, *messages, start=NOW - 10_000):
    return logs("PutLogEvents", logGroupName="app", logStreamName=stream,
                logEvents=[{"timestamp": start + i, "message": m} for i, m in enumerate(messages)])


FILLED = (GROUP, STREAM, STREAM_TWO, put("one", "first", "ERROR second", "third"), put("two", "other", start=NOW - 9_000))
SEE_GROUPS = (logs("DescribeLogGroups"), logs("ListTagsLogGroup", logGroupName="app"))
SEE_STREAMS = (logs("DescribeLogStreams", logGroupName="app"),)
SEE_TAGS = (logs("ListTagsLogGroup", logGroupName="app"), logs("ListTagsLogGroup", logGroupName="team/web"))
SEE_EVENTS = (logs("GetLogEvents", logGroupName="app", logStreamName="one", startFromHead=True),)


def paged(call, limit=1):
    first = logs(call.operation, **call.input, limit=limit).keep(next="nextToken")
    return {"limit": limit, "nextToken": but("<next>", given=(first,), base={"limit": limit})}


# Groups
recipe(logs("CreateLogGroup", logGroupName="app"), see=SEE_GROUPS, members={"tags": {"b": "1"}, "deletionProtectionEnabled": True})
recipe(logs("DeleteLogGroup", logGroupName="app"), given=(GROUP, GROUP_TWO), see=SEE_GROUPS, members={"logGroupName": "team/web"})
recipe(logs("PutRetentionPolicy", logGroupName="app", retentionInDays=7), given=(GROUP, GROUP_TWO), see=SEE_GROUPS, members={
    "logGroupName": "team/web", "retentionInDays": 30})
recipe(logs("DeleteRetentionPolicy", logGroupName="app"), given=(GROUP, KEPT), see=SEE_GROUPS)
recipe(logs("PutLogGroupDeletionProtection", logGroupIdentifier="app", deletionProtectionEnabled=True), given=(GROUP, GROUP_TWO),
       see=(logs("DescribeLogGroups"), logs("DeleteLogGroup", logGroupName="app")), members={
           "logGroupIdentifier": "team/web", "deletionProtectionEnabled": False})
call = logs("DescribeLogGroups")
recipe(call, given=(GROUP, GROUP_TWO), members={
    **paged(call), "logGroupNamePrefix": "te", "logGroupNamePattern": "web", "logGroupClass": "INFREQUENT_ACCESS", "logGroupIdentifiers": ["app"]})
call = logs("ListLogGroups")
recipe(call, given=(GROUP, GROUP_TWO), members={
    **paged(call), "logGroupNamePattern": "web", "logGroupClass": "INFREQUENT_ACCESS", "logGroupTags": [{"key": "b"}],
    "logGroupTags.key": but("b", base={"logGroupTags": [{"key": "a"}]}),
    "logGroupTags.values": but(["2"], base={"logGroupTags": [{"key": "a"}]})})

# Streams
recipe(logs("CreateLogStream", logGroupName="app", logStreamName="one"), given=(GROUP, GROUP_TWO), see=SEE_STREAMS, members={
    "logGroupName": "team/web"})
recipe(logs("DeleteLogStream", logGroupName="app", logStreamName="one"), given=(GROUP, STREAM, STREAM_TWO), see=SEE_STREAMS, members={
    "logStreamName": "two"})
call = logs("DescribeLogStreams", logGroupName="app")
recipe(call, given=FILLED, members={
    **paged(call), "logGroupIdentifier": but(ARN + "team/web", base={"logGroupName": None, "logGroupIdentifier": "app"}, given=(GROUP_TWO,)),
    "logStreamNamePrefix": "tw", "descending": True,
    "orderBy": but("LastEventTime", given=(logs("CreateLogStream", logGroupName="app", logStreamName="zero"),))})

# Events
call = logs("PutLogEvents", logGroupName="app", logStreamName="one", logEvents=[{"timestamp": NOW, "message": "m"}])
recipe(call, given=(GROUP, STREAM, STREAM_TWO), see=SEE_EVENTS, members={
    "logStreamName": "two", "logEvents.timestamp": NOW - 5000, "logEvents.message": "n",
    "sequenceToken": as_aws("0", "The sequenceToken parameter is now ignored in PutLogEvents actions."),
    "entity.keyAttributes": but({"Type": "Service", "Name": "a", "Environment": "b"}, see=()),
    "entity.attributes": but({"a": "b"}, see=())})
BOTH = {"logGroupName": None, "logGroupIdentifier": "app"}
call = logs("GetLogEvents", logGroupName="app", logStreamName="one", startFromHead=True)
recipe(call, given=FILLED, members={
    "logGroupIdentifier": but("other", base=BOTH), "logStreamName": "two", "startTime": NOW - 9_999, "endTime": NOW - 9_999,
    "limit": 1, "nextToken": but("<next>", base={"limit": 1}, given=(logs(call.operation, **call.input, limit=1).keep(next="nextForwardToken"),)),
    "startFromHead": but(False, base={"limit": 1}), "unmask": but(True, caller="logs:GetLogEvents", error="AccessDeniedException")})
call = logs("FilterLogEvents", logGroupName="app")
recipe(call, given=FILLED, members={
    **paged(call), "logGroupIdentifier": but("other", base=BOTH), "logStreamNames": ["two"], "logStreamNamePrefix": "tw",
    "startTime": NOW - 9_999, "endTime": NOW - 9_999, "filterPattern": "ERROR",
    "startFromHead": but(False, base={"startTime": NOW - 3_600_000}),
    "interleaved": as_aws(False, "As of June 17, 2019, this parameter is ignored and the value is assumed to be true."),
    "unmask": but(True, caller="logs:FilterLogEvents", error="AccessDeniedException")})

# Tags
recipe(logs("TagLogGroup", logGroupName="app", tags={"b": "1"}), given=(GROUP, GROUP_TWO), see=SEE_TAGS, members={"tags": {"c": "1"}})
recipe(logs("UntagLogGroup", logGroupName="app", tags=["a"]), given=(GROUP, GROUP_TWO), see=SEE_TAGS, members={"tags": ["b"]})
recipe(logs("ListTagsLogGroup", logGroupName="app"), given=(GROUP, GROUP_TWO), members={"logGroupName": "team/web"})
recipe(logs("TagResource", resourceArn=ARN + "app", tags={"b": "1"}), given=(GROUP, GROUP_TWO), see=SEE_TAGS, members={
    "resourceArn": ARN + "team/web", "tags": {"c": "1"}})
recipe(logs("UntagResource", resourceArn=ARN + "app", tagKeys=["a"]), given=(GROUP, GROUP_TWO), see=SEE_TAGS, members={
    "resourceArn": ARN + "team/web", "tagKeys": ["b"]})
recipe(logs("ListTagsForResource", resourceArn=ARN + "app"), given=(GROUP, GROUP_TWO), members={"resourceArn": ARN + "team/web"})

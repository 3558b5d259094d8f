"""Bad input by real client bytes: requests that botocore wrote, broken in every way a wire can break them.

Each protocol, also those that no room speaks yet (cbor, rest-xml, ec2): what is broken gets the protocol's error for it
in a form that botocore understands, and the tool goes on. tests/e2e/test_bad_input.py does the same to the server."""

import base64
import random

import pytest
from contract_test import SEED, botocore_parse, botocore_request, tool  # noqa: F401 (tool is a fixture)

METRIC = {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1.5, "Dimensions": [{"Name": "d", "Value": "v"}]}]}
PARTS = {"Bucket": "b", "Key": "k", "UploadId": "u", "MultipartUpload": {"Parts": [{"ETag": "e", "PartNumber": 1}]}}
RECORDS = {"HostedZoneId": "Z", "ChangeBatch": {"Changes": [{"Action": "CREATE", "ResourceRecordSet": {
    "Name": "a.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "1.1.1.1"}]}}]}}
CALLS = {
    "cbor": ("peer_cloudwatch", "PutMetricData", METRIC),
    "query": ("iam", "CreateUser", {"UserName": "ann", "Tags": [{"Key": "a", "Value": "b"}]}),
    "json-1.1": ("logs", "PutLogEvents", {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "m"}]}),
    "rest-json": ("lambda", "CreateFunction", {"FunctionName": "f", "Role": "r", "Code": {"ZipFile": b"zip"}, "Timeout": 3, "Tags": {"a": "b"}}),
    "rest-xml": ("peer_s3", "CompleteMultipartUpload", PARTS),
    "ec2": ("peer_ec2", "CreateTags", {"Resources": ["i-1"], "Tags": [{"Key": "a", "Value": "b"}]}),
}
MALFORMED = {"cbor": "SerializationException", "json-1.1": "SerializationException", "rest-json": "InvalidRequestContentException",
             "rest-xml": "MalformedXML", "query": "MalformedInput", "ec2": "InvalidParameterValue"}


def call(protocol, params=None):
    service, operation, usual = CALLS[protocol]
    return service, operation, botocore_request(service, operation, protocol, params or usual)


def body_of(request):
    return base64.b64decode(request["body"])


def parsed(tool, service, request, body):
    return tool(do="parse", service=service, request={**request, "body": base64.b64encode(body).decode()})


def check_refused(tool, protocol, service, operation, got):
    """The protocol's own error, which botocore reads as such; the same server still reads good requests."""
    error = got.get("error")
    assert error, got
    assert (error["code"], error["status"]) == (MALFORMED[protocol], 400), got
    answer = tool(do="error", service=service, protocol=protocol, operation=operation, code=error["code"], message=error["message"], members={})
    assert botocore_parse(service, operation, protocol, answer)["Error"] == {"Code": error["code"], "Message": error["message"]} | {
        k: v for k, v in botocore_parse(service, operation, protocol, answer)["Error"].items() if k not in ("Code", "Message")}
    _, _, good = call(protocol)
    assert "error" not in parsed(tool, service, good, body_of(good))


@pytest.mark.parametrize("protocol", CALLS)
def test_every_truncation_is_refused_or_read(tool, protocol):
    service, operation, request = call(protocol)
    body = body_of(request)
    whole = parsed(tool, service, request, body)
    assert "error" not in whole
    for end in range(len(body)):
        got = parsed(tool, service, request, body[:end])
        assert "input" in got or got["error"]["code"] in (MALFORMED[protocol], "NoOperation"), (body[:end], got)
        # A form has no end of its own, and an empty body is no body; all else must notice.
        if protocol not in ("query", "ec2") and end:
            check_refused(tool, protocol, service, operation, got)


@pytest.mark.parametrize("protocol", CALLS)
def test_every_byte_changed_is_refused_or_read(tool, protocol):
    service, operation, request = call(protocol)
    body = body_of(request)
    chance = random.Random(SEED)
    for at in range(len(body)):
        for value in {0, 0x7F, 0x80, 0xFF, chance.randrange(256)}:
            got = parsed(tool, service, request, body[:at] + bytes([value]) + body[at + 1:])
            assert "input" in got or got["error"]["code"] in (MALFORMED[protocol], "NoOperation"), (at, value, got)
            assert got.get("error", {}).get("status", 400) < 500


def text(value, major=3):
    data = value.encode() if isinstance(value, str) else value
    return bytes([major << 5 | 25, len(data) >> 8, len(data) & 255]) + data


def named(value):
    return b"\xa1" + text("Namespace") + value


CBOR = {
    "empty map not closed": b"\xbf", "not a map": b"\x83\x01\x02\x03", "a number": b"\x01", "a break": b"\xff", "reserved head": b"\x1c",
    "bytes after the end": b"\xa0\x00", "nested arrays": b"\xa1" + text("x") + b"\x81" * 10_000, "nested tags": b"\xa1" + text("x") + b"\xc1" * 10_000,
    "nested maps": (b"\xa1" + text("x")) * 5_000, "a list of 2^63": b"\xa1" + text("MetricData") + b"\x9b\x7f" + b"\xff" * 7,
    "a map of 2^64": b"\xbb" + b"\xff" * 8, "a text of 2^32": named(b"\x7a\xff\xff\xff\xff"), "invalid UTF-8": named(text(b"\xff\xfe")),
    "UTF-8 surrogate": named(text(b"\xed\xa0\x80")), "a chunk of bytes in a text": named(b"\x7f" + text(b"a", 2) + b"\xff"),
    "endless text": named(b"\x7f" + text("a")), "wrong type": named(b"\x01"), "list for text": named(b"\x80"),
    "text for list": b"\xa1" + text("MetricData") + text("a"), "number as key": b"\xa1\x01\x01",
    "text for number": b"\xa1" + text("MetricData") + b"\x81\xa1" + text("Value") + text("one"),
    "huge integer": b"\xa1" + text("MetricData") + b"\x81\xa1" + text("StorageResolution") + b"\x1b" + b"\xff" * 8,
    "date that is a list": b"\xa1" + text("MetricData") + b"\x81\xa1" + text("Timestamp") + b"\xc1\x80",
}


@pytest.mark.parametrize("case", CBOR)
def test_broken_cbor(tool, case):
    service, operation, request = call("cbor")
    check_refused(tool, "cbor", service, operation, parsed(tool, service, request, CBOR[case]))


def parts(inner):
    return b"<CompleteMultipartUpload>" + inner + b"</CompleteMultipartUpload>"


XML = {
    "not XML": b"hello", "open element": b"<CompleteMultipartUpload><Part>", "crossed": b"<CompleteMultipartUpload><Part></CompleteMultipartUpload></Part>",
    "JSON": b'{"Parts": []}', "two roots": parts(b"") * 2, "another root": b"<Delete/>", "deep": b"<CompleteMultipartUpload>" + b"<a>" * 10_000,
    "deep and closed": parts(b"<a>" * 5_000 + b"</a>" * 5_000),
    "an entity of one's own": b'<!DOCTYPE c [<!ENTITY e "x">]>' + parts(b"<Part><ETag>&e;</ETag></Part>"),
    "a file as an entity": b'<!DOCTYPE c [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + parts(b"<Part><ETag>&e;</ETag></Part>"),
    "laughs": b'<!DOCTYPE c [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + parts(b"<Part><ETag>&b;</ETag></Part>"),
    "invalid UTF-8": parts(b"<Part><ETag>\xff\xfe</ETag></Part>"), "zero byte": parts(b"<Part><ETag>a\0b</ETag></Part>"),
    "text for number": parts(b"<Part><PartNumber>one</PartNumber></Part>"), "fraction": parts(b"<Part><PartNumber>1.5</PartNumber></Part>"),
    "huge number": parts(b"<Part><PartNumber>99999999999999999999</PartNumber></Part>"),
    "elements for text": parts(b"<Part><ETag><b/></ETag></Part>"), "duplicate": parts(b"<Part><PartNumber>1</PartNumber><PartNumber>2</PartNumber></Part>"),
}
# Taken as AWS's parsers take them: of two elements of a name one, unknown elements not at all, whatever the root's name.
READ = {"duplicate", "deep and closed", "another root"}


@pytest.mark.parametrize("case", XML)
def test_broken_xml(tool, case):
    service, operation, request = call("rest-xml")
    got = parsed(tool, service, request, XML[case])
    if case in READ:
        assert got.get("operation") == operation, got
        return
    check_refused(tool, "rest-xml", service, operation, got)


def test_random_bytes_never_end_the_tool(tool):
    chance = random.Random(SEED)
    for protocol in CALLS:
        service, _, request = call(protocol)
        for _ in range(300):
            got = parsed(tool, service, request, chance.randbytes(chance.randrange(1, 80)))
            assert "input" in got or got["error"]["code"] in (MALFORMED[protocol], "NoOperation"), got

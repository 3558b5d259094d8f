"""Bad input: each case gets the AWS error of that case, and the server and its neighbours are unharmed."""

import base64
import http.client
import io
import json
import os
import xml.etree.ElementTree
import zipfile

import botocore.exceptions
import botocore.parsers
import pytest

from cloud import ACCOUNT, REGION, zipped

AUTH = f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/{REGION}/{{}}/aws4_request, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
NEIGHBOUR = "def handler(e, c): return 'fine'\n"


@pytest.fixture(scope="module")
def neighbour(functions):
    name = functions.create(NEIGHBOUR)
    functions.invoke(name)
    return name


@pytest.fixture(autouse=True)
def unharmed(cloud, functions, neighbour):
    yield
    assert cloud.process.poll() is None
    assert functions.invoke(neighbour)[1] == "fine"


def raw(cloud, service, body, method="POST", path="/", **headers):
    connection = http.client.HTTPConnection(cloud.address, timeout=30)
    fields = {"Authorization": AUTH.format(service), "X-Amz-Date": "20260101T000000Z"}
    fields.update({k.replace("_", "-"): v for k, v in headers.items()})
    connection.request(method, path, body, fields)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def test_malformed_json(cloud):
    status, headers, body = raw(cloud, "logs", b"{not json", X_Amz_Target="Logs_20140328.DescribeLogGroups", Content_Type="application/x-amz-json-1.1")
    assert status == 400 and "SerializationException" in json.loads(body)["__type"]
    status, headers, body = raw(cloud, "lambda", b"{not json", path="/2015-03-31/functions")
    assert status == 400 and headers["x-amzn-errortype"].split(":")[0] in ("InvalidRequestContentException", "SerializationException")


def test_wrong_types(cloud):
    status, headers, body = raw(cloud, "lambda", b'{"FunctionName": {"a": 1}}', path="/2015-03-31/functions")
    assert status == 400


def test_deep_nesting_is_refused(cloud):
    status, _, body = raw(cloud, "logs", b"[" * 100000, X_Amz_Target="Logs_20140328.DescribeLogGroups", Content_Type="application/x-amz-json-1.1")
    assert status == 400


def text(value):
    """A CBOR text of less than 24 bytes."""
    return bytes([0x60 | len(value)]) + value


# What no protocol can mean, by protocol. hostile_test.py (contract) holds more, against the codecs.
BROKEN_CBOR = {"truncated": b"\xbf" + text(b"Namespace"), "nested": b"\xa1" + text(b"x") + b"\x81" * 100_000, "huge list": b"\x9b" + b"\xff" * 8,
               "invalid UTF-8": b"\xa1" + text(b"Namespace") + text(b"\xff\xfe"), "not a map": b"\x01", "empty": b""}
BROKEN_XML = {"truncated": b"<CompleteMultipartUpload><Part>", "nested": b"<a>" * 100_000, "invalid UTF-8": b"<a>\xff</a>",
              "entities": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "not XML": b"\0\1", "empty": b""}
BROKEN_JSON = {
    "truncated": b'{"logGroupName":"a","retentionInDays":7', "nested": b'{"a":' * 5_000, "too large a number": b'{"logGroupName":"a","retentionInDays":1e400}',
    "too long an integer": b'{"logGroupName":"a","retentionInDays":99999999999999999999}', "fraction": b'{"logGroupName":"a","retentionInDays":7.5}',
    "invalid UTF-8": b'{"logGroupName":"\xff","retentionInDays":7}', "half a surrogate": b'{"logGroupName":"\\ud800","retentionInDays":7}',
    "list for text": b'{"logGroupName":["a"],"retentionInDays":7}', "boolean for number": b'{"logGroupName":"a","retentionInDays":true}',
    "null": b"null", "list": b"[]", "two values": b"{}{}", "bare zero byte": b'{"logGroupName":"a\0","retentionInDays":7}', "CBOR": b"\xa0"}
BROKEN_REST = {
    "truncated": b'{"FunctionName"', "nested": b'{"Tags":' * 5_000, "too large a number": b'{"Timeout":1e400}', "text for number": b'{"Timeout":"3"}',
    "invalid UTF-8": b'{"FunctionName":"\xff"}', "not base64": b'{"Code":{"ZipFile":"!!"}}', "list": b"[1]", "number for structure": b'{"Code":1}'}
BROKEN_FORM = {
    "invalid UTF-8": b"UserName=%FF", "raw bytes": b"UserName=\xff", "half an escape": b"UserName=%", "too long an integer": b"MaxItems=99999999999999999999",
    "text for number": b"MaxItems=x", "list for text": b"PathPrefix.member.1=a", "nested": b"PathPrefix" + b".x" * 5_000 + b"=1"}


@pytest.mark.parametrize("case", BROKEN_CBOR)
def test_broken_cbor(cloud, case):
    """A protocol that no service here speaks yet is answered in its own form; one that a service does not speak, in the service's."""
    fields = {"Smithy_Protocol": "rpc-v2-cbor", "Content_Type": "application/cbor", "Accept": "application/cbor"}
    status, headers, body = raw(cloud, "monitoring", BROKEN_CBOR[case], path="/service/GraniteServiceVersion20100801/operation/PutMetricData", **fields)
    assert (status, headers["Content-Type"], headers["Smithy-Protocol"]) == (501, "application/cbor", "rpc-v2-cbor")
    parser = botocore.parsers.create_parser("smithy-rpc-v2-cbor")
    error = parser.parse({"status_code": status, "headers": headers, "body": body}, None)["Error"]
    assert error["Code"] == "NotImplemented" and "'monitoring'" in error["Message"]
    status, headers, body = raw(cloud, "logs", BROKEN_CBOR[case], path="/service/Logs_20140328/operation/DescribeLogGroups", **fields)
    assert status == 400 and json.loads(body)["__type"] == "UnknownOperationException"
    status, headers, body = raw(cloud, "lambda", BROKEN_CBOR[case], path="/service/AWSGirApiService/operation/ListFunctions", **fields)
    assert status == 404 and headers["x-amzn-ErrorType"] == "UnknownOperationException"
    status, headers, body = raw(cloud, "iam", BROKEN_CBOR[case], path="/service/AWSIdentityManagementV20100508/operation/ListUsers", **fields)
    assert status == 400 and b"<Code>InvalidAction</Code>" in body


@pytest.mark.parametrize("case", BROKEN_XML)
def test_broken_xml(cloud, case):
    status, headers, body = raw(cloud, "s3", BROKEN_XML[case], path="/bucket/key?uploadId=1", Content_Type="application/xml")
    assert status == 501 and headers["Content-Type"] == "application/xml" and headers["x-amz-request-id"]
    root = xml.etree.ElementTree.fromstring(body)  # S3's errors have no other element around them
    assert (root.tag, root.findtext("Code")) == ("Error", "NotImplemented") and root.findtext("RequestId")
    status, headers, body = raw(cloud, "iam", BROKEN_XML[case], Content_Type="application/xml")
    assert status == 400 and b"<Code>InvalidAction</Code>" in body
    status, headers, body = raw(cloud, "lambda", BROKEN_XML[case] or b"<", path="/2015-03-31/functions", Content_Type="application/xml")
    assert (status, headers["x-amzn-ErrorType"]) == (400, "InvalidRequestContentException")


@pytest.mark.parametrize("case", BROKEN_JSON)
def test_broken_json(cloud, case):
    status, _, body = raw(cloud, "logs", BROKEN_JSON[case], X_Amz_Target="Logs_20140328.PutRetentionPolicy", Content_Type="application/x-amz-json-1.1")
    assert (status, json.loads(body)["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize("case", BROKEN_REST)
def test_broken_json_for_lambda(cloud, case):
    status, headers, body = raw(cloud, "lambda", BROKEN_REST[case], path="/2015-03-31/functions", Content_Type="application/json")
    assert (status, headers["x-amzn-ErrorType"]) == (400, "InvalidRequestContentException")
    assert json.loads(body)["message"].startswith("Could not parse request body into json: ")


@pytest.mark.parametrize("case", BROKEN_FORM)
def test_broken_forms(cloud, case):
    action = b"CreateUser" if b"UserName" in BROKEN_FORM[case] else b"ListUsers"
    status, _, body = raw(cloud, "iam", b"Action=" + action + b"&" + BROKEN_FORM[case], Content_Type="application/x-www-form-urlencoded")
    assert status == 400
    assert next(xml.etree.ElementTree.fromstring(body).iter("{https://iam.amazonaws.com/doc/2010-05-08/}Code")).text == "MalformedInput"


def test_what_is_said_twice_is_taken_once(cloud):
    """As AWS's parsers do: the last of two equal keys in JSON, the first of two parameters of a form."""
    group, user = f"g{os.urandom(4).hex()}", f"u{os.urandom(4).hex()}"
    status, _, _ = raw(cloud, "logs", f'{{"logGroupName":"{group}-1","logGroupName":"{group}-2"}}', X_Amz_Target="Logs_20140328.CreateLogGroup",
                       Content_Type="application/x-amz-json-1.1")
    assert status == 200
    assert [g["logGroupName"] for g in cloud.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]] == [group + "-2"]
    status, _, _ = raw(cloud, "iam", f"Action=CreateUser&UserName={user}&UserName={user}2", Content_Type="application/x-www-form-urlencoded")
    assert status == 200
    assert [u["UserName"] for u in cloud.client("iam").list_users()["Users"] if u["UserName"].startswith(user)] == [user]


def test_names_that_are_no_text_are_told_as_text(cloud):
    """An answer is well-formed although what it repeats was not."""
    status, _, body = raw(cloud, "iam", b"Action=\xff\x01&Version=2010-05-08", Content_Type="application/x-www-form-urlencoded")
    assert status == 400 and xml.etree.ElementTree.fromstring(body) is not None
    status, _, body = raw(cloud, "logs", b"{}", X_Amz_Target=b"Logs_20140328.\xff", Content_Type="application/x-amz-json-1.1")
    assert status == 400 and json.loads(body)["__type"]


def test_unknown_operations(cloud):
    status, _, body = raw(cloud, "logs", b"{}", X_Amz_Target="Logs_20140328.Nonsense", Content_Type="application/x-amz-json-1.1")
    assert status == 400 and "UnknownOperationException" in json.loads(body)["__type"]
    status, _, body = raw(cloud, "iam", b"Action=Nonsense&Version=2010-05-08", Content_Type="application/x-www-form-urlencoded")
    assert status == 400 and b"<Code>InvalidAction</Code>" in body
    status, _, body = raw(cloud, "lambda", b"", path="/no/such/path")
    assert status in (403, 404)


def test_operations_and_services_not_built_say_so(cloud):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        cloud.client("lambda").list_capacity_providers()
    assert error.value.response["Error"]["Code"] == "NotImplemented"
    assert "Lambda.ListCapacityProviders is not implemented" in error.value.response["Error"]["Message"]
    with pytest.raises(botocore.exceptions.ClientError) as error:
        cloud.client("s3").list_buckets()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_constraints_in_lambdas_words(functions):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        functions.api.create_function(FunctionName="a b", Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": zipped(app__py="")},
                                      Runtime="python3.11", Handler="app.handler")
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert "1 validation error detected: Value 'a b' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: " \
        in error.value.response["Error"]["Message"]


@pytest.mark.parametrize("field, value", [("Timeout", 901), ("MemorySize", 20000), ("Runtime", "cobol1.0"), ("Handler", "has space")])
def test_invalid_settings(functions, field, value):
    settings = {"Runtime": "python3.11", "Handler": "app.handler", field: value}
    with pytest.raises(botocore.exceptions.ClientError) as error:
        functions.api.create_function(FunctionName=f"x{os.urandom(3).hex()}", Role=functions.role(), Code={"ZipFile": zipped(app__py="")}, **settings)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error.value.response["Error"]["Code"] in ("ValidationException", "InvalidParameterValueException")


def archive(name, content=b"x", mode=None):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        info = zipfile.ZipInfo(name)
        if mode:
            info.external_attr = mode << 16
        out.writestr(info, content)
    return buffer.getvalue()


@pytest.mark.parametrize("package", [b"not a zip", b"", zipped(app__py="x")[:-20], archive("../evil.py"), archive("/etc/evil"),
                                     archive("a/../../evil"), archive("link", b"/etc/passwd", 0o120777) + b""])
def test_invalid_packages(functions, package):
    name = f"x{os.urandom(3).hex()}"
    if package == archive("link", b"/etc/passwd", 0o120777):
        pytest.skip("links inside packages resolve inside the sandbox only: see the red-team tests")
    with pytest.raises(botocore.exceptions.ClientError) as error:
        functions.api.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=functions.role(), Code={"ZipFile": package})
    assert error.value.response["Error"]["Code"] in ("InvalidParameterValueException", "ValidationException")
    with pytest.raises(functions.api.exceptions.ResourceNotFoundException):
        functions.api.get_function(FunctionName=name)


def test_zip_bomb_is_refused(functions):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("zeros", bytes(300 << 20))
    with pytest.raises(botocore.exceptions.ClientError) as error:
        functions.create(package=buffer.getvalue())
    assert error.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert "262144000 bytes" in error.value.response["Error"]["Message"]


def test_oversize_payloads(functions, neighbour):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        functions.api.invoke(FunctionName=neighbour, Payload=json.dumps("x" * 6_300_000))
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert error.value.response["Error"]["Code"] == "RequestTooLargeException"
    with pytest.raises(botocore.exceptions.ClientError) as error:
        functions.api.invoke(FunctionName=neighbour, InvocationType="Event", Payload=json.dumps("x" * 1_100_000))
    assert error.value.response["Error"]["Code"] == "RequestTooLargeException"
    name = functions.create("def handler(e, c): return 'x' * (7 << 20)\n")
    answer, payload = functions.invoke(name)
    assert payload["errorType"] == "Function.ResponseSizeTooLarge"


def test_payload_that_is_no_json(functions, neighbour):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        functions.api.invoke(FunctionName=neighbour, Payload=b"{nope")
    assert error.value.response["Error"]["Code"] == "InvalidRequestContentException"


def test_fork_bomb_is_contained(functions, neighbour):
    name = functions.create("""
import os
def handler(e, c):
    children = 0
    try:
        while True:
            if os.fork() == 0:
                while True: os.fork()
            children += 1
    except OSError as error:
        return {'children': children, 'errno': error.errno}
""", Timeout=5, MemorySize=512)
    answer, payload = functions.invoke(name)
    assert "errno" in payload or "errorType" in payload
    assert functions.invoke(neighbour)[1] == "fine"


def test_children_left_behind_do_not_outlive_the_environment(functions, cloud):
    name = functions.create("""
import subprocess
def handler(e, c):
    subprocess.Popen(['sleep', '12345.678'])
    return 1
""")
    functions.invoke(name)
    functions.api.delete_function(FunctionName=name)
    import subprocess, time
    deadline = time.monotonic() + 10
    while subprocess.run(["pgrep", "-f", "12345.678"], capture_output=True).stdout:
        assert time.monotonic() < deadline, "the child outlived its function"


def test_malformed_http(cloud):
    import socket
    host, port = cloud.address.split(":")
    for request in (b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
                    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20000 + b"\r\n"):
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(request)
            status = connection.makefile("rb").readline().split()
            assert status[1] in (b"400", b"431"), status

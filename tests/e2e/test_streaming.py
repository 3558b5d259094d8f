"""Answers that arrive while they are made: the API's event stream, and function URLs."""

import base64
import http.client
import json
import subprocess
import time

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest

from cloud import ACCOUNT, NODE_RUNTIME, REGION, ROOT

STREAMER = """
export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
  if (event.http) stream = awslambda.HttpResponseStream.from(stream, {statusCode: 201, headers: {'x-mine': 'yes', 'content-type': 'text/plain'}, cookies: ['a=1', 'b=2']});
  else stream.setContentType('text/plain');
  stream.write('first;');
  await new Promise((resolve) => setTimeout(resolve, event.wait ?? 1500));
  if (event.fail) throw new TypeError('late');
  stream.write('second;');
  console.log('handler ends');
  stream.end();
});
"""
# Requests of URLs carry no event of ours: what to do is in the query.
URL_STREAMER = STREAMER.replace("async (event, stream, context) => {",
                                "async (event, stream, context) => { event = {...event.queryStringParameters, wait: 1500};")


@pytest.fixture(scope="module")
def streamer(functions):
    return functions.create(STREAMER, runtime=NODE_RUNTIME, Timeout=10)


def stream(functions, name, event=None, **settings):
    """(seconds, event) of each event."""
    answer = functions.api.invoke_with_response_stream(FunctionName=name, Payload=json.dumps(event or {}), **settings)
    begun = time.monotonic()
    return answer, [(time.monotonic() - begun, each) for each in answer["EventStream"]]


def chunks(events):
    return b"".join(e["PayloadChunk"]["Payload"] for _, e in events if "PayloadChunk" in e)


def test_first_bytes_arrive_before_the_handler_ends(functions, streamer):
    answer, events = stream(functions, streamer, LogType="Tail")
    assert answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST"
    assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    assert chunks(events) == b"first;second;"
    assert events[0][0] < 1.0 and events[-1][0] >= 1.2
    complete = events[-1][1]["InvokeComplete"]
    assert "ErrorCode" not in complete
    tail = base64.b64decode(complete["LogResult"]).decode()
    assert "handler ends" in tail and "REPORT RequestId: " in tail


def test_late_error(functions, streamer):
    _, events = stream(functions, streamer, {"wait": 1, "fail": True})
    assert chunks(events) == b"first;"
    complete = events[-1][1]["InvokeComplete"]
    assert complete["ErrorCode"] == "TypeError"
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "late"


def test_invoke_waits_for_the_whole(functions, streamer):
    answer = functions.api.invoke(FunctionName=streamer, Payload=json.dumps({"wait": 1}))
    assert answer["Payload"].read() == b"first;second;"


def test_plain_handlers_stream_one_chunk(functions):
    name = functions.create("def handler(e, c):\n    if e.get('fail'): raise ValueError('no')\n    return {'e': e}\n")
    _, events = stream(functions, name, {"a": 1})
    assert json.loads(chunks(events)) == {"e": {"a": 1}}
    _, events = stream(functions, name, {"fail": 1})
    assert chunks(events) == b"" and events[-1][1]["InvokeComplete"]["ErrorCode"] == "ValueError"


def test_timeout_within_a_stream(functions):
    name = functions.create(STREAMER, runtime=NODE_RUNTIME, Timeout=1)
    _, events = stream(functions, name, {"wait": 60000})
    assert chunks(events) == b"first;"
    assert events[-1][1]["InvokeComplete"]["ErrorCode"] == "Sandbox.Timedout"


def test_dry_run_and_errors(functions, streamer):
    answer = functions.api.invoke_with_response_stream(FunctionName=streamer, InvocationType="DryRun")
    assert answer["StatusCode"] == 204
    with pytest.raises(botocore.exceptions.ClientError) as error:
        functions.api.invoke_with_response_stream(FunctionName="nobody")
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"
    with pytest.raises(botocore.exceptions.ClientError) as error:
        functions.api.invoke_with_response_stream(FunctionName=streamer, Payload=b"{")
    assert error.value.response["Error"]["Code"] == "InvalidRequestContentException"


def test_large_streams_go_beyond_six_megabytes(functions):
    source = """
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  for (let i = 0; i < 320; i++)
    if (!stream.write(Buffer.alloc(65536, 97))) await new Promise((resolve) => stream.once('drain', resolve));
  stream.end();
});
"""
    name = functions.create(source, runtime=NODE_RUNTIME, Timeout=20)
    _, events = stream(functions, name)
    assert len(chunks(events)) == 320 * 65536
    assert events[-1][1]["InvokeComplete"].get("ErrorCode") is None


def test_the_sdk_for_javascript_reads_it(functions, streamer, cloud):
    sdk = next(iter((ROOT / "build/runtimes" / NODE_RUNTIME).rglob("@aws-sdk/client-lambda")), None)
    node = next((p for p in (ROOT / "build/runtimes" / NODE_RUNTIME).rglob("bin/node")), "node")
    if sdk is None:
        pytest.skip("the Node.js runtime here has no SDK")
    script = f"""
const {{ LambdaClient, InvokeWithResponseStreamCommand }} = require({json.dumps(str(sdk))});
(async () => {{
  const client = new LambdaClient({{}});
  const answer = await client.send(new InvokeWithResponseStreamCommand({{ FunctionName: {json.dumps(streamer)}, Payload: '{{"wait":50}}' }}));
  let text = '', end = 0;
  for await (const event of answer.EventStream) {{
    if (event.PayloadChunk) text += Buffer.from(event.PayloadChunk.Payload).toString();
    if (event.InvokeComplete) end++;
  }}
  console.log(JSON.stringify({{ text, end }}));
}})();
"""
    done = subprocess.run([str(node), "-e", script], env=cloud.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"text": "first;second;", "end": 1}


def signed(cloud, url, method="GET", path="/", body=b"", headers=None):
    """Asks a function URL: signed, by raw HTTP with its Host. Gives the response, its body unread."""
    host = url.split("//")[1].rstrip("/")
    request = botocore.awsrequest.AWSRequest(method, f"http://{host}{path}", data=body, headers=headers or {})
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(ACCOUNT, "test"), "lambda", REGION).add_auth(request)
    address, port = cloud.address.split(":")
    connection = http.client.HTTPConnection(address, int(port), timeout=60)
    connection.request(method, path, body=body, headers={**dict(request.headers), "Host": host})
    return connection.getresponse()


def test_function_url_streams(functions, cloud):
    name = functions.create(URL_STREAMER, runtime=NODE_RUNTIME, Timeout=10)
    url = functions.api.create_function_url_config(FunctionName=name, AuthType="AWS_IAM", InvokeMode="RESPONSE_STREAM")["FunctionUrl"]
    begun = time.monotonic()
    answer = signed(cloud, url, path="/?http=1")
    first = answer.read1(6)
    assert time.monotonic() - begun < 1.4
    assert answer.status == 201 and answer.getheader("x-mine") == "yes"
    assert answer.headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert first + answer.read() == b"first;second;"
    plain = signed(cloud, url)
    assert plain.status == 200 and plain.getheader("content-type") == "text/plain"
    assert plain.read() == b"first;second;"
    broken = signed(cloud, url, path="/?fail=1")
    with pytest.raises(http.client.IncompleteRead):
        broken.read()

"""The managed Node.js runtime, as AWS's behaves."""

import base64
import json
import re

import pytest
from conftest import host_argv, manifests

MANIFESTS = manifests("node")
pytestmark = pytest.mark.skipif(not MANIFESTS, reason="no Node.js runtime: run tools/build_runtimes.sh")


@pytest.fixture(params=MANIFESTS, ids=lambda m: m["runtime"])
def node(request, start):
    def begin(source, handler="index.handler", **more):
        files = source if isinstance(source, dict) else {"index.js": source}
        more.setdefault("execution_env", "AWS_Lambda_nodejs20.x")
        return start(host_argv(request.param, "node/bootstrap.mjs"), files, handler, **more)

    return begin


def test_A_handler_gets_its_event_and_context(node):
    function = node("""
exports.handler = async (event, context) => ({
  event, name: context.functionName, version: context.functionVersion, memory: context.memoryLimitInMB,
  arn: context.invokedFunctionArn, id: context.awsRequestId, group: context.logGroupName,
  stream: context.logStreamName, time: context.getRemainingTimeInMillis() > 0,
  client: context.clientContext.custom, pool: context.identity.cognitoIdentityPoolId,
  tenant: context.tenantId, trace: process.env._X_AMZN_TRACE_ID, cwd: process.cwd(),
  waits: context.callbackWaitsForEmptyEventLoop,
});
""")
    posted = function.invoke(
        {"ü": [1, 2.5, None]}, request_id="r-1", Trace_Id="Root=1-2-3", Aws_Tenant_Id="t1",
        Client_Context=json.dumps({"custom": {"a": 1}}),
        Cognito_Identity=json.dumps({"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"}))
    assert posted.path == "/2018-06-01/runtime/invocation/r-1/response"
    assert posted.json == {
        "event": {"ü": [1, 2.5, None]}, "name": "f", "version": "$LATEST", "id": "r-1",
        "arn": "arn:aws:lambda:us-east-1:000000000000:function:f", "memory": "128",
        "group": "/aws/lambda/f", "stream": "2026/01/01/[$LATEST]abc", "time": True,
        "client": {"a": 1}, "pool": "p", "tenant": "t1", "trace": "Root=1-2-3",
        "cwd": function.environment["LAMBDA_TASK_ROOT"], "waits": True}


def test_One_connection_serves_event_after_event(node):
    function = node("exports.handler = async (event) => event;")
    for number in range(50):
        assert function.invoke(number, request_id="r%d" % number).json == number
    assert function.api.connections == 1


@pytest.mark.parametrize("piece,chunked", [(1, False), (1, True), (1 << 20, True)])
def test_Answers_of_the_Runtime_API_may_arrive_in_pieces(node, piece, chunked):
    function = node("exports.handler = async (event) => event;")
    function.api.piece, function.api.chunked = piece, chunked
    assert function.invoke({"text": "é" * 300}).json == {"text": "é" * 300}
    assert function.invoke([]).json == []


def test_A_closed_connection_is_opened_again(node):
    function = node("exports.handler = async (event) => event;")
    function.api.drop_next = 2
    assert function.invoke("again").json == "again"


def test_Large_events_and_answers_pass(node):
    function = node("exports.handler = async (event) => event + event;")
    text = "ab" * 1_400_000
    assert function.invoke(text).json == text + text


@pytest.mark.parametrize("files,handler", [
    ({"index.js": "exports.handler = async () => 'cjs'"}, "index.handler"),
    ({"index.cjs": "exports.handler = async () => 'cjs'"}, "index.handler"),
    ({"index.mjs": "export const handler = async () => 'cjs'"}, "index.handler"),
    ({"index.mjs": "export default { handler: async () => 'cjs' }"}, "index.handler"),
    ({"package.json": '{"type": "module"}', "index.js": "export const handler = async () => 'cjs'"},
     "index.handler"),
    ({"src/api/app.js": "exports.a = {b: async () => 'cjs'}"}, "src/api/app.a.b"),
    ({"index.mjs": "await null; export const handler = async () => 'cjs'"}, "index.handler"),
])
def test_Handlers_may_be_CommonJS_or_ES_modules(node, files, handler):
    assert node(files, handler).invoke({}).json == "cjs"


@pytest.mark.parametrize("body,answer", [
    ("(event, context, callback) => { setTimeout(() => callback(null, 'late'), 5); }", "late"),
    ("(event, context, callback) => { callback(null, 'now'); }", "now"),
    ("(event, context) => { context.succeed('old'); }", "old"),
    ("(event, context) => { context.done(null, 'done'); }", "done"),
    ("(event, context) => { return 'ignored'; }", None),
    ("(event, context, callback) => { }", None),
    ("async () => new Promise(() => {})", None),
    ("async () => undefined", None),
])
def test_Answers_come_from_promises_callbacks_and_the_context(node, body, answer):
    function = node("exports.handler = %s;" % body)
    assert function.invoke({}).json == answer
    assert function.invoke({}).json == answer


def test_What_a_plain_function_returns_counts_from_Node_24_on(node):
    function = node("exports.handler = () => 'kept';", execution_env="AWS_Lambda_nodejs24.x")
    assert function.invoke({}).json == "kept"


def test_A_callback_waits_for_an_empty_event_loop_unless_told_otherwise(node):
    function = node("""
let later = 0;
exports.handler = (event, context, callback) => {
  if (event === 'read') { context.callbackWaitsForEmptyEventLoop = false; return callback(null, later); }
  context.callbackWaitsForEmptyEventLoop = event;
  setTimeout(() => { later++; }, 50);
  callback(null, 'given');
};
""")
    assert function.invoke(True).json == "given"
    assert function.invoke("read").json == 1
    assert function.invoke(False).json == "given"
    assert function.invoke("read").json == 1


@pytest.mark.parametrize("body", [
    "async () => { throw new RangeError('bad §'); }",
    "() => { throw new RangeError('bad §'); }",
    "(event, context, callback) => { callback(new RangeError('bad §')); }",
    "(event, context) => { context.fail(new RangeError('bad §')); }",
])
def test_An_error_is_answered_with_type_message_and_trace(node, body):
    function = node("exports.handler = %s;" % body)
    posted = function.invoke({}, request_id="r-9")
    assert posted.path.endswith("/invocation/r-9/error")
    assert posted.headers["lambda-runtime-function-error-type"] == "RangeError"
    assert (posted.json["errorType"], posted.json["errorMessage"]) == ("RangeError", "bad §")
    assert posted.json["trace"][0] == "RangeError: bad §"
    assert "index.js" in posted.json["trace"][1]
    assert re.search(r"\tr-9\tERROR\tInvoke Error \t\{\"errorType\":\"RangeError\"", function.logs())
    assert function.invoke({}).json["errorType"] == "RangeError"


def test_A_rejection_with_something_else_says_its_kind(node):
    function = node("exports.handler = async () => { throw 'text'; };")
    assert function.invoke({}).json == {"errorType": "string", "errorMessage": "text", "trace": []}


@pytest.mark.parametrize("source,handler,kind,message", [
    ("", "gone.handler", "Runtime.ImportModuleError", "Error: Cannot find module 'gone'\nRequire stack:\n- "),
    ("require('nothing-here')", "index.handler", "Runtime.ImportModuleError",
     "Error: Cannot find module 'nothing-here'\nRequire stack:\n- "),
    ({"index.mjs": "import 'nothing-here';"}, "index.handler", "Runtime.ImportModuleError",
     "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'nothing-here' imported from "),
    ("", "index.missing", "Runtime.HandlerNotFound", "index.missing is undefined or not exported"),
    ("exports.handler = 5", "index.handler", "Runtime.HandlerNotFound", "index.handler is not a function"),
    ("", "index", "Runtime.MalformedHandlerName", "Bad handler"),
    ("", "../index.handler", "Runtime.MalformedHandlerName", "'../index.handler' is not a valid handler name."),
    ("exports.handler = (", "index.handler", "Runtime.UserCodeSyntaxError", "SyntaxError: "),
    ({"index.mjs": "export const handler = ("}, "index.handler", "Runtime.UserCodeSyntaxError", "SyntaxError: "),
    ("throw new TypeError('at load')", "index.handler", "TypeError", "at load"),
])
def test_What_cannot_start_is_an_init_error(node, source, handler, kind, message):
    function = node(source, handler)
    posted = function.api.take()
    assert posted.path == "/2018-06-01/runtime/init/error"
    assert posted.headers["lambda-runtime-function-error-type"] == kind
    assert posted.json["errorType"] == kind
    assert posted.json["errorMessage"].startswith(message)
    assert posted.json["trace"]
    assert function.exit_code() == 1
    assert "\tundefined\tERROR\tInit Error \t" in function.logs()


@pytest.mark.parametrize("body,kind,code", [
    ("() => { setTimeout(() => { throw new Error('later'); }, 1); }", "Error", 129),
    ("async () => { Promise.reject(new Error('later')); await new Promise((r) => setTimeout(r, 1000)); }",
     "Runtime.UnhandledPromiseRejection", 128),
])
def test_An_error_nobody_caught_is_answered_and_ends_the_process(node, body, kind, code):
    function = node("exports.handler = %s;" % body)
    posted = function.invoke({})
    assert posted.path.endswith("/invocation/req-1/error")
    assert posted.json["errorType"] == kind
    assert posted.json["errorMessage"] in ("later", "Error: later")
    assert function.exit_code() == code


def test_Leaving_the_process_is_not_answered(node):
    function = node("exports.handler = async () => { console.log('bye'); process.exit(7); };")
    function.api.give({})
    assert function.exit_code() == 7
    assert function.api.posted.empty()
    assert function.logs().endswith("\tINFO\tbye\n")


def test_Log_lines_carry_time_request_and_level(node):
    function = node("""
console.log('init');
exports.handler = async () => {
  console.log('a', 1, {b: 2}); console.warn('two\\nlines'); console.debug('d'); console.error('e');
  process.stdout.write('raw\\n');
};
""")
    function.invoke({}, request_id="r-7")
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    lines = function.logs().split("\n")
    expected = ["undefined\tINFO\tinit", r"r-7\tINFO\ta 1 \{ b: 2 \}", "r-7\tWARN\ttwo\rlines",
                "r-7\tDEBUG\td", "r-7\tERROR\te"]
    for line, wanted in zip(lines, expected):
        assert re.fullmatch(stamp + "\t" + wanted, line), line
    assert lines[5:] == ["raw", ""]


def test_JSON_logs_carry_level_request_and_error(node):
    function = node("""
exports.handler = async () => { console.info('no'); console.warn({a: 1}); console.error('x', new Error('e')); };
""", environment={"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "WARN"})
    function.invoke({}, request_id="r-8")
    first, second = [json.loads(line) for line in function.logs().strip().split("\n")]
    assert (first["level"], first["requestId"], first["message"]) == ("WARN", "r-8", {"a": 1})
    assert (second["level"], second["errorType"], second["errorMessage"]) == ("ERROR", "Error", "e")


def test_A_streaming_handler_writes_piece_by_piece(node):
    function = node("""
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  stream.setContentType('text/plain');
  stream.write('one '); await new Promise((r) => setTimeout(r, 5)); stream.write({two: 2}); stream.end(' three');
});
""")
    for _ in range(2):
        posted = function.invoke({})
        assert posted.headers["lambda-runtime-function-response-mode"] == "streaming"
        assert posted.headers["content-type"] == "text/plain"
        assert posted.body == b'one {"two":2} three'
        assert posted.trailers == {}


def test_A_streaming_handler_may_use_pipelines_and_a_prelude(node):
    function = node("""
const { pipeline } = require('node:stream/promises');
const { Readable } = require('node:stream');
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  stream = awslambda.HttpResponseStream.from(stream, {statusCode: 201});
  await pipeline(Readable.from(['a', 'b'.repeat(100000)]), stream);
});
""")
    posted = function.invoke({})
    assert posted.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
    assert posted.body == b'{"statusCode":201}' + bytes(8) + b"a" + b"b" * 100000


@pytest.mark.parametrize("before", ["", "stream.write('part');"])
def test_A_late_error_of_a_stream_travels_as_trailers(node, before):
    function = node("""
exports.handler = awslambda.streamifyResponse(async (event, stream) => { %s throw new Error('late'); });
""" % before)
    posted = function.invoke({})
    assert posted.trailers["lambda-runtime-function-error-type"] == "Error"
    error = json.loads(base64.b64decode(posted.trailers["lambda-runtime-function-error-body"]))
    assert (error["errorType"], error["errorMessage"]) == ("Error", "late")
    assert function.invoke({}).trailers


def test_A_held_runtime_takes_its_environment_from_descriptor_3(node):
    function = node("""
exports.handler = async () => [process.env.HELD ?? null, process.env.COLOR, new Date(0).getHours()];
""", hold=True, environment={"COLOR": "grün=1", "TZ": "Asia/Tokyo"})
    assert function.api.next_asked.empty()
    function.assign()
    assert function.invoke({}).json == [None, "grün=1", 9]


def test_A_held_runtime_starts_again_for_what_node_reads_at_its_start(node):
    function = node("exports.handler = async () => process.env.NODE_OPTIONS + Error.stackTraceLimit;",
                    hold=True, environment={"NODE_OPTIONS": "--stack-trace-limit=3"})
    function.assign()
    assert function.invoke({}).json == "--stack-trace-limit=33"


@pytest.mark.parametrize("name,source", [
    ("index.js", "const p = require('layered'); exports.handler = async () => p.value;"),
    ("index.mjs", "import p from 'layered'; export const handler = async () => p.value;"),
])
def test_NODE_PATH_serves_CommonJS_and_ES_modules(node, tmp_path, name, source):
    function = node({name: source, "layer/node_modules/layered/index.js": "exports.value = 'found';"},
                    environment={"NODE_PATH": str(tmp_path / "layer/node_modules")})
    assert function.invoke({}).json == "found"


def test_The_SDK_is_there(node):
    sdk = MANIFESTS[0]["mounts"][0]["source"] + "/node_modules"
    function = node("""
const { LambdaClient } = require('@aws-sdk/client-lambda');
const { DynamoDBDocumentClient } = require('@aws-sdk/lib-dynamodb');
exports.handler = async () => [typeof LambdaClient, typeof DynamoDBDocumentClient];
""", environment={"NODE_PATH": sdk})
    assert function.invoke({}).json == ["function", "function"]

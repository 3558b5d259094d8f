"""The managed Python runtime, as AWS's behaves."""

import json
import re

import pytest
from conftest import host_argv, manifests

MANIFESTS = manifests("python")
pytestmark = pytest.mark.skipif(not MANIFESTS, reason="no Python runtime: run tools/build_runtimes.sh")


@pytest.fixture(params=MANIFESTS, ids=lambda m: m["runtime"])
def python(request, start):
    def begin(source, handler="app.handler", **more):
        files = source if isinstance(source, dict) else {"app.py": source}
        return start(host_argv(request.param, "python/bootstrap.py"), files, handler, **more)

    return begin


def test_A_handler_gets_its_event_and_context(python):
    function = python("""
import os
def handler(event, context):
    return {"event": event, "name": context.function_name, "version": context.function_version,
            "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb,
            "id": context.aws_request_id, "group": context.log_group_name,
            "stream": context.log_stream_name, "time": 0 < context.get_remaining_time_in_millis() <= 30000,
            "client": context.client_context.client.app_title, "custom": context.client_context.custom,
            "pool": context.identity.cognito_identity_pool_id, "tenant": context.tenant_id,
            "trace": os.environ["_X_AMZN_TRACE_ID"], "cwd": os.getcwd(), "tz": os.environ["TZ"]}
""")
    posted = function.invoke(
        {"ü": [1, 2.5, None]}, request_id="r-1", Trace_Id="Root=1-2-3", Aws_Tenant_Id="t1",
        Client_Context=json.dumps({"client": {"app_title": "x"}, "custom": {"a": 1}}),
        Cognito_Identity=json.dumps({"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"}))
    assert posted.path == "/2018-06-01/runtime/invocation/r-1/response"
    assert posted.headers["content-type"] == "application/json"
    assert posted.json == {
        "event": {"ü": [1, 2.5, None]}, "name": "f", "version": "$LATEST", "id": "r-1",
        "arn": "arn:aws:lambda:us-east-1:000000000000:function:f", "memory": "128",
        "group": "/aws/lambda/f", "stream": "2026/01/01/[$LATEST]abc", "time": True, "client": "x",
        "custom": {"a": 1}, "pool": "p", "tenant": "t1", "trace": "Root=1-2-3",
        "cwd": function.environment["LAMBDA_TASK_ROOT"], "tz": ":UTC"}


def test_One_connection_serves_event_after_event(python):
    function = python("def handler(event, context): return event")
    for number in range(50):
        assert function.invoke(number, request_id="r%d" % number).json == number
    assert function.api.connections == 1


@pytest.mark.parametrize("piece,chunked", [(1, False), (1, True), (1 << 20, True)])
def test_Answers_of_the_Runtime_API_may_arrive_in_pieces(python, piece, chunked):
    function = python("def handler(event, context): return event")
    function.api.piece, function.api.chunked = piece, chunked
    assert function.invoke({"text": "x" * 300}).json == {"text": "x" * 300}
    assert function.invoke([]).json == []


def test_A_closed_connection_is_opened_again(python):
    function = python("def handler(event, context): return event")
    function.api.drop_next = 2
    assert function.invoke("again").json == "again"


def test_Large_events_and_answers_pass(python):
    function = python("def handler(event, context): return event + event")
    text = "ab" * 1_400_000
    assert function.invoke(text).json == text + text


@pytest.mark.parametrize("environment,body", [
    ("AWS_Lambda_python3.11", '{"a": 1.10, "n": NaN, "p": {"x": 1, "y": [2]}, "\\u00fc": "\\u20ac"}'),
    ("AWS_Lambda_python3.12", '{"a": 1.10, "n": NaN, "p": {"x": 1, "y": [2]}, "ü": "€"}'),
])
def test_Answers_are_encoded_as_AWS_encodes_them(python, environment, body):
    function = python("""
import collections, decimal
P = collections.namedtuple("P", "x y")
def handler(event, context):
    return {"a": decimal.Decimal("1.10"), "n": float("nan"), "p": P(1, (2,)), "ü": "€"}
""", execution_env=environment)
    assert function.invoke(None).body.decode() == body


def test_Nothing_returned_is_null_and_bytes_pass_as_they_are(python):
    function = python("def handler(event, context): return b'\\x00\\xff' if event else None")
    assert function.invoke(0).body == b"null"
    posted = function.invoke(1)
    assert (posted.body, posted.headers["content-type"]) == (b"\x00\xff", "application/unknown")


def test_An_exception_is_answered_with_the_users_frames(python):
    function = python("""
class Broken(Exception): pass
def inner():
    raise Broken("no §")
def handler(event, context):
    inner()
""")
    posted = function.invoke({}, request_id="r-9")
    root = function.environment["LAMBDA_TASK_ROOT"]
    assert posted.path.endswith("/invocation/r-9/error")
    assert posted.headers["lambda-runtime-function-error-type"] == "Broken"
    assert posted.json["errorMessage"] == "no §"
    assert posted.json["errorType"] == "Broken"
    assert posted.json["requestId"] == "r-9"
    assert posted.json["stackTrace"] == [
        '  File "%s/app.py", line 6, in handler\n    inner()\n' % root,
        '  File "%s/app.py", line 4, in inner\n    raise Broken("no §")\n' % root]
    cause = json.loads(posted.headers["lambda-runtime-function-xray-error-cause"])
    assert cause["exceptions"][0]["stack"][0] == {"label": "handler", "path": root + "/app.py", "line": 6}
    line = function.logs().split("\n")[0]
    assert line.startswith("[ERROR] Broken: no §\rTraceback (most recent call last):\r\u00a0\u00a0File ")
    assert function.invoke({}).json["errorType"] == "Broken"  # it goes on


def test_An_answer_that_is_no_JSON_is_a_marshal_error(python):
    function = python("def handler(event, context): return {1, 2}")
    assert function.invoke({}).json == {
        "errorMessage": "Unable to marshal response: Object of type set is not JSON serializable",
        "errorType": "Runtime.MarshalError", "requestId": "req-1", "stackTrace": []}


def test_An_event_that_is_no_JSON_is_an_unmarshal_error(python):
    function = python("def handler(event, context): return 1")
    assert function.invoke(b"{").json["errorMessage"].startswith("Unable to unmarshal input: Expecting ")


@pytest.mark.parametrize("source,handler,kind,message", [
    ("", "gone.handler", "Runtime.ImportModuleError",
     "Unable to import module 'gone': No module named 'gone'"),
    ("import nothing_here", "app.handler", "Runtime.ImportModuleError",
     "Unable to import module 'app': No module named 'nothing_here'"),
    ("", "app.missing", "Runtime.HandlerNotFound", "Handler 'missing' missing on module 'app'"),
    ("", "app", "Runtime.MalformedHandlerName",
     "Bad handler 'app': not enough values to unpack (expected 2, got 1)"),
    ("", "sys.exit", "Runtime.BuiltInModuleConflict",
     "Cannot use built-in module sys as a handler module"),
    ("raise KeyError('k')", "app.handler", "KeyError", "'k'"),
])
def test_What_cannot_start_is_an_init_error(python, source, handler, kind, message):
    function = python(source, handler)
    posted = function.api.take()
    assert posted.path == "/2018-06-01/runtime/init/error"
    assert posted.headers["lambda-runtime-function-error-type"] == kind
    assert (posted.json["errorType"], posted.json["errorMessage"]) == (kind, message)
    assert function.exit_code() == 1
    assert "LAMBDA_WARNING: Unhandled exception." in function.logs()
    assert "[ERROR] %s: %s" % (kind, message) in function.logs()


def test_A_failing_module_shows_only_the_users_frames(python):
    function = python("def f():\n    raise ValueError('v')\nf()\n")
    trace = function.api.take().json["stackTrace"]
    assert [re.search(r"line \d+, in .*", frame).group() for frame in trace] == [
        "line 3, in <module>", "line 2, in f"]


def test_A_syntax_error_names_the_line(python):
    function = python("x = 1\ndef handler(:\n    pass\n")
    posted = function.api.take()
    assert posted.json["errorType"] == "Runtime.UserCodeSyntaxError"
    assert posted.json["errorMessage"] == "Syntax error in module 'app': invalid syntax (app.py, line 2)"
    assert posted.json["stackTrace"] == [
        '  File "%s/app.py" Line 2\n    def handler(:\n' % function.environment["LAMBDA_TASK_ROOT"]]


@pytest.mark.parametrize("path,handler", [
    ("pkg/mod.py", "pkg/mod.handler"), ("pkg/mod.py", "pkg.mod.handler"), ("app.py", "app.handler")])
def test_Handlers_may_live_in_packages(python, path, handler):
    function = python({path: "def handler(event, context): return __name__"}, handler)
    assert function.invoke({}).json == path[:-3].replace("/", ".")


def test_Paths_are_searched_in_AWS_order(python):
    function = python("import sys\ndef handler(event, context): return sys.path")
    version = "python%d.%d" % tuple(map(int, MANIFESTS[0]["version"].split(".")[:2]))
    paths = function.invoke({}).json
    assert paths[:3] == [function.environment["LAMBDA_TASK_ROOT"],
                         "/opt/python/lib/%s/site-packages" % version, "/opt/python"]
    assert not any("dist-packages" in path for path in paths)


def test_Log_records_carry_time_and_request(python):
    function = python("""
import logging
log = logging.getLogger(); log.setLevel("INFO")
def handler(event, context):
    log.info("first\\nsecond"); logging.getLogger("boto").warning("careful"); log.debug("unseen")
    print("printed"); context.log("direct")
""")
    function.invoke({}, request_id="r-7")
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    lines = function.logs().split("\n")
    assert re.fullmatch(r"\[INFO\]\t%s\tr-7\tfirst\rsecond" % stamp, lines[0])
    assert re.fullmatch(r"\[WARNING\]\t%s\tr-7\tcareful" % stamp, lines[1])
    assert lines[2:] == ["printed", "direct", ""]


def test_JSON_logs_carry_level_request_and_extras(python):
    function = python("""
import logging
def handler(event, context):
    logging.info("unseen")
    try: 1 / 0
    except ZeroDivisionError: logging.exception("oops %s", 1, extra={"order": 7})
    raise RuntimeError("end")
""", environment={"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "WARN"})
    function.invoke({}, request_id="r-8")
    first, second = [json.loads(line) for line in function.logs().strip().split("\n")]
    assert (first["level"], first["message"], first["requestId"]) == ("ERROR", "oops 1", "r-8")
    assert (first["errorType"], first["order"]) == ("ZeroDivisionError", 7)
    assert (second["level"], second["errorType"], second["errorMessage"]) == ("ERROR", "RuntimeError", "end")


def test_What_was_printed_is_out_before_the_answer(python):
    function = python("def handler(event, context): print('no line end', end='')")
    function.invoke({})
    assert function.logs() == "no line end"


def test_Leaving_the_process_is_not_answered(python):
    function = python("import sys\ndef handler(event, context): sys.exit(7)")
    function.api.give({})
    assert function.exit_code() == 7
    assert function.api.posted.empty()


def test_A_held_runtime_takes_its_environment_from_descriptor_3(python):
    function = python("""
import os, time
def handler(event, context):
    return [os.environ.get("HELD"), os.environ["COLOR"], time.localtime(0).tm_hour, len(os.listdir("/proc/self/fd"))]
""", hold=True, environment={"COLOR": "grün=1", "TZ": "Asia/Tokyo"})
    assert function.api.next_asked.empty()
    function.assign()
    held, color, hour, files = function.invoke({}).json
    assert (held, color, hour) == (None, "grün=1", 9)
    assert files <= 5  # standard streams, the socket, the listing itself


def test_A_held_runtime_starts_again_for_what_the_interpreter_reads_at_its_start(python):
    function = python("import sys\ndef handler(event, context): return sys.flags.optimize", hold=True,
                      environment={"PYTHONOPTIMIZE": "2"})
    function.assign()
    assert function.invoke({}).json == 2


def test_Framed_logs_go_to_their_descriptor(python, tmp_path):
    function = python("import logging\ndef handler(event, context): logging.warning('a\\nb')",
                      environment={"_LAMBDA_TELEMETRY_LOG_FD": "2"})
    function.invoke({})
    data = function.log.read_bytes()
    assert data[:4] == bytes.fromhex("a55a0003")
    assert int.from_bytes(data[4:8], "big") == len(data) - 16
    assert data.endswith(b"\ta\nb\n")

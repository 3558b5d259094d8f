"""The C++ runtime client of runtimes/native, through the function of examples/hello."""

import base64
import json
import subprocess

import pytest
from conftest import ROOT

SOURCE = """
#include "pileus_lambda.h"
#include <stdexcept>
int main() {
  return pileus_lambda::run([](const pileus_lambda::Invocation& in) -> pileus_lambda::Answer {
    if (in.body == "\\"throw\\"") throw std::runtime_error("thrown \\"here\\"");
    if (in.body == "\\"fail\\"") return pileus_lambda::failure("Custom.Error", "failed");
    return pileus_lambda::success("[" + in.body + "," + pileus_lambda::json_string(in.request_id) + "," +
                                  (in.remaining_ms() > 0 ? "true" : "false") + "]");
  });
}
"""


@pytest.fixture(scope="session")
def bootstrap(compiler, tmp_path_factory):
    folder = tmp_path_factory.mktemp("native")
    (folder / "main.cpp").write_text(SOURCE)
    subprocess.run([compiler, "-std=c++17", "-O1", "-Wall", "-Werror", "-static",
                    "-I%s" % (ROOT / "runtimes/native"), str(folder / "main.cpp"), "-o",
                    str(folder / "bootstrap")], check=True)
    return [str(folder / "bootstrap")]


def test_Events_are_answered_over_one_connection(bootstrap, start):
    function = start(bootstrap, {}, "any")
    for number in range(20):
        assert function.invoke(number, request_id="r%d" % number).json == [number, "r%d" % number, True]
    assert function.api.connections == 1


@pytest.mark.parametrize("piece,chunked", [(1, False), (1, True), (1 << 20, True)])
def test_Answers_of_the_Runtime_API_may_arrive_in_pieces(bootstrap, start, piece, chunked):
    function = start(bootstrap, {}, "any")
    function.api.piece, function.api.chunked = piece, chunked
    assert function.invoke("x" * 300).json[0] == "x" * 300


def test_A_closed_connection_is_opened_again(bootstrap, start):
    function = start(bootstrap, {}, "any")
    function.api.drop_next = 2
    assert function.invoke(1).json[0] == 1


@pytest.mark.parametrize("event,kind,message", [
    ("throw", "Runtime.UnhandledException", 'thrown "here"'), ("fail", "Custom.Error", "failed")])
def test_Failures_are_answered_as_errors(bootstrap, start, event, kind, message):
    function = start(bootstrap, {}, "any")
    posted = function.invoke(event)
    assert posted.path.endswith("/error")
    assert posted.headers["lambda-runtime-function-error-type"] == kind
    assert (posted.json["errorType"], posted.json["errorMessage"]) == (kind, message)
    assert function.invoke(1).json[0] == 1


STREAMING = """
#include "pileus_lambda.h"
#include <stdexcept>
int main() {
  return pileus_lambda::run_streaming([](const pileus_lambda::Invocation& in, pileus_lambda::Stream& out) {
    if (in.body == "1") out.http(201, "{\\"x-a\\":\\"b\\"}");
    else out.content_type("text/plain");
    out.write("first;");
    if (in.body == "2") throw std::runtime_error("late");
    out.write(std::string(100000, 'x'));
  });
}
"""


def test_A_streaming_handler_writes_piece_by_piece(compiler, tmp_path, start):
    (tmp_path / "main.cpp").write_text(STREAMING)
    subprocess.run([compiler, "-std=c++17", "-O1", "-Wall", "-Werror", "-static", "-I%s" % (ROOT / "runtimes/native"),
                    str(tmp_path / "main.cpp"), "-o", str(tmp_path / "bootstrap")], check=True)
    function = start([str(tmp_path / "bootstrap")], {}, "any")
    posted = function.invoke(0)
    assert posted.headers["lambda-runtime-function-response-mode"] == "streaming"
    assert posted.headers["content-type"] == "text/plain"
    assert posted.body == b"first;" + b"x" * 100000 and not posted.trailers
    posted = function.invoke(1)
    assert posted.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
    head, body = posted.body.split(b"\0" * 8)
    assert json.loads(head) == {"statusCode": 201, "headers": {"x-a": "b"}, "cookies": []} and body.startswith(b"first;")
    posted = function.invoke(2)
    assert posted.body == b"first;"
    assert posted.trailers["lambda-runtime-function-error-type"] == "Runtime.UnhandledException"
    assert json.loads(base64.b64decode(posted.trailers["lambda-runtime-function-error-body"]))["errorMessage"] == "late"
    assert function.invoke(0).body.startswith(b"first;")
    assert function.api.connections == 1

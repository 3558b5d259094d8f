"""Code from a directory, picked up as it is edited; and a debugger's way into a function."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.request

import botocore.exceptions
import pytest

from cloud import BINARY, NODE_RUNTIME, zipped

CODE = "import helper\nCOUNT = 0\ndef handler(e, c):\n    global COUNT\n    COUNT += 1\n    return [helper.WORD, COUNT]\n"


@pytest.fixture
def folder(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "app.py").write_text(CODE)
    (tmp_path / "helper.py").write_text("WORD = 'one'\n")
    return tmp_path


def create_hot(functions, folder, runtime="python3.11", handler="app.handler", **settings):
    name = f"hot-{os.urandom(4).hex()}"
    functions.api.create_function(FunctionName=name, Runtime=runtime, Handler=handler, Role=functions.role(),
                                  Code={"S3Bucket": "hot-reload", "S3Key": str(folder)}, **settings)
    return name


def refused(function, **settings):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        function(**settings)
    return error.value.response["Error"]


def test_an_edit_is_seen_by_the_next_event(functions, folder):
    name = create_hot(functions, folder)
    assert functions.invoke(name)[1] == ["one", 1]
    assert functions.invoke(name)[1] == ["one", 2]
    for number in range(5):
        (folder / "helper.py").write_text(f"WORD = 'edit {number}'\n")
        assert functions.invoke(name)[1] == [f"edit {number}", 1]
    assert functions.invoke(name)[1] == ["edit 4", 2]
    package = folder / "package"
    package.mkdir()
    (package / "__init__.py").write_text("WORD = 'deep'\n")
    (folder / "helper.py").write_text("from package import WORD\n")
    assert functions.invoke(name)[1] == ["deep", 1]
    (package / "__init__.py").write_text("WORD = 'deeper'\n")
    assert functions.invoke(name)[1] == ["deeper", 1]
    replacement = folder / "package" / "new"
    replacement.write_text("WORD = 'renamed'\n")
    replacement.rename(package / "__init__.py")
    assert functions.invoke(name)[1] == ["renamed", 1]


def test_a_directory_follows_a_restart_and_gives_way_to_a_zip(fresh, folder):
    from cloud import Functions
    cloud = fresh()
    functions = Functions(cloud)
    name = create_hot(functions, folder)
    assert functions.invoke(name)[1] == ["one", 1]
    cloud.kill()
    cloud.start()
    (folder / "helper.py").write_text("WORD = 'two'\n")
    assert functions.invoke(name)[1] == ["two", 1]
    assert refused(functions.api.publish_version, FunctionName=name)["Code"] == "InvalidParameterValueException"
    functions.api.update_function_code(FunctionName=name, ZipFile=zipped(app__py=CODE, helper__py="WORD = 'zip'\n"))
    assert functions.invoke(name)[1] == ["zip", 1]
    (folder / "helper.py").write_text("WORD = 'three'\n")
    assert functions.invoke(name)[1] == ["zip", 2]
    functions.api.update_function_code(FunctionName=name, S3Bucket="hot-reload", S3Key=str(folder))
    assert functions.invoke(name)[1] == ["three", 1]


def test_only_the_owner_names_directories_and_only_those_there_are(functions, folder, tmp_path):
    iam = functions.iam
    user = f"u-{os.urandom(4).hex()}"
    iam.create_user(UserName=user)
    iam.attach_user_policy(UserName=user, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = iam.create_access_key(UserName=user)["AccessKey"]
    api = functions.cloud.client("lambda", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    name = create_hot(functions, folder)
    settings = {"FunctionName": name, "S3Bucket": "hot-reload", "S3Key": str(folder)}
    assert refused(api.update_function_code, **settings)["Code"] == "AccessDeniedException"
    for wrong in (str(folder / "nowhere"), "relative", str(folder / "app.py")):
        error = refused(functions.api.update_function_code, **{**settings, "S3Key": wrong})
        assert error["Code"] == "InvalidParameterValueException" and wrong in error["Message"]
    assert refused(functions.api.update_function_code, **{**settings, "S3Bucket": "some-bucket"})["Code"] == \
        "InvalidParameterValueException"
    assert refused(functions.api.update_function_code, FunctionName=name, S3Bucket="hot-reload")["Code"] == \
        "InvalidParameterValueException"
    assert functions.invoke(name)[1] == ["one", 1]


class WebSocket:
    """Just enough of one to speak the inspector's protocol."""

    def __init__(self, port, path):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.file = self.socket.makefile("rb")
        assert b"101" in self.file.readline()
        while self.file.readline() != b"\r\n":
            pass
        self.number = 0

    def ask(self, method, **parameters):
        self.number += 1
        data = json.dumps({"id": self.number, "method": method, "params": parameters}).encode()
        head = b"\x81" + (bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big"))
        self.socket.sendall(head + b"\0\0\0\0" + data)
        return self.until(lambda m: m.get("id") == self.number)

    def close(self):
        self.file.close()
        self.socket.close()

    def until(self, wanted):
        while True:
            size = self.file.read(2)[1]
            size = int.from_bytes(self.file.read(2), "big") if size == 126 else \
                int.from_bytes(self.file.read(8), "big") if size == 127 else size
            message = json.loads(self.file.read(size))
            if wanted(message):
                return message


def debugging(functions, name):
    process = subprocess.Popen([BINARY, "debug", "--listen", functions.cloud.address, "--port", "0", name],
                               stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    assert "127.0.0.1:" in line, line
    return process, int(line.split("127.0.0.1:")[1].split(".")[0].split("\x1b")[0])


def retried(function, timeout=20):
    deadline = time.monotonic() + timeout
    while True:
        try:
            return function()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_node_function_stops_at_a_breakpoint_and_does_not_time_out(functions):
    name = functions.create("let n = 40;\nexport const handler = async () => {\n  n += 2;\n  return n;\n};\n",
                            runtime=NODE_RUNTIME, Timeout=1)
    process, port = debugging(functions, name)
    try:
        answers = []
        caller = threading.Thread(target=lambda: answers.append(functions.invoke(name)))
        caller.start()
        target = retried(lambda: json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=5)))[0]
        inspector = WebSocket(port, "/" + target["webSocketDebuggerUrl"].split("/", 3)[3])
        inspector.ask("Debugger.enable")
        inspector.ask("Debugger.setBreakpointByUrl", lineNumber=2, urlRegex=".*app\\.mjs$")
        inspector.ask("Runtime.runIfWaitingForDebugger")
        inspector.until(lambda m: m.get("method") == "Debugger.paused")
        time.sleep(1.5)  # longer than the function's time-out: what is proved is that it does not matter
        assert not answers
        inspector.ask("Debugger.resume")
        caller.join(20)
        assert answers[0][1] == 42 and "FunctionError" not in answers[0][0]
        inspector.close()
        assert functions.invoke(name)[1] == 44  # the same environment
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    answer, payload = functions.invoke(name)
    assert payload == 42  # a new environment, without a debugger
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_python_function_waits_for_its_debugger(functions):
    fake = ("import socket\ndef listen(address):\n    global server\n    server = socket.create_server(address)\n"
            "def wait_for_client():\n    global client\n    client, _ = server.accept()\n    client.sendall(b'hello')\n"
            "    assert client.recv(5) == b'go on'\n")
    name = functions.create(package=zipped(app__py="import os\ndef handler(e, c):\n    return os.environ['_HANDLER']\n",
                                           debugpy__py=fake))
    process, port = debugging(functions, name)
    try:
        answers = []
        caller = threading.Thread(target=lambda: answers.append(functions.invoke(name)))
        caller.start()

        def connect():
            client = socket.create_connection(("127.0.0.1", port), timeout=20)
            if client.recv(5) != b"hello":
                raise OSError("not there yet")
            return client

        client = retried(connect)
        assert not answers
        client.sendall(b"go on")
        caller.join(20)
        assert answers[0][1] == "app.handler"
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_a_function_without_debugpy_says_what_is_missing(functions):
    name = functions.create("def handler(e, c):\n    return 1\n")
    process, _ = debugging(functions, name)
    try:
        answer, payload = functions.invoke(name)
        assert answer["FunctionError"] == "Unhandled" and "put debugpy into the function" in payload["errorMessage"]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert functions.invoke(name)[1] == 1


def test_what_cannot_be_debugged_says_so(functions):
    done = subprocess.run([BINARY, "debug", "--listen", functions.cloud.address, "nobody"], capture_output=True, text=True)
    assert done.returncode != 0 and "Function not found" in done.stderr + done.stdout

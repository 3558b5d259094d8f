"""Plays the Runtime API against a bootstrap that runs as a plain process, without a sandbox."""

import json
import os
import pathlib
import queue
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUNTIMES = ROOT / "build" / "runtimes"
WAIT = 30  # seconds until a test is stuck


class Request:
    def __init__(self, method, path, headers, body, trailers):
        self.method, self.path, self.headers = method, path, headers
        self.body, self.trailers = body, trailers

    @property
    def json(self):
        return json.loads(self.body)


class RuntimeApi:
    """One connection at a time, requests in order; the test gives events and takes what is posted.

    `piece` is how many bytes of an answer are written at once: 1 shows that clients read in pieces.
    """

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.events = queue.Queue()
        self.posted = queue.Queue()
        self.next_asked = queue.Queue()
        self.piece = 1 << 20
        self.chunked = False
        self.drop_next = 0
        self.closed = False
        self.connections = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.closed:
            try:
                connection, _ = self.listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        reader = connection.makefile("rb")
        try:
            while request := self.read(reader):
                if request.method == "GET" and request.path.endswith("/invocation/next"):
                    self.next_asked.put(request)
                    if self.drop_next:
                        self.drop_next -= 1
                        break
                    event = self.events.get()
                    if event is None:
                        break
                    self.answer(connection, 200, event[0], event[1])
                else:
                    self.answer(connection, 202, {"Content-Type": "application/json"}, b'{"status":"OK"}')
                    self.posted.put(request)
        except OSError:
            pass
        reader.close()
        connection.close()

    def read(self, reader):
        line = reader.readline().decode("latin-1").split()
        if not line:
            return None
        headers = self.read_headers(reader)
        trailers = {}
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(reader.readline().split(b";")[0] or b"0", 16):
                body += reader.read(size)
                reader.readline()
            trailers = self.read_headers(reader)
        else:
            body = reader.read(int(headers.get("content-length", 0)))
        return Request(line[0], line[1], headers, body, trailers)

    @staticmethod
    def read_headers(reader):
        headers = {}
        while (line := reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return headers

    def answer(self, connection, status, headers, body):
        head = "HTTP/1.1 %d X\r\n" % status + "".join("%s: %s\r\n" % h for h in headers.items())
        if self.chunked:
            half = len(body) // 2
            pieces = [piece for piece in (body[:half], body[half:]) if piece]
            body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
            head += "Transfer-Encoding: chunked\r\n\r\n"
        else:
            head += "Content-Length: %d\r\n\r\n" % len(body)
        data = head.encode("latin-1") + body
        for at in range(0, len(data), self.piece):
            connection.sendall(data[at:at + self.piece])

    def give(self, event, request_id="req-1", deadline_ms=None, **headers):
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        given = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms or int(time.time() * 1000) + 30000),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:000000000000:function:f",
            **{"Lambda-Runtime-" + name.replace("_", "-"): value for name, value in headers.items()},
        }
        self.events.put((given, body))

    def take(self):
        return self.posted.get(timeout=WAIT)

    def close(self):
        self.closed = True
        self.events.put(None)
        self.listener.close()


class Function:
    """A bootstrap running a handler from a folder of the test's."""

    def __init__(self, argv, folder, handler, environment=None, hold=False, execution_env=""):
        self.api = RuntimeApi()
        self.log = folder / "log.txt"
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "AWS_LAMBDA_RUNTIME_API": self.api.address,
            "_HANDLER": handler,
            "LAMBDA_TASK_ROOT": str(folder),
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "AWS_EXECUTION_ENV": execution_env,
            "AWS_LAMBDA_FUNCTION_NAME": "f",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]abc",
            "TZ": ":UTC",
            **(environment or {}),
        }
        self.output = open(self.log, "wb")
        self.assignment = None
        if hold:
            reading, self.assignment = os.pipe()
            self.process = self.start_with_descriptor(argv, reading)
            os.close(reading)
        else:
            self.process = subprocess.Popen(
                argv + ["--now"], env=self.environment, stdout=self.output, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL)

    def start_with_descriptor(self, argv, reading):
        return subprocess.Popen(
            argv, env={"PATH": "/usr/bin:/bin", "HELD": "yes"}, stdout=self.output,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, pass_fds=[3],
            preexec_fn=lambda: os.dup2(reading, 3))

    def assign(self):
        data = b"".join(("%s=%s" % item).encode() + b"\0" for item in self.environment.items())
        os.write(self.assignment, data)
        os.close(self.assignment)
        self.assignment = None

    def invoke(self, event, **more):
        self.api.give(event, **more)
        return self.api.take()

    def logs(self):
        return self.log.read_bytes().decode()  # carriage returns kept

    def exit_code(self):
        return self.process.wait(WAIT)

    def close(self):
        if self.assignment is not None:
            os.close(self.assignment)
        self.process.kill()
        self.process.wait()
        self.api.close()
        self.output.close()


@pytest.fixture
def start(tmp_path):
    """start(argv, files, handler, …): writes the files and starts the bootstrap over them."""
    running = []

    def begin(argv, files, handler, **more):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        function = Function(argv, tmp_path, handler, **more)
        running.append(function)
        return function

    yield begin
    for function in running:
        function.close()


def manifests(language):
    """The runtimes of this machine's own root file system; others run in a sandbox only."""
    found = [json.loads(path.read_text()) for path in sorted(RUNTIMES.glob("*/manifest.json"))]
    return [manifest for manifest in found if manifest["language"] == language and not manifest.get("root")]


def host_argv(manifest, script):
    """As a sandbox starts it, but with the repository's bootstrap at its place on this machine."""
    return [manifest["interpreter"], *manifest["argv"][1:-1], str(ROOT / "runtimes" / script)]


@pytest.fixture(scope="session")
def compiler():
    for name in ("clang++-19", "clang++", "g++"):
        if found := shutil.which(name):
            return found
    pytest.skip("no C++ compiler on this machine")


assert sys.version_info >= (3, 9)

#!/usr/bin/env python3
"""Invoking functions: start of the server, warm and cold invokes, throughput; floors and peers in the same run.

Floor of a warm invoke: the same handler behind a bare HTTP server of its own runtime, asked by the same
client over the same kind of connection. Peers: serverless-offline (npm) and AWS's Runtime Interface Emulator (Go), when they can be installed.
"""

import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from cloud import ACCOUNT, NODE_RUNTIME, REGION, Cloud, Functions, free_port, zipped  # noqa: E402

import botocore.auth  # noqa: E402
import botocore.awsrequest  # noqa: E402
import botocore.credentials  # noqa: E402

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "2000"))
EVENT = b'{"n": 41}'
PYTHON = "def handler(event, context):\n    return {'n': event['n'] + 1}\n"
NODE = "exports.handler = async (event) => ({n: event.n + 1});\n"
PYTHON_FLOOR = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class H(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    wbufsize = 65536
    def log_message(self, *a): pass
    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        body = json.dumps({'n': event['n'] + 1}).encode()
        self.send_response(200); self.send_header('Content-Length', str(len(body))); self.end_headers(); self.wfile.write(body)
HTTPServer(('127.0.0.1', int(sys.argv[1])), H).serve_forever()
"""
NODE_FLOOR = """
const http = require('http');
http.createServer((q, r) => { let b = ''; q.on('data', d => b += d); q.on('end', () => {
  const body = JSON.stringify({n: JSON.parse(b).n + 1}); r.setHeader('Content-Length', body.length); r.end(body); }); })
  .listen(+process.argv[2], '127.0.0.1');
"""
NATIVE_FLOOR = ROOT / "build/release/bench/bare_http"
NATIVE = ROOT / "build/release/bench/native_bootstrap"


def row(what, value, remark=""):
    print(f"    {what:<52} {value:>14}  {remark}", flush=True)


def us(seconds):
    return f"{seconds * 1e6:.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


class Connection:
    """One keep-alive connection that sends the same request again and again."""

    def __init__(self, port, request):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = request

    def once(self):
        self.socket.sendall(self.request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(re.search(rb"content-length: *(\d+)", head, re.I).group(1))
        while len(body) < length:
            body += self.more()
        assert head.startswith(b"HTTP/1.1 200"), head + body
        return body

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        return data


def percentiles(connection, rounds=ROUNDS):
    for _ in range(50):
        connection.once()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        connection.once()
        times.append(time.perf_counter() - started)
    times.sort()
    return times[len(times) // 2], times[int(len(times) * 0.99)]


def signed_request(cloud, name, key=ACCOUNT, secret="x"):
    url = f"{cloud.url}/2015-03-31/functions/{name}/invocations"
    request = botocore.awsrequest.AWSRequest(method="POST", url=url, data=EVENT)
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(key, secret), "lambda", REGION).add_auth(request)
    head = f"POST /2015-03-31/functions/{name}/invocations HTTP/1.1\r\nHost: {cloud.address}\r\nContent-Length: {len(EVENT)}\r\n"
    head += "".join(f"{k}: {v}\r\n" for k, v in request.headers.items())
    return head.encode() + b"\r\n" + EVENT, dict(request.headers)


def bare_request(port):
    return b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s" % (len(EVENT), EVENT)


def wait_port(port, process):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("did not start")


def startup():
    times, memory = [], 0
    for _ in range(5):
        with tempfile.TemporaryDirectory() as data:
            port = free_port()
            started = time.perf_counter()
            process = subprocess.Popen([str(ROOT / "build/release/pileus"), "serve", "--listen", f"127.0.0.1:{port}", "--data", data],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            process.stdout.readline()  # it says so when it listens; asking in a loop would take its processor
            body = b"Action=GetCallerIdentity&Version=2011-06-15"
            request = (f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                       f"Authorization: AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/{REGION}/sts/aws4_request, SignedHeaders=host, Signature={'0' * 64}\r\n"
                       f"X-Amz-Date: 20260101T000000Z\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
            while True:
                try:
                    Connection(port, request).once()
                    break
                except (OSError, ConnectionError):
                    if process.poll() is not None:
                        raise RuntimeError("the server ended")
            times.append(time.perf_counter() - started)
            time.sleep(1)
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            memory = max(memory, int(re.search(r"VmRSS:\s+(\d+)", status).group(1)))
            process.terminate()
            process.wait()
    row("serve: exec to first answered API call", us(statistics.median(times)), "target ≤ 50 ms")
    row("serve: idle resident memory", f"{memory / 1024:.1f} MB", "target ≤ 40 MB")


def warm(cloud, label, name, floor_command, budget):
    port = free_port()
    floor = subprocess.Popen([*floor_command, str(port)], stdout=subprocess.DEVNULL)
    try:
        wait_port(port, floor)
        floor50, floor99 = percentiles(Connection(port, bare_request(port)))
    finally:
        floor.kill()
        floor.wait()
    iam = cloud.client("iam")
    user = f"bench-{os.urandom(3).hex()}"
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}]}))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    request, headers = signed_request(cloud, name, key["AccessKeyId"], key["SecretAccessKey"])
    host, server_port = cloud.address.split(":")
    p50, p99 = percentiles(Connection(int(server_port), request))
    row(f"warm {label}: p50, signed and authorized", us(p50), f"p99 {us(p99)}")
    row(f"  the same handler behind a bare HTTP server: p50", us(floor50), f"p99 {us(floor99)}")
    row(f"  tax at p50", us(p50 - floor50), f"target ≤ {budget} µs; ratio {p50 / floor50:.2f}")
    return headers


def throughput(cloud, name, headers, connections=32, seconds=5):
    if not shutil.which("wrk"):
        row("throughput", "skipped", "apt-get install wrk")
        return
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method = 'POST'\nwrk.body = '{EVENT.decode()}'\n")
        for k, v in headers.items():
            script.write(f"wrk.headers['{k}'] = '{v}'\n")
        script.flush()
        out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script.name,
                              f"{cloud.url}/2015-03-31/functions/{name}/invocations"], capture_output=True, text=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    row(f"native invokes/s, {connections} connections, client on the same cores", f"{rate:,.0f}",
        "target ≥ 10,000" + (f"; {bad.group(1)} REFUSED" if bad else ""))


def cold(functions, label, runtime, package, handler, target, rounds=25):
    """Each start is of a version never run before; the pool has time to refill in between."""
    name = functions.create(runtime=runtime, package=package, handler=handler)
    functions.invoke(name, {"n": 1})
    times, inits = [], []
    for i in range(rounds):
        functions.api.update_function_configuration(FunctionName=name, Description=f"{i}", Environment={"Variables": {"ROUND": str(i)}})
        functions.api.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.2})
        time.sleep(0.3)
        request, _ = signed_request(functions.cloud, name)
        connection = Connection(int(functions.cloud.address.split(":")[1]), request)
        started = time.perf_counter()
        connection.once()
        times.append(time.perf_counter() - started)
    times.sort()
    row(f"cold {label}: p50 of {rounds}, from the pool", us(times[len(times) // 2]), f"max {us(times[-1])}; target ≤ {target} ms")


def bare_interpreter(label, command):
    times = []
    for _ in range(15):
        started = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - started)
    row(f"  bare start of {label}: p50", us(statistics.median(times)))


def peer():
    folder = ROOT / "build/bench-peers/serverless-offline"
    if not (folder / "node_modules/serverless-offline").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "serverless@3", "serverless-offline@13"], cwd=folder, capture_output=True)
        if done.returncode:
            row("peer serverless-offline", "skipped", "npm could not install it")
            return
    port, http_port = free_port(), free_port()
    (folder / "handler.js").write_text(NODE)
    (folder / "serverless.yml").write_text(
        "service: bench\nprovider: {name: aws, runtime: nodejs20.x}\nplugins: [serverless-offline]\n"
        f"custom: {{serverless-offline: {{lambdaPort: {port}, httpPort: {http_port}, noTimeout: true}}}}\n"
        "functions: {echo: {handler: handler.handler, events: [{http: 'POST /'}]}}\n")
    process = subprocess.Popen(["node_modules/.bin/serverless", "offline"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env={**os.environ, "SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off"})
    try:
        started = time.perf_counter()
        wait_port(port, process)
        row("peer serverless-offline: start to listening", us(time.perf_counter() - started))
        request = (f"POST /2015-03-31/functions/bench-dev-echo/invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   f"Content-Length: {len(EVENT)}\r\n\r\n").encode() + EVENT
        started = time.perf_counter()
        connection = Connection(port, request)
        connection.once()
        row("peer serverless-offline: first invoke", us(time.perf_counter() - started))
        p50, p99 = percentiles(connection, min(ROUNDS, 500))
        row("peer serverless-offline: warm Node p50", us(p50), f"p99 {us(p99)} (no isolation, no roles)")
    except (RuntimeError, OSError, AssertionError) as error:
        row("peer serverless-offline", "skipped", str(error)[:80])
    finally:
        process.kill()
        process.wait()


def emulator():
    """AWS's own emulator around the same native bootstrap: one process, no isolation, no roles, no signatures."""
    binary = ROOT / "build/bench-peers/aws-lambda-rie"
    if not binary.exists():
        if not shutil.which("go"):
            row("peer Lambda Runtime Interface Emulator", "skipped", "needs the Go toolchain")
            return
        binary.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["go", "build", "-o", str(binary), "github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie"],
                              cwd=ROOT / "bench/peers", capture_output=True, text=True)
        if done.returncode:
            row("peer Lambda Runtime Interface Emulator", "skipped", done.stderr.strip().splitlines()[-1][:80])
            return
    port = free_port()
    process = subprocess.Popen([str(binary), "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
                                "--runtime-api-address", f"127.0.0.1:{free_port()}", "--log-level", "error", str(NATIVE)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_port(port, process)
        request = (f"POST /2015-03-31/functions/function/invocations HTTP/1.1\r\nHost: localhost\r\n"
                   f"Content-Length: {len(EVENT)}\r\n\r\n").encode() + EVENT
        started = time.perf_counter()
        connection = Connection(port, request)
        connection.once()
        row("peer Runtime Interface Emulator: first native invoke", us(time.perf_counter() - started))
        p50, p99 = percentiles(connection)
        row("peer Runtime Interface Emulator: warm native p50", us(p50), f"p99 {us(p99)} (no isolation, no roles)")
    finally:
        process.kill()
        process.wait()


def main():
    startup()
    cloud = Cloud("--log-level", "warn").start()
    try:
        functions = Functions(cloud)
        if NATIVE.exists():
            native_zip = zipped(bootstrap=NATIVE.read_bytes())
            native = functions.create(runtime="provided.al2023", package=native_zip, handler="bootstrap")
            functions.invoke(native, {"n": 1})
            headers = warm(cloud, "native", native, [str(NATIVE_FLOOR)], 150)
            throughput(cloud, native, headers)
        python = functions.create(PYTHON)
        functions.invoke(python, {"n": 1})
        with tempfile.TemporaryDirectory() as folder:
            floor = pathlib.Path(folder, "floor.py")
            floor.write_text(PYTHON_FLOOR)
            warm(cloud, "Python", python, ["/usr/bin/python3", str(floor)], 400)
            floor = pathlib.Path(folder, "floor.js")
            floor.write_text(NODE_FLOOR)
            node_zip = zipped(app__js=NODE)
            node = functions.create(runtime=NODE_RUNTIME, package=node_zip)
            functions.invoke(node, {"n": 1})
            warm(cloud, "Node", node, ["node", str(floor)], 400)
        if NATIVE.exists():
            cold(functions, "native", "provided.al2023", native_zip, "bootstrap", 5)
        cold(functions, "Python", "python3.11", zipped(app__py=PYTHON), "app.handler", 15)
        bare_interpreter("python3", ["/usr/bin/python3", "-c", "pass"])
        cold(functions, "Node", NODE_RUNTIME, node_zip, "app.handler", 25)
        bare_interpreter("node", ["node", "-e", "0"])
    finally:
        cloud.close()
    peer()
    emulator()


if __name__ == "__main__":
    main()

"""A real server for tests: the real binary on a free port with a data directory of its own."""

import io
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
import zipfile

import boto3
import botocore.config

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("PILEUS_BINARY", ROOT / "build/release/pileus"))
ACCOUNT = "000000000000"
REGION = "us-east-1"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
# The newest managed Node.js runtime that this machine has (Debian 12's own is 18).
NODE_RUNTIME = max((p.name for p in ROOT.glob("build/runtimes/nodejs*.x")), default="nodejs20.x", key=lambda n: int(n[6:-2]))
LOGS_POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


class Cloud:
    """One server; start(), kill() and start() again keep the data directory and the port."""

    def __init__(self, *options, data=None):
        self.options = options
        self.temporary = None if data else tempfile.TemporaryDirectory(prefix="pileus-test-")
        self.data = data or self.temporary.name
        self.address = None
        self.process = None
        self.log = open(os.path.join(self.data, "server.log"), "ab")

    def start(self):
        listen = self.address or "127.0.0.1:0"
        self.process = subprocess.Popen(
            [BINARY, "serve", "--listen", listen, "--data", self.data, *self.options],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        # The first line of standard output says where it listens.
        for line in self.process.stdout:
            if "http://" in line:
                self.address = line.split("http://")[1].split()[0].rstrip("/.,")
                break
        else:
            raise RuntimeError("the server did not start: " + self.words())
        self.wait_healthy()
        return self

    def wait_healthy(self):
        deadline = time.monotonic() + 10
        while True:
            try:
                return self.admin("GET", "health")
            except OSError:
                if time.monotonic() > deadline:
                    raise RuntimeError("the server does not answer: " + self.words())

    def words(self):
        return pathlib.Path(self.log.name).read_text()[-4000:]

    @property
    def url(self):
        return f"http://{self.address}"

    def admin(self, method, path, body=None):
        request = urllib.request.Request(f"{self.url}/_pileus/{path}", method=method,
                                         data=json.dumps(body).encode() if body is not None else None)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"{}")

    def client(self, service, key=ACCOUNT, secret="test", token=None, region=REGION, retries=0, **config):
        return boto3.client(service, endpoint_url=self.url, region_name=region, aws_access_key_id=key,
                            aws_secret_access_key=secret, aws_session_token=token,
                            config=botocore.config.Config(retries={"max_attempts": retries}, read_timeout=120, **config))

    def environment(self):
        return {**os.environ, "AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION, "AWS_PAGER": "",
                "PATH": f"{ROOT}/build/venv/bin:{os.environ['PATH']}"}

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                return self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()
                raise RuntimeError("the server did not stop: " + self.words())
        return self.process.returncode if self.process else None

    def close(self):
        try:
            self.stop()
        finally:
            self.log.close()
            if self.temporary:
                self.temporary.cleanup()


def zipped(**files):
    """A deployment package; keys are file names with '__' for '.', bootstrap is executable."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name.replace("__", "."))
            info.external_attr = (0o755 if name == "bootstrap" else 0o644) << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Functions:
    """Creates roles and functions for a test, each under a name of its own."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.iam = cloud.client("iam")
        self.api = cloud.client("lambda")
        self.logs = cloud.client("logs")
        self.count = 0

    def role(self, name=None, managed=(LOGS_POLICY,), policy=None, trust=TRUST):
        self.count += 1
        name = name or f"role-{os.urandom(4).hex()}"
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        for policy_arn in managed:
            self.iam.attach_role_policy(RoleName=name, PolicyArn=policy_arn)
        if policy:
            self.iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(policy))
        return arn

    def create(self, source=None, runtime="python3.11", name=None, handler="app.handler", role=None, package=None,
               wait=True, **settings):
        name = name or f"f-{os.urandom(4).hex()}"
        file = "app.py" if runtime.startswith("python") else "app.mjs"
        package = package or zipped(**{file: source})
        self.api.create_function(FunctionName=name, Runtime=runtime, Handler=handler, Role=role or self.role(),
                                 Code={"ZipFile": package}, **settings)
        if wait:
            self.api.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        return name

    def invoke(self, name, event=None, **settings):
        answer = self.api.invoke(FunctionName=name, Payload=json.dumps(event if event is not None else {}), **settings)
        payload = answer["Payload"].read()
        return answer, json.loads(payload) if payload else None

    def messages(self, name, count=1, pattern=None, timeout=10):
        """Log messages of a function, once there are at least `count` of them."""
        group = name if name.startswith("/") else f"/aws/lambda/{name}"
        deadline = time.monotonic() + timeout
        while True:
            try:
                pages = self.logs.get_paginator("filter_log_events").paginate(
                    logGroupName=group, **({"filterPattern": pattern} if pattern else {}))
                found = [event["message"] for page in pages for event in page["events"]]
            except self.logs.exceptions.ResourceNotFoundException:
                found = []
            if len(found) >= count:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(found)} log events of {name} after {timeout} s, {count} wanted: {found}")

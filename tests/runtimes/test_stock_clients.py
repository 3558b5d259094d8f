"""AWS's own runtime clients, unmodified, as the bootstrap of provided.* functions in the real server."""

import base64
import io
import pathlib
import sys
import zipfile

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests/e2e"))
from cloud import BINARY, Cloud, Functions  # noqa: E402

STOCK = ROOT / "build" / "stock"
PYTHON_BOOTSTRAP = "#!/bin/sh\nexport PYTHONPATH=/var/task/client\nexec /usr/bin/python3 -m awslambdaric $_HANDLER\n"
NODE_BOOTSTRAP = "#!/bin/sh\nexec /usr/bin/node /var/task/client/node_modules/aws-lambda-ric/%s $_HANDLER\n"
PYTHON_HANDLER = """
def handler(event, context):
    print("said in Python")
    if event == "fail":
        raise ValueError("on purpose")
    return {"event": event, "id": context.aws_request_id, "time": context.get_remaining_time_in_millis() > 0}
"""
NODE_HANDLER = """
exports.handler = async (event, context) => {
  console.log('said in Node');
  if (event === 'fail') throw new RangeError('on purpose');
  return {event, id: context.awsRequestId, time: context.getRemainingTimeInMillis() > 0};
};
"""


def package(client, files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o755 if name == "bootstrap" else 0o644) << 16
            archive.writestr(info, text)
        for path in sorted(client.rglob("*")):
            if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts:
                archive.write(path, pathlib.Path("client") / path.relative_to(client))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def functions():
    if not BINARY.exists():
        pytest.skip("no server has been built")
    cloud = Cloud().start()
    yield Functions(cloud)
    cloud.close()


def create(functions, name, handler, code):
    role = functions.role()
    functions.api.create_function(FunctionName=name, Runtime="provided.al2023", Role=role, Handler=handler,
                                  Code={"ZipFile": code}, Timeout=20, MemorySize=256)
    functions.api.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


def invoke(functions, name, payload):
    answer = functions.api.invoke(FunctionName=name, Payload=payload, LogType="Tail")
    return answer.get("FunctionError"), answer["Payload"].read(), base64.b64decode(answer["LogResult"]).decode()


@pytest.mark.skipif(not (STOCK / "python/.key").exists(), reason="awslambdaric: run tools/build_stock_clients.sh")
def test_awslambdaric_serves_a_function(functions):
    create(functions, "stock-python", "app.handler",
           package(STOCK / "python", {"bootstrap": PYTHON_BOOTSTRAP, "app.py": PYTHON_HANDLER}))
    check(functions, "stock-python", "said in Python", "ValueError")


@pytest.mark.skipif(not (STOCK / "node/.key").exists(), reason="aws-lambda-ric: run tools/build_stock_clients.sh")
def test_aws_lambda_ric_serves_a_function(functions):
    entry = next(name for name in ("index.mjs", "bin/index.mjs", "bin/index.js")
                 if (STOCK / "node/node_modules/aws-lambda-ric" / name).exists())
    create(functions, "stock-node", "app.handler",
           package(STOCK / "node", {"bootstrap": NODE_BOOTSTRAP % entry, "app.js": NODE_HANDLER}))
    check(functions, "stock-node", "said in Node", "RangeError")


def check(functions, name, said, kind):
    for number in (b"1", b"2"):
        error, body, log = invoke(functions, name, number)
        assert error is None, body
        assert b'"event": %s' % number in body or b'"event":%s' % number in body
        assert said in log and "REPORT RequestId" in log
    error, body, log = invoke(functions, name, b'"fail"')
    assert error and kind.encode() in body and b"on purpose" in body
    assert kind in log

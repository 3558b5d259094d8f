"""Many environments of one Python function at once: what the pool does not hold is forked, and a fork
is in nothing different from a process that was started for the function."""

import concurrent.futures
import json
import os

import pytest
from cloud import Cloud, Functions, zipped

HANDLER = """
import os, random, ssl, time, uuid
SEEN = []
def handler(event, context):
    time.sleep(event["hold"])
    SEEN.append(1)
    return {"parent": os.getppid(), "calls": len(SEEN), "random": random.random(), "ssl": ssl.RAND_bytes(8).hex(),
            "uuid": str(uuid.uuid4()), "user": os.getuid(), "tmp": os.listdir("/tmp"), "cwd": os.getcwd(),
            "processes": sum(p.isdigit() for p in os.listdir("/proc")), "zone": time.tzname[0]}
"""


@pytest.fixture(scope="module")
def functions():
    cloud = Cloud("--prewarm", "1").start()
    if not cloud_isolates(cloud):
        cloud.close()
        pytest.skip("no namespaces here")
    yield Functions(cloud)
    cloud.close()


def cloud_isolates(cloud):
    return os.geteuid() == 0


def at_once(functions, name, count, hold=1.5):
    api = functions.cloud.client("lambda", max_pool_connections=count)

    def one(_):
        answer = api.invoke(FunctionName=name, Payload=json.dumps({"hold": hold}))
        assert "FunctionError" not in answer, answer["Payload"].read()
        return json.load(answer["Payload"])

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_A_burst_is_forked_and_each_environment_is_its_own(functions):
    name = functions.create(HANDLER)
    answers = at_once(functions, name, 24)
    forks = [answer for answer in answers if answer["parent"] == 0]
    assert len(forks) >= 12, [answer["parent"] for answer in answers]
    for answer in forks:
        assert answer["user"] == 993 and answer["cwd"] == "/var/task" and answer["tmp"] == []
        assert answer["processes"] == 1 and answer["zone"] == "UTC"
    fresh = [answer for answer in answers if answer["calls"] == 1]
    for draw in ("random", "ssl", "uuid"):
        assert len({answer[draw] for answer in fresh}) == len(fresh), draw


def test_A_function_of_a_burst_has_the_modules_that_it_brings(functions):
    package = zipped(app__py=HANDLER.replace("import os,", "import boto3, decimal, os,")
                     .replace('{"parent"', '{"mine": [boto3.MINE, decimal.MINE], "parent"'),
                     boto3__py="MINE = 1", decimal__py="MINE = 2")
    answers = at_once(functions, functions.create(package=package), 16)
    assert any(answer["parent"] == 0 for answer in answers)
    assert all(answer["mine"] == [1, 2] for answer in answers)


def test_Variables_that_the_interpreter_reads_at_its_start_hold_in_a_fork_too(functions):
    code = ("import os, sys, time\ndef handler(event, context):\n    time.sleep(event['hold'])\n"
            "    return {'parent': os.getppid(), 'optimize': sys.flags.optimize}\n")
    name = functions.create(code, Environment={"Variables": {"PYTHONOPTIMIZE": "2"}})
    assert all(answer["optimize"] == 2 for answer in at_once(functions, name, 8))


def test_Without_prewarming_nothing_is_forked():
    cloud = Cloud("--prewarm", "0").start()
    try:
        functions = Functions(cloud)
        answers = at_once(functions, functions.create(HANDLER), 6, hold=0.5)
        assert all(answer["parent"] != 0 for answer in answers)
    finally:
        cloud.close()

"""What was acknowledged survives SIGKILL; what outlives a request goes on after it."""

import json
import os
import random
import threading
import time

import botocore.exceptions
import pytest

from cloud import Functions

ROUNDS = int(os.environ.get("PILEUS_KILL_ROUNDS", "12"))


def test_acknowledged_writes_survive_kill(fresh):
    """Writers run against the server while it is killed at random moments, again and again."""
    cloud = fresh("--log-level", "warn")
    acknowledged, chance = [], random.Random(7)
    for round_ in range(ROUNDS):
        stop = threading.Event()

        def write(worker):
            client = cloud.client("iam")
            number = 0
            while not stop.is_set():
                name = f"r{round_}-{worker}-{number}"
                try:
                    client.create_user(UserName=name)
                except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
                    return
                acknowledged.append(name)
                number += 1

        workers = [threading.Thread(target=write, args=(i,)) for i in range(4)]
        for worker in workers:
            worker.start()
        stop.wait(chance.uniform(0.05, 0.4))  # the random moment
        cloud.kill()
        stop.set()
        for worker in workers:
            worker.join()
        cloud.start()
    found = {u["UserName"] for p in cloud.client("iam").get_paginator("list_users").paginate() for u in p["Users"]}
    assert len(acknowledged) > ROUNDS
    assert not set(acknowledged) - found


def test_async_invokes_survive_kill(fresh):
    """Each acknowledged event has its effect, at least once: the function makes a user that names it."""
    cloud = fresh()
    functions = Functions(cloud)
    source = """
import boto3
def handler(event, context):
    iam = boto3.client('iam')
    try:
        iam.create_user(UserName=f"did-{event['n']}")
    except iam.exceptions.EntityAlreadyExistsException:
        pass
"""
    role = functions.role(policy={"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}]})
    name = functions.create(source, role=role, Timeout=60)
    for n in range(30):
        functions.api.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"n": n}))
    cloud.kill()
    cloud.start()
    iam, missing = cloud.client("iam"), set(range(30))
    deadline = time.monotonic() + 60
    while missing:
        done = {u["UserName"] for p in iam.get_paginator("list_users").paginate() for u in p["Users"]}
        missing = {n for n in range(30) if f"did-{n}" not in done}
        assert time.monotonic() < deadline, f"lost: {missing}; {cloud.words()}"


def test_functions_and_identities_survive_a_restart(fresh):
    cloud = fresh()
    functions = Functions(cloud)
    name = functions.create("def handler(e, c): return 'still here'\n")
    version = functions.api.publish_version(FunctionName=name)["Version"]
    iam = cloud.client("iam")
    iam.create_user(UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    assert cloud.stop() == 0
    cloud.start()
    assert Functions(cloud).invoke(name, Qualifier=version)[1] == "still here"
    assert cloud.client("sts", key["AccessKeyId"], key["SecretAccessKey"]).get_caller_identity()["Arn"].endswith("user/u")


def test_async_retries_follow_the_clock(fresh):
    cloud = fresh("--clock", "manual")
    functions = Functions(cloud)
    name = functions.create("def handler(e, c):\n    print('tried')\n    raise ValueError('no')\n")
    functions.api.invoke(FunctionName=name, InvocationType="Event", Payload="{}")
    assert len(functions.messages(name, 1, pattern="tried", timeout=20)) == 1
    cloud.admin("POST", "clock", {"by_us": 61_000_000})
    assert len(functions.messages(name, 2, pattern="tried", timeout=20)) == 2
    cloud.admin("POST", "clock", {"by_us": 121_000_000})
    assert len(functions.messages(name, 3, pattern="tried", timeout=20)) == 3
    cloud.admin("POST", "clock", {"by_us": 3_600_000_000})
    assert len(functions.messages(name, 3, pattern="tried")) == 3


def test_reset_empties_everything_quickly(fresh):
    cloud = fresh()
    functions = Functions(cloud)
    functions.invoke(functions.create("def handler(e, c): return 1\n"))
    took = cloud.admin("POST", "reset")["took_ms"]
    assert functions.api.list_functions()["Functions"] == []
    assert cloud.client("iam").list_roles()["Roles"] == []
    assert cloud.client("logs").describe_log_groups()["logGroups"] == []
    assert took < 5000
    functions.invoke(functions.create("def handler(e, c): return 1\n"))


def test_kill_leaves_nothing_behind(fresh):
    """Sandboxes die with the server: no process, mount or cgroup of it is left after the next start."""
    cloud = fresh()
    functions = Functions(cloud)
    functions.invoke(functions.create("def handler(e, c): return 1\n"))
    cloud.kill()
    cloud.start()
    assert cloud.admin("GET", "status")["lambda"]["environments"] == 0
